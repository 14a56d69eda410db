//! The other CPUs, by PSCI.

use super::psci::{self, status};
use crate::{Verdict, fail};

pub use crate::machine::own_affinity as own_id;

/// Starts the CPU `id`, which is off, in the program's second part with `context`.
pub fn start(id: u64, context: u64) -> Verdict {
    match psci::start(id, context) {
        status::SUCCESS => Ok(()),
        _ => Err("CPU_ON"),
    }
}

/// Ends this CPU, until it is started again.
pub fn rest() -> ! {
    psci::cpu_off();
    fail("CPU_OFF returned")
}

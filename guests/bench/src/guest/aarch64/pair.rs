//! Two CPUs that wake each other: one sends an SGI and waits, the other takes it, sends one back and waits.
//!
//! They share a pCPU, so never more than one runs, and the time between is the hypervisor's.

use super::rows::{SGI, sgi};
use super::{clock, round};
use crate::guest::counts::Counts;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::machine::own_affinity;
use guest_runtime::{Machine, fail, gic, psci};

/// When the other CPU's handler came to its third instruction.
static WOKEN: AtomicU64 = AtomicU64::new(0);

/// Counts `rounds` of being woken, on the machine's second CPU.
pub(super) fn count(machine: &Machine, rounds: u64) -> Result<Counts, &'static str> {
    let other = machine.second().ok_or("wake_sgi needs a second CPU")?;
    if psci::start(other, own_affinity()) != psci::status::SUCCESS {
        return Err("the second CPU does not start");
    }
    // It says that it is there, and then waits.
    round::wait(SGI)?;
    Counts::of(rounds, || {
        let written = round::wake_and_wait(sgi(other), SGI)?.written;
        Ok(WOKEN.load(Relaxed).saturating_sub(written) + 1)
    })
}

/// The other CPU; `affinity` is that of the first.
pub(in crate::guest) fn second(affinity: u64) -> ! {
    clock::take_vectors();
    let for_ever = || -> Result<(), &'static str> {
        gic::open_cpu()?;
        loop {
            WOKEN.store(round::wake_and_wait(sgi(affinity), SGI)?.woken, Relaxed);
        }
    };
    match for_ever() {
        Ok(()) => psci::system_off(),
        Err(what) => fail(what),
    }
}

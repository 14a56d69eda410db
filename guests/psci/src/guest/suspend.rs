//! CPU_SUSPEND: sleeps until an interrupt, in standby and where power-down was asked for.

use super::expect;
use super::functions::{CPU_SUSPEND, CPU_SUSPEND_32};
use super::probe;
use guest_runtime::psci::{self, status::*};
use guest_runtime::system_register::{mask_interrupts, unmask_interrupts};
use guest_runtime::{Verdict, say, timer};

/// Original format of power states (DEN 0022, 5.4.2.1): standby and power-down, at the CPU's own level and at the next.
const STATES: [u64; 4] = [0, 1 << 24, 1 << 16, 1 << 16 | 1 << 24];
/// Bits that the original format does not have.
const RESERVED: [u64; 3] = [1 << 17, 1 << 26, 1 << 31];
/// A sleep may end early, but it is a sleep.
const TRIES: u32 = 100;

/// Sleeps in each state.
pub(super) fn test() -> Verdict {
    for function in [CPU_SUSPEND, CPU_SUSPEND_32] {
        for state in RESERVED {
            expect(suspend(function, state), INVALID_PARAMETERS, "CPU_SUSPEND to a state that is not one")?;
        }
        for state in STATES {
            sleeps(function, state)?;
        }
    }
    say!("CPU_SUSPEND sleeps until an interrupt, in {} states", STATES.len());
    Ok(())
}

/// A power-down state may be answered by standby (DEN 0022, 5.4.5): then the call returns as this one does. Coming back by
/// the entry point would end this program with the vCPU off.
fn suspend(function: u32, state: u64) -> i64 {
    psci::call(function, [state, probe::entry(), 0])
}

fn sleeps(function: u32, state: u64) -> Verdict {
    timer::alarm(5);
    let mut tries = 0;
    while timer::count() == 0 {
        mask_interrupts();
        // A pending interrupt ends the sleep even when it is masked.
        let result = if timer::count() == 0 { suspend(function, state) } else { SUCCESS };
        unmask_interrupts();
        expect(result, SUCCESS, "CPU_SUSPEND")?;
        tries += 1;
        if tries > TRIES {
            return Err("CPU_SUSPEND does not sleep");
        }
    }
    Ok(())
}

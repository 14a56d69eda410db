//! arm64's clock and rows.

mod clock;
mod pair;
mod round;
mod rows;

pub(super) use clock::start;
pub(super) use pair::second;
pub(super) use rows::ROWS;

use guest_runtime::{Machine, Verdict, gic};

/// Whether the rows are this machine's, and its clock exact.
pub(super) fn open(machine: &Machine) -> Verdict {
    if machine.gic_version != 3 {
        return Err("the rows are those of a GICv3");
    }
    gic::open(machine)?;
    clock::check()?;
    clock::take_vectors();
    Ok(())
}

/// Takes all instructions for good.
pub(super) fn spin() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Sleeps for a tenth of a second, in which others on the pCPU come to rest.
pub(super) fn settle(machine: &Machine) -> Verdict {
    rows::settle(machine)
}

/// Sleeps until an interrupt comes.
pub(super) use guest_runtime::system_register::wait_for_interrupt;

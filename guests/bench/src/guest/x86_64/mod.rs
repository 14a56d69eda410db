//! x86_64's clock and rows.

mod clock;
mod pair;
mod round;
mod rows;

pub(super) use guest_runtime::{started as start, wait_for_interrupt};
pub(super) use pair::second;
pub(super) use rows::ROWS;

use guest_runtime::{Machine, Verdict, apic, timer};

/// Whether the rows are this machine's, and its clock exact.
pub(super) fn open(machine: &Machine) -> Verdict {
    if apic::is_extended() {
        return Err("the rows are those of an xAPIC");
    }
    apic::open(machine)?;
    timer::open(machine)?;
    clock::check()?;
    clock::take_vectors();
    Ok(())
}

/// Takes all instructions for good. Not by PAUSE, which gives the hypervisor a hint.
pub(super) fn spin() -> ! {
    // SAFETY: a jump to itself.
    unsafe { core::arch::asm!("2: jmp 2b", options(noreturn, nomem, nostack)) }
}

/// Sleeps for a tenth of a second, in which others on the pCPU come to rest.
pub(super) fn settle(_machine: &Machine) -> Verdict {
    round::timer_asleep(round::deadline(timer::frequency() / 10)).map(drop)
}

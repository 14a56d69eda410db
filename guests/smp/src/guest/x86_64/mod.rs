//! x86_64's part: the forms of interrupts between CPUs, a line of the I/O APIC to each, and TLB shoot-downs.

pub(super) mod forms;
mod lines;
mod shoot;

use super::OWN;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst, fence};
use guest_runtime::{Machine, Verdict, apic, say};

/// The 8254's line.
const LINE: u32 = OWN;
/// A mapping has changed.
const SHOOT: u32 = OWN + 1;

/// How a token is passed on.
pub(super) const EVENT: &str = "stores";

/// The others look at [`shoot`]'s page, and send no form.
static LOOKS: AtomicBool = AtomicBool::new(false);

/// Says what this machine is.
pub(super) fn introduce(machine: &Machine) {
    let mode = if apic::is_extended() { "x2APIC" } else { "xAPIC" };
    say!("{} vCPUs on local APICs in {mode} mode", machine.cpus.len());
}

/// What holds before the vCPUs are started: nobody tells.
pub(super) fn before(_machine: &Machine) -> Verdict {
    Ok(())
}

/// Whether a vCPU that was to go off is: nobody tells, and its start resets it in any case.
pub(super) fn is_off(_id: u64) -> bool {
    true
}

/// Later accesses to memory come later.
pub(super) fn barrier() {
    fence(SeqCst);
}

/// Nothing sends events.
pub(super) fn send_event() {}

/// Nothing waits for them.
pub(super) fn wait_for_event() {
    spin_loop();
}

/// What only this CPU has to test.
pub(super) fn test(machine: &Machine) -> Verdict {
    lines::test(machine)?;
    LOOKS.store(true, Relaxed);
    shoot::test(machine)?;
    LOOKS.store(false, Relaxed);
    Ok(())
}

/// Another vCPU: what was chosen.
pub(super) fn act() {
    if LOOKS.load(Relaxed) { shoot::look() } else { super::forms::send() }
}

/// Any vCPU: an interrupt came. Whether it is one of these.
pub(super) fn on_interrupt(vector: u32) -> bool {
    match vector {
        LINE => lines::on_line(),
        SHOOT => shoot::on_ipi(),
        _ => return false,
    }
    true
}

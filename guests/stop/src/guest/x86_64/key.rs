//! ACPI's power button (ACPI 6.5, 4.8.2.2.1), watched and ignored.

use core::sync::atomic::{AtomicU16, AtomicU32, Ordering::Relaxed};
use guest_runtime::cpu::{in16, out16};
use guest_runtime::machine::{PowerEvents, own_id};
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Verdict, say};

/// The vector of SCI.
const SCI: u32 = 0x51;
/// PWRBTN_STS and PWRBTN_EN.
const BUTTON: u16 = 1 << 8;

static STATUS: AtomicU16 = AtomicU16::new(0);
static PRESSES: AtomicU32 = AtomicU32::new(0);

/// Says that the button was pressed, for good.
pub(super) fn ignore(machine: &Machine) -> Verdict {
    let PowerEvents { status, enable, line } = machine.power;
    if in16(status) & BUTTON != 0 {
        return Err("the button was pressed, and nobody did");
    }
    STATUS.store(status, Relaxed);
    line.route(SCI, own_id());
    out16(enable, BUTTON);
    say!("watches the power key");
    for press in 0.. {
        wait_until(|| PRESSES.load(Relaxed) > press);
        say!("the power key was pressed");
    }
    Ok(())
}

/// SCI: a one clears (4.8.3.1.1), and the line falls.
pub(in crate::guest) fn took(vector: u32) {
    let status = STATUS.load(Relaxed);
    if vector == SCI && in16(status) & BUTTON != 0 {
        PRESSES.store(PRESSES.load(Relaxed) + 1, Relaxed);
        out16(status, BUTTON);
    }
}

//! The machine's two ends, by ACPI: the sleeping state S5, and the reset register.

use super::acpi::Fixed;
use super::cpu::{self, in16, out8, out16};
use core::sync::atomic::{AtomicU16, AtomicU32, Ordering::Relaxed};

/// PM1a_CNT; 0: unknown.
static CONTROL: AtomicU16 = AtomicU16::new(0);
/// SLP_TYPa of S5.
static SLEEP_TYPE: AtomicU16 = AtomicU16::new(0);
/// The reset register's port in the upper half, what is written there in the lower. The chipset's until ACPI says another.
static RESET: AtomicU32 = AtomicU32::new(0x0cf9_0006);

/// PM1_CNT.SCI_EN: ACPI is on (ACPI 6.5, 4.8.3.2.1).
const ENABLED: u16 = 1;
/// PM1_CNT.SLP_EN.
const SLEEP: u16 = 1 << 13;
/// PM1_CNT.SLP_TYP.
const SLEEP_TYPES: u16 = 7 << 10;

/// Takes what the tables say from here on, and turns ACPI on if it is not.
pub(super) fn open(fixed: &Fixed) {
    CONTROL.store(fixed.control, Relaxed);
    SLEEP_TYPE.store(fixed.sleep_type.into(), Relaxed);
    if let Some((port, value)) = fixed.reset {
        RESET.store(u32::from(port) << 16 | u32::from(value), Relaxed);
    }
    // ACPI 6.5, 5.2.9, SMI_CMD: 0 where ACPI is always on.
    if fixed.command != 0 && fixed.control != 0 && in16(fixed.control) & ENABLED == 0 {
        out8(fixed.command, fixed.enable);
        while in16(fixed.control) & ENABLED == 0 {}
    }
}

/// The port of PM1a_CNT, by which the machine can be powered off; 0: unknown.
pub fn control_port() -> u16 {
    CONTROL.load(Relaxed)
}

/// The port of the reset register.
pub fn reset_port() -> u16 {
    (RESET.load(Relaxed) >> 16) as u16
}

/// Ends the machine well.
pub fn system_off() -> ! {
    let control = CONTROL.load(Relaxed);
    if control != 0 {
        let others = in16(control) & !SLEEP_TYPES;
        out16(control, others | SLEEP_TYPE.load(Relaxed) << 10 | SLEEP);
    }
    for_ever()
}

/// Ends the machine badly.
pub fn system_reset() -> ! {
    let reset = RESET.load(Relaxed);
    out8((reset >> 16) as u16, reset as u8);
    for_ever()
}

/// Sleeps for good.
pub(super) fn for_ever() -> ! {
    loop {
        cpu::halt();
    }
}

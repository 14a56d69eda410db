//! The virtual counter, and the virtual timer.

use crate::gic::Interrupt;
use crate::{Machine, Verdict, read_register, write_register};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// CNTV_CTL_EL0.ENABLE, with IMASK clear.
const ENABLE: u64 = 1;

/// The timer's INTID; none before `open`.
static INTID: AtomicU32 = AtomicU32::new(u32::MAX);

/// The virtual counter.
pub fn now() -> u64 {
    read_register!("cntvct_el0")
}

/// Its ticks per second.
pub fn frequency() -> u64 {
    read_register!("cntfrq_el0")
}

/// Enables the timer's interrupt on this CPU. The GIC is open.
pub fn open(machine: &Machine) -> Verdict {
    INTID.store(machine.virtual_timer, Relaxed);
    Interrupt(machine.virtual_timer).enable()
}

/// Whether an interrupt is the timer's.
pub(crate) fn owns(intid: u32) -> bool {
    intid == INTID.load(Relaxed)
}

/// When the timer's interrupt is due.
pub fn deadline() -> u64 {
    read_register!("cntv_cval_el0")
}

/// The interrupt is due then.
pub(crate) fn set_deadline(deadline: u64) {
    write_register!("cntv_cval_el0", deadline);
    write_register!("cntv_ctl_el0", ENABLE);
}

/// Whether `deadline`, whose interrupt has come, is yet to come.
pub(crate) fn is_early(deadline: u64) -> bool {
    now() < deadline
}

/// No more interrupts.
pub(crate) fn stop() {
    write_register!("cntv_ctl_el0", 0);
}

//! EL2's own timer (CNTHP): the moment at which this pCPU has to decide anew who runs.

use crate::registers::write;

/// Interrupts with [`crate::intid::HYP_TIMER`] when the physical counter reaches `deadline`, and until it is set anew;
/// never if there is none.
#[inline]
pub fn set(deadline: Option<u64>) {
    // SAFETY: EL2's own timer, which nobody else uses; ENABLE without IMASK, or nothing (DDI 0487 D24.10, CNTHP_CTL_EL2).
    unsafe {
        match deadline {
            Some(deadline) => {
                write!("CNTHP_CVAL_EL2", deadline);
                write!("CNTHP_CTL_EL2", 1);
            }
            None => write!("CNTHP_CTL_EL2", 0),
        }
        // The line follows before an interrupt of the old deadline is deactivated.
        core::arch::asm!("isb", options(nostack, preserves_flags));
    }
}

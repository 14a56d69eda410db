//! Who lets the board's interrupts come again.

use core::fmt::Debug;

/// The owner of interrupts of the board that a VM's interrupt controller hands to its guest.
pub trait Ends: Debug + Sync {
    /// The guest is done with its shared interrupt `line`, behind which there is one of the board's. On any pCPU, once for each that
    /// was handed in, unless the VM is reset before.
    fn over(&self, line: u32);
}

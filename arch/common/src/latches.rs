//! Registers of devices that only select what the next access means.

use core::fmt;

/// A VM's devices, for stores that a CPU answers without the loop.
pub trait Latches: Sync {
    /// The guest stores `value` at `port`, on any pCPU. True if that selects what an access that follows means, and does no more: then
    /// it is done. Else nothing has changed.
    fn latch(&self, port: u16, value: u8) -> bool;
}

impl fmt::Debug for dyn Latches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Latches")
    }
}

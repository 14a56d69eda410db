//! The board's own interrupt controller, as this pCPU and the virtual GIC use it: a driver for each architecture with the
//! same names, of which the feature `gicv2` chooses one. What only one of them needs is called by its module's name.

pub mod v2;
pub mod v3;

#[cfg(feature = "gicv2")]
pub use v2::*;
#[cfg(not(feature = "gicv2"))]
pub use v3::*;

use core::ptr::{read_volatile, write_volatile};

use crate::intid::{PHYSICAL_TIMER, VIRTUAL_TIMER};
use crate::registers::read;

/// Priority of all host interrupts, four of them: the middle, so that a guest's never matters here.
const PRIORITY: u32 = 0xa0a0_a0a0;

/// A frame of registers of the real controller.
#[derive(Clone, Copy, Debug)]
pub struct Frame(usize);

impl Frame {
    /// The frame at `address`.
    ///
    /// # Safety
    /// A GIC frame of the kind that the caller will use it as is mapped there as device memory, for good.
    pub const unsafe fn new(address: usize) -> Frame {
        Frame(address)
    }

    /// The frame that begins `offset` bytes after this one.
    const fn behind(self, offset: usize) -> Frame {
        Frame(self.0.wrapping_add(offset))
    }

    #[inline]
    fn read(self, offset: usize) -> u32 {
        // SAFETY: `new`'s promise; offsets are the drivers' constants, within the frame.
        unsafe { read_volatile(self.0.wrapping_add(offset) as *const u32) }
    }

    fn read64(self, offset: usize) -> u64 {
        // SAFETY: as `read`; only for registers that allow 64-bit accesses.
        unsafe { read_volatile(self.0.wrapping_add(offset) as *const u64) }
    }

    #[inline]
    fn write(self, offset: usize, value: u32) {
        // SAFETY: as `read`; the values written are the drivers', and only ever concern interrupts.
        unsafe { write_volatile(self.0.wrapping_add(offset) as *mut u32, value) }
    }

    fn write64(self, offset: usize, value: u64) {
        // SAFETY: as `write`.
        unsafe { write_volatile(self.0.wrapping_add(offset) as *mut u64, value) }
    }
}

/// Whether the line of the timer with the private interrupt `intid` is high.
fn is_timer_asserted(intid: u32) -> bool {
    let control = match intid {
        VIRTUAL_TIMER => read!("CNTV_CTL_EL0"),
        PHYSICAL_TIMER => read!("CNTP_CTL_EL0"),
        _ => 0,
    };
    // ENABLE and ISTATUS set, IMASK clear (DDI 0487 D24.10, CNTV_CTL_EL0).
    control & 0b111 == 0b101
}

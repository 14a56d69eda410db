//! The board's own interrupt controller, as this pCPU and the virtual GIC use it: a driver for each architecture with the
//! same names, of which the feature `gicv2` chooses one. What only one of them needs is called by its module's name.

pub mod v2;
pub mod v3;

#[cfg(feature = "gicv2")]
pub use v2::*;
#[cfg(not(feature = "gicv2"))]
pub use v3::*;

use core::ptr::{read_volatile, write_volatile};

use crate::intid::{HYP_TIMER, KICK, MAINTENANCE, PHYSICAL_TIMER, SPECIAL, STOP, VIRTUAL_TIMER};
use crate::registers::read;

/// Offsets that both architectures' distributors have; of those from IGROUPR to ICFGR, a GICv3's redistributors too.
const GICD_CTLR: usize = 0x0;
const GICD_TYPER: usize = 0x4;
const IGROUPR: usize = 0x80;
const ISENABLER: usize = 0x100;
const ICENABLER: usize = 0x180;
const ICPENDR: usize = 0x280;
const ICACTIVER: usize = 0x380;
const IPRIORITYR: usize = 0x400;
const ICFGR: usize = 0xc00;

/// The private interrupts that the hypervisor itself takes.
const OWN: u32 = 1 << KICK | 1 << STOP | 1 << MAINTENANCE | 1 << HYP_TIMER | 1 << VIRTUAL_TIMER | 1 << PHYSICAL_TIMER;

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

    /// Where it is.
    pub(crate) const fn address(self) -> usize {
        self.0
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

    /// For registers that allow accesses by bytes.
    fn write8(self, offset: usize, value: u8) {
        // SAFETY: as `write`.
        unsafe { write_volatile(self.0.wrapping_add(offset) as *mut u8, value) }
    }

    fn write64(self, offset: usize, value: u64) {
        // SAFETY: as `write`.
        unsafe { write_volatile(self.0.wrapping_add(offset) as *mut u64, value) }
    }
}

/// Takes nothing over for the 32 interrupts of word `word`: none enabled, pending or active, all in `group`.
fn forget(frame: Frame, word: usize, group: u32) {
    let offset = word.wrapping_mul(4);
    for (register, value) in [(ICENABLER, u32::MAX), (ICPENDR, u32::MAX), (ICACTIVER, u32::MAX), (IGROUPR, group)] {
        frame.write(register.wrapping_add(offset), value);
    }
}

/// Takes nothing over for the SPIs: all level-sensitive, of our priority, in `group`. The number of INTIDs that there are.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "offsets of registers of the board's own controller, of 1020 INTIDs at most"
)]
fn init_shared(distributor: Frame, group: u32) -> usize {
    let intids = (((distributor.read(GICD_TYPER) & 0x1f) as usize + 1) * 32).min(SPECIAL as usize);
    (1..intids.div_ceil(32)).for_each(|word| forget(distributor, word, group));
    (8..intids / 4).for_each(|word| distributor.write(IPRIORITYR + word * 4, PRIORITY));
    (2..intids.div_ceil(16)).for_each(|word| distributor.write(ICFGR + word * 4, 0));
    intids
}

/// Takes nothing over for the private interrupts in `frame`, all in `group`, and enables ours.
#[expect(clippy::arithmetic_side_effects, reason = "offsets of registers of the board's own controller, of 32 INTIDs")]
fn init_own(frame: Frame, group: u32) {
    forget(frame, 0, group);
    (0..8).for_each(|word| frame.write(IPRIORITYR + word * 4, PRIORITY));
    // PPIs of the timers and of the virtual interface are level-sensitive (DDI 0487 D11.2.4; IHI 0069 section 5.5, IHI 0048
    // chapter 5).
    frame.write(ICFGR + 4, 0);
    frame.write(ISENABLER, OWN);
}

/// Writes the bit of SPI `intid` to a register in which zeros change nothing.
fn write_bit(distributor: Frame, register: usize, intid: u32) {
    let (word, bit) = (intid as usize / 32, intid % 32);
    distributor.write(word.wrapping_mul(4).wrapping_add(register), 1 << bit);
}

/// Enables SPI `intid`. On any CPU.
pub fn enable_shared(distributor: Frame, intid: u32) {
    write_bit(distributor, ISENABLER, intid);
}

/// Disables SPI `intid`: it may still be taken once by a CPU that has begun to. If it is pending it stays so. On any CPU.
pub fn disable_shared(distributor: Frame, intid: u32) {
    write_bit(distributor, ICENABLER, intid);
}

/// Lets SPI `intid` fire again. Unlike [`deactivate`], on any CPU, whichever took it (IHI 0069 section 12.9.9, IHI 0048 section 4.3.9).
pub fn deactivate_shared(distributor: Frame, intid: u32) {
    write_bit(distributor, ICACTIVER, intid);
}

/// SPI `intid` is pending no more, unless its line is high.
pub fn clear_shared(distributor: Frame, intid: u32) {
    write_bit(distributor, ICPENDR, intid);
}

/// Makes SPI `intid`, which is disabled, edge-triggered or level-sensitive. False if the controller has no such SPI. Only while no
/// other CPU does the same.
pub fn configure_shared(distributor: Frame, intid: u32, is_edge: bool) -> bool {
    let register = (intid as usize / 16).wrapping_mul(4).wrapping_add(ICFGR);
    // The upper one of two bits; the lower one is reserved (IHI 0069 section 12.9.8, IHI 0048 section 4.3.13).
    let bit = 2 << (intid % 16).wrapping_mul(2);
    let others = distributor.read(register) & !bit;
    distributor.write(register, if is_edge { others | bit } else { others });
    let intids = (distributor.read(GICD_TYPER) & 0x1f).wrapping_add(1).wrapping_mul(32).min(SPECIAL);
    intid < intids
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

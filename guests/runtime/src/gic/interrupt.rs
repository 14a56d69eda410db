//! One interrupt by its INTID: private ones are this CPU's, in its redistributor; shared ones are in the distributor.

use super::{GICR_SGI, distributor, own_redistributor, settle};
use crate::Verdict;
use crate::machine::own_affinity;
use crate::mmio::{read32, write8, write32, write64};

const IGROUPR: usize = 0x0080;
const ISENABLER: usize = 0x0100;
const ICENABLER: usize = 0x0180;
const ISPENDR: usize = 0x0200;
const ICPENDR: usize = 0x0280;
const ISACTIVER: usize = 0x0300;
const IPRIORITYR: usize = 0x0400;
const ICFGR: usize = 0x0c00;
const IROUTER: usize = 0x6000;

/// In the middle, so that the mask in ICC_PMR_EL1 lets it through however few bits are implemented.
const PRIORITY: u8 = 0xa0;

/// An interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupt(pub u32);

/// What makes an interrupt pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Its line is high.
    Level,
    /// Its line rises.
    Edge,
}

impl Interrupt {
    /// Group 1, middle priority, to this CPU, enabled.
    pub fn enable(self) -> Verdict {
        let (group, bit) = self.bit(IGROUPR)?;
        write32(group, read32(group) | bit);
        self.set_priority(PRIORITY)?;
        if self.is_shared() {
            self.route(own_affinity());
        }
        let (enable, bit) = self.bit(ISENABLER)?;
        write32(enable, bit);
        Ok(())
    }

    /// Not taken any more, when this returns.
    pub fn disable(self) -> Verdict {
        let (disable, bit) = self.bit(ICENABLER)?;
        write32(disable, bit);
        settle()
    }

    /// The lower, the sooner. Five bits at least are implemented: multiples of 8 differ.
    pub fn set_priority(self, priority: u8) -> Verdict {
        write8(self.frame()? + IPRIORITYR + self.index(), priority);
        Ok(())
    }

    /// Sends a shared interrupt to the CPU `affinity` from here on.
    pub fn route(self, affinity: u64) {
        write64(distributor() + IROUTER + self.index() * 8, affinity);
    }

    /// Level or edge. The interrupt is disabled.
    pub fn set_trigger(self, trigger: Trigger) -> Verdict {
        let (register, bit) = self.config()?;
        let others = read32(register) & !bit;
        write32(register, if trigger == Trigger::Edge { others | bit } else { others });
        Ok(())
    }

    /// Level or edge.
    pub fn trigger(self) -> Result<Trigger, &'static str> {
        let (register, bit) = self.config()?;
        Ok(if read32(register) & bit != 0 { Trigger::Edge } else { Trigger::Level })
    }

    /// Makes it pending.
    pub fn raise(self) -> Verdict {
        let (register, bit) = self.bit(ISPENDR)?;
        write32(register, bit);
        Ok(())
    }

    /// Makes all of the 32 interrupts from this one on pending whose bits are set, by one store. The INTID is a multiple
    /// of 32.
    pub fn raise_many(self, bits: u32) -> Verdict {
        let (register, _) = self.bit(ISPENDR)?;
        write32(register, bits);
        Ok(())
    }

    /// Takes back what [`Interrupt::raise`] did.
    pub fn withdraw(self) -> Verdict {
        let (register, bit) = self.bit(ICPENDR)?;
        write32(register, bit);
        Ok(())
    }

    /// Whether it is pending.
    pub fn is_pending(self) -> Result<bool, &'static str> {
        let (register, bit) = self.bit(ISPENDR)?;
        Ok(read32(register) & bit != 0)
    }

    /// Whether it is active: acknowledged and not yet deactivated.
    pub fn is_active(self) -> Result<bool, &'static str> {
        let (register, bit) = self.bit(ISACTIVER)?;
        Ok(read32(register) & bit != 0)
    }

    const fn is_shared(self) -> bool {
        self.0 >= 32
    }

    const fn index(self) -> usize {
        self.0 as usize
    }

    fn frame(self) -> Result<usize, &'static str> {
        if self.is_shared() { Ok(distributor()) } else { Ok(own_redistributor()? + GICR_SGI) }
    }

    /// Its word and bit in a register with one bit an interrupt.
    fn bit(self, register: usize) -> Result<(usize, u32), &'static str> {
        Ok((self.frame()? + register + self.index() / 32 * 4, 1 << (self.0 % 32)))
    }

    /// Its word and the bit that says "edge" in ICFGR.
    fn config(self) -> Result<(usize, u32), &'static str> {
        Ok((self.frame()? + ICFGR + self.index() / 16 * 4, 2 << (self.0 % 16 * 2)))
    }
}

//! One interrupt by its INTID. Shared ones are in the distributor; private ones are this CPU's, in its redistributor or, of
//! a GICv2, in the part of the distributor that each CPU has for itself.

use super::{GICR_SGI, Version, distributor, own_redistributor, settle, v2, version};
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
const ITARGETSR: usize = 0x0800;
const ICFGR: usize = 0x0c00;
const IROUTER: usize = 0x6000;

/// GICD_IROUTER.Interrupt_Routing_Mode: to any one CPU.
const ANY: u64 = 1 << 31;

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
    /// Group 1 (of a GICv2 whichever it is in), middle priority, to this CPU, enabled.
    pub fn enable(self) -> Verdict {
        if version() == Version::V3 {
            let (group, bit) = self.bit(IGROUPR)?;
            write32(group, read32(group) | bit);
        }
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
        match version() {
            Version::V2 => write8(distributor() + ITARGETSR + self.index(), v2::interface(affinity)),
            Version::V3 => write64(distributor() + IROUTER + self.index() * 8, affinity),
        }
    }

    /// Sends a shared interrupt to any one of `cpus` from here on; a GICv3 knows no other choice than all.
    pub fn route_to_one_of(self, cpus: &[u64]) {
        match version() {
            Version::V2 => {
                let targets = cpus.iter().fold(0, |targets, &cpu| targets | v2::interface(cpu));
                write8(distributor() + ITARGETSR + self.index(), targets);
            }
            Version::V3 => write64(distributor() + IROUTER + self.index() * 8, ANY),
        }
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
        match version() {
            Version::V3 if !self.is_shared() => Ok(own_redistributor()? + GICR_SGI),
            Version::V2 | Version::V3 => Ok(distributor()),
        }
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

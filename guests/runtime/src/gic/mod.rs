//! A minimal GICv3 driver (IHI 0069): group 1, affinity routing, system-register CPU interface.

use super::Verdict;
use super::machine::{AFFINITY, Machine};
use super::spin_for;
use super::system_register::{
    barrier, read_register, read32, read64, unmask_interrupts, write_register, write32, write64,
};

const GICD_CTLR: usize = 0x0000;
const GICD_IGROUPR: usize = 0x0080;
const GICD_ISENABLER: usize = 0x0100;
const GICD_IPRIORITYR: usize = 0x0400;
const GICD_IROUTER: usize = 0x6000;
const GICR_TYPER: usize = 0x0008;
const GICR_WAKER: usize = 0x0014;
/// SGI_base; from there the private interrupts have their registers at the distributor's offsets.
const GICR_SGI: usize = 0x1_0000;

/// GICD_CTLR: ARE and EnableGrp1 where there is one security state, ARE_NS and EnableGrp1A in the non-secure view.
const ARE_AND_GROUP1: u32 = 1 << 4 | 1 << 1;
const CTLR_RWP: u32 = 1 << 31;
const WAKER_PROCESSOR_SLEEP: u32 = 1 << 1;
const WAKER_CHILDREN_ASLEEP: u32 = 1 << 2;
const TYPER_VLPIS: u64 = 1 << 1;
const TYPER_LAST: u64 = 1 << 4;
/// In the middle, so that the mask in ICC_PMR_EL1 lets it through however few bits are implemented.
const PRIORITY: u32 = 0xa0;

/// The distributor and this CPU's redistributor, initialised.
pub(crate) struct Gic {
    distributor: usize,
    redistributor: usize,
}

impl Gic {
    /// Initialises the distributor, then this CPU's part.
    pub(crate) fn open(machine: &Machine) -> Result<Gic, &'static str> {
        let distributor = machine.distributor;
        write32(distributor + GICD_CTLR, 0);
        settle(distributor)?;
        write32(distributor + GICD_CTLR, ARE_AND_GROUP1);
        settle(distributor)?;
        let redistributor = own_redistributor(machine.redistributors)?;
        let gic = Gic { distributor, redistributor };
        gic.open_cpu()?;
        Ok(gic)
    }

    /// Wakes this CPU's redistributor, enables its SGIs and lets interrupts through.
    fn open_cpu(&self) -> Verdict {
        let waker = self.redistributor + GICR_WAKER;
        write32(waker, read32(waker) & !WAKER_PROCESSOR_SLEEP);
        spin_for("the redistributor does not wake", || read32(waker) & WAKER_CHILDREN_ASLEEP == 0)?;
        let private = self.redistributor + GICR_SGI;
        write32(private + GICD_IGROUPR, u32::MAX);
        for intid in 0..16 {
            set_priority(private, intid);
        }
        write32(private + GICD_ISENABLER, 0xffff);
        write_register!("icc_sre_el1", read_register!("icc_sre_el1") | 1);
        write_register!("icc_pmr_el1", 0xff);
        write_register!("icc_ctlr_el1", 0);
        write_register!("icc_bpr1_el1", 0);
        write_register!("icc_igrpen1_el1", 1);
        unmask_interrupts();
        Ok(())
    }

    /// Enables a PPI of this CPU.
    pub(crate) fn enable_private(&self, intid: u32) {
        let private = self.redistributor + GICR_SGI;
        set_priority(private, intid);
        write32(private + GICD_ISENABLER, 1 << intid);
    }

    /// Enables an SPI and routes it to this CPU.
    pub(crate) fn enable_shared(&self, intid: u32) {
        let index = intid as usize;
        let group = self.distributor + GICD_IGROUPR + index / 32 * 4;
        write32(group, read32(group) | 1 << (intid % 32));
        set_priority(self.distributor, intid);
        write64(self.distributor + GICD_IROUTER + index * 8, read_register!("mpidr_el1") & AFFINITY);
        write32(self.distributor + GICD_ISENABLER + index / 32 * 4, 1 << (intid % 32));
    }
}

/// Initialises the interrupt interface of a CPU that came later.
pub(crate) fn open_later_cpu(distributor: usize, redistributors: usize) -> Verdict {
    Gic { distributor, redistributor: own_redistributor(redistributors)? }.open_cpu()
}

fn settle(distributor: usize) -> Verdict {
    spin_for("a write to GICD_CTLR does not take effect", || read32(distributor + GICD_CTLR) & CTLR_RWP == 0)
}

fn set_priority(base: usize, intid: u32) {
    let register = base + GICD_IPRIORITYR + intid as usize / 4 * 4;
    let shift = intid % 4 * 8;
    write32(register, read32(register) & !(0xff << shift) | PRIORITY << shift);
}

/// Walks the redistributors to the one with this CPU's affinity.
fn own_redistributor(first: usize) -> Result<usize, &'static str> {
    let mpidr = read_register!("mpidr_el1");
    // GICR_TYPER has Aff3 to Aff0 in one word; MPIDR_EL1 has Aff3 apart.
    let own = mpidr >> 32 & 0xff << 24 | mpidr & 0xff_ffff;
    let mut frame = first;
    loop {
        let typer = read64(frame + GICR_TYPER);
        if typer >> 32 == own {
            return Ok(frame);
        }
        if typer & TYPER_LAST != 0 {
            return Err("no redistributor has this CPU's affinity");
        }
        frame += if typer & TYPER_VLPIS != 0 { 0x4_0000 } else { 0x2_0000 };
    }
}

/// Sends an SGI to one CPU.
pub(crate) fn send(intid: u32, affinity: u64) {
    let [aff0, aff1, aff2, _, aff3, ..] = affinity.to_le_bytes().map(u64::from);
    barrier();
    let range = aff0 >> 4;
    write_register!(
        "icc_sgi1r_el1",
        aff3 << 48 | range << 44 | aff2 << 32 | u64::from(intid) << 24 | aff1 << 16 | 1 << (aff0 & 0xf)
    );
}

/// Takes the interrupt of highest priority.
pub(crate) fn acknowledge() -> u32 {
    let intid = read_register!("icc_iar1_el1") as u32;
    barrier();
    intid
}

/// Ends it.
pub(crate) fn end(intid: u32) {
    barrier();
    write_register!("icc_eoir1_el1", intid.into());
}

//! A minimal GICv3 driver (IHI 0069): group 1, affinity routing, system-register CPU interface.
//!
//! Here the distributor and each CPU's redistributor are initialised; [`Interrupt`] is one interrupt's configuration
//! and state; taking and ending interrupts, and sending them to other CPUs, is [`cpu`]'s.

mod cpu;
mod interrupt;

pub use cpu::*;
pub use interrupt::{Interrupt, Trigger};

use crate::machine::Machine;
use crate::mmio::{read32, read64, write32};
use crate::system_register::unmask_interrupts;
use crate::wait::spin_for;
use crate::{Verdict, read_register, write_register};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const GICD_CTLR: usize = 0x0000;
const GICD_TYPER: usize = 0x0004;
const GICD_PIDR2: usize = 0xffe8;
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

/// INTIDs from here on say that there is no interrupt, or are of kinds that guests do not use.
pub const SPECIAL: u32 = 1020;

static DISTRIBUTOR: AtomicUsize = AtomicUsize::new(0);
/// First redistributor; the others follow.
static REDISTRIBUTORS: AtomicUsize = AtomicUsize::new(0);

fn distributor() -> usize {
    DISTRIBUTOR.load(Relaxed)
}

/// Initialises the distributor, then this CPU's part. Interrupts are taken from here on.
pub fn open(machine: &Machine) -> Verdict {
    DISTRIBUTOR.store(machine.distributor, Relaxed);
    REDISTRIBUTORS.store(machine.redistributors, Relaxed);
    for control in [0, ARE_AND_GROUP1] {
        write32(machine.distributor + GICD_CTLR, control);
        settle()?;
    }
    open_cpu()
}

/// Wakes this CPU's redistributor, enables its SGIs and lets interrupts through.
pub fn open_cpu() -> Verdict {
    let waker = own_redistributor()? + GICR_WAKER;
    write32(waker, read32(waker) & !WAKER_PROCESSOR_SLEEP);
    spin_for("the redistributor does not wake", || read32(waker) & WAKER_CHILDREN_ASLEEP == 0)?;
    for intid in 0..16 {
        Interrupt(intid).enable()?;
    }
    write_register!("icc_sre_el1", read_register!("icc_sre_el1") | 1);
    write_register!("icc_pmr_el1", 0xff);
    write_register!("icc_ctlr_el1", 0);
    write_register!("icc_bpr1_el1", 0);
    write_register!("icc_igrpen1_el1", 1);
    unmask_interrupts();
    Ok(())
}

/// Number of INTIDs below the special ones, by GICD_TYPER.ITLinesNumber.
pub fn interrupts() -> u32 {
    (32 * ((read32(distributor() + GICD_TYPER) & 0x1f) + 1)).min(SPECIAL)
}

/// Whether there are LPIs (GICD_TYPER.LPIS).
pub fn has_lpis() -> bool {
    read32(distributor() + GICD_TYPER) & 1 << 17 != 0
}

/// GICD_PIDR2.ArchRev: 3 for GICv3.
pub fn architecture() -> u32 {
    read32(distributor() + GICD_PIDR2) >> 4 & 0xf
}

/// Waits for the distributor to have taken what was written.
fn settle() -> Verdict {
    spin_for("a write to the distributor does not take effect", || read32(distributor() + GICD_CTLR) & CTLR_RWP == 0)
}

/// Walks the redistributors to the one with this CPU's affinity.
fn own_redistributor() -> Result<usize, &'static str> {
    let mpidr = read_register!("mpidr_el1");
    // GICR_TYPER has Aff3 to Aff0 in one word; MPIDR_EL1 has Aff3 apart.
    let own = mpidr >> 32 & 0xff << 24 | mpidr & 0xff_ffff;
    let mut frame = REDISTRIBUTORS.load(Relaxed);
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

//! A minimal driver of a GICv2 (IHI 0048) or a GICv3 (IHI 0069) with affinity routing, whichever the device tree has.
//!
//! Here the distributor and each CPU's part are initialised; [`Interrupt`] is one interrupt's configuration and state;
//! taking and ending interrupts, and sending them to other CPUs, is [`cpu`]'s. What the two architectures do differently
//! is in `v2` and `v3`.

mod cpu;
mod interrupt;
mod v2;
mod v3;

pub use cpu::*;
pub use interrupt::{Interrupt, Trigger};

use crate::machine::Machine;
use crate::mmio::{read32, read64, write32};
use crate::system_register::unmask_interrupts;
use crate::wait::spin_for;
use crate::{Verdict, read_register};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

const GICD_CTLR: usize = 0x0000;
const GICD_TYPER: usize = 0x0004;
/// Identification: GICv2's distributor has 4 KiB of registers, GICv3's 64.
const GICD_PIDR2: [usize; 2] = [0x0fe8, 0xffe8];
const GICR_TYPER: usize = 0x0008;
/// SGI_base; from there the private interrupts have their registers at the distributor's offsets.
const GICR_SGI: usize = 0x1_0000;

/// GICv3's GICD_CTLR: ARE and EnableGrp1 where there is one security state, ARE_NS and EnableGrp1A in the non-secure view.
const ARE_AND_GROUP1: u32 = 1 << 4 | 1 << 1;
/// GICv2's: the group in which interrupts are when nobody says another (as [`v2`] has it).
const ENABLE: u32 = 1;
/// Always clear in a GICv2.
const CTLR_RWP: u32 = 1 << 31;
const TYPER_VLPIS: u64 = 1 << 1;
const TYPER_LAST: u64 = 1 << 4;

/// The architecture is GICv2's.
static IS_V2: AtomicBool = AtomicBool::new(false);
static DISTRIBUTOR: AtomicUsize = AtomicUsize::new(0);
/// [`Machine::gic_cpus`].
static CPUS: AtomicUsize = AtomicUsize::new(0);

/// The architectures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V2,
    V3,
}

fn version() -> Version {
    if IS_V2.load(Relaxed) { Version::V2 } else { Version::V3 }
}

fn distributor() -> usize {
    DISTRIBUTOR.load(Relaxed)
}

fn cpus() -> usize {
    CPUS.load(Relaxed)
}

/// Initialises the distributor, then this CPU's part. Interrupts are taken from here on.
pub fn open(machine: &Machine) -> Verdict {
    IS_V2.store(machine.gic_version == 2, Relaxed);
    DISTRIBUTOR.store(machine.distributor, Relaxed);
    CPUS.store(machine.gic_cpus, Relaxed);
    let enabled = match version() {
        Version::V2 => ENABLE,
        Version::V3 => ARE_AND_GROUP1,
    };
    for control in [0, enabled] {
        write32(machine.distributor + GICD_CTLR, control);
        settle()?;
    }
    open_cpu()
}

/// Enables this CPU's SGIs and lets interrupts through.
pub fn open_cpu() -> Verdict {
    if version() == Version::V3 {
        v3::wake()?;
    }
    for intid in 0..16 {
        Interrupt(intid).enable()?;
    }
    match version() {
        Version::V2 => v2::open_cpu(),
        Version::V3 => v3::open_cpu(),
    }
    unmask_interrupts();
    Ok(())
}

/// Number of INTIDs below the special ones, by GICD_TYPER.ITLinesNumber.
pub fn interrupts() -> u32 {
    (32 * ((read32(distributor() + GICD_TYPER) & 0x1f) + 1)).min(SPECIAL)
}

/// Whether there are LPIs (GICv3's GICD_TYPER.LPIS).
pub fn has_lpis() -> bool {
    version() == Version::V3 && read32(distributor() + GICD_TYPER) & 1 << 17 != 0
}

/// GICD_PIDR2.ArchRev: the architecture by the GIC's own account.
pub fn architecture() -> u32 {
    read32(distributor() + GICD_PIDR2[version() as usize]) >> 4 & 0xf
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
    let mut frame = cpus();
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

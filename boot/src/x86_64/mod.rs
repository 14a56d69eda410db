//! x86_64: entry by PVH and by multiboot2, other CPUs, the boot protocol's memory map and ACPI's tables.

mod acpi;
#[cfg(target_os = "none")]
pub mod controller;
mod fitness;
#[cfg(target_os = "none")]
mod hand_over;
mod hardware;
#[cfg(target_os = "none")]
pub mod head;
mod map;
mod multiboot2;
mod physical;
mod pvh;
#[cfg(test)]
mod tests;

pub use fitness::{Misfit, fits, installed_bytes};
#[cfg(target_os = "none")]
pub use hand_over::{Refusal, begin, refusal};
pub use hardware::{Facts, Fault, Hardware, Note, Uart};

use acpi::Rsdp;
use model::PAGE_BYTES;
use physical::Physical;

use crate::facts::Region;

/// How a boot loader started us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Xen's PVH.
    Pvh,
    /// Multiboot2.
    Multiboot2,
}

/// COM1, which a PC has if nothing is said of its console.
const COM1: Uart = Uart { port: 0x3f8, line: None };
/// COM1's interrupt on ISA.
const COM1_IRQ: usize = 4;

/// Reads what a boot loader left at `info`, and ACPI's tables.
pub fn read(memory: &impl Physical, protocol: Protocol, info: u64) -> Result<Facts, Fault> {
    let mut facts = Facts::default();
    let told = match protocol {
        Protocol::Pvh => {
            Some(pvh::read(&mut facts, memory, info)?).filter(|&at| at != 0).and_then(|at| Rsdp::at(memory, at))
        }
        Protocol::Multiboot2 => multiboot2::read(&mut facts, memory, info)?,
    };
    map::keep_low(&mut facts)?;
    let rsdp = told.or_else(|| Rsdp::search(memory)).ok_or(Fault::Missing("RSDP, and so no ACPI"))?;
    acpi::read(&mut facts, memory, rsdp)?;
    if facts.hardware.console.is_none() {
        let line = facts.hardware.board.controller.isa.get(COM1_IRQ).map(|isa| isa.line);
        facts.hardware.console = Some(Uart { line, ..COM1 });
    }
    let pages = facts.hardware.board.pages().map(|start| Region { start, size_bytes: PAGE_BYTES });
    facts.hardware.regions = pages.collect();
    Ok(facts)
}

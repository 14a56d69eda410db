//! ACPI's tables: how a PC's guest is told of its machine (ACPI 6.5, chapter 5).
//!
//! ```text
//! RSDP ─▶ XSDT ─┬─▶ FADT ─┬─▶ FACS   a page that the guest writes to
//!               │         └─▶ DSDT   what is neither memory nor on PCI
//!               ├─▶ MADT             CPUs and interrupt controllers
//!               ├─▶ HPET
//!               └─▶ what `acpi load` names
//! ```
//! They lie in RAM, in pages that the memory map calls by their kinds. The RSDP is where programs look for it that are not told,
//! below 1 MiB, if there is memory.

mod dsdt;
mod fixed;
#[cfg(test)]
mod tests;
mod user;

use acpi_tables::Aml;
use acpi_tables::rsdp::Rsdp;
use acpi_tables::xsdt::XSDT;
use model::{Gpa, PAGE_BYTES, Pc};

use super::map::{Entry, Kind};
use super::{BELOW_4G, Blob, RSDP_AREA, acpi_loads};
use crate::assemble::claims::Range;
use crate::assemble::floor::Floor;
use crate::assemble::passing::Told;
use crate::assemble::{Table, Vdev, home};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{Span, VmSpec};

pub(super) use user::user_tables;

/// Who made the tables.
const OEM: [u8; 6] = *b"OSTLER";
const OEM_TABLE: [u8; 8] = *b"OSTLERVM";
const OEM_REVISION: u32 = 1;
/// The FACS is at a multiple of this (5.2.10), and so are all others.
const ALIGNMENT: u64 = 64;

/// What the tables tell of.
pub(super) struct Facts<'a> {
    pub(super) machine: &'a Pc,
    pub(super) vcpus: u32,
    pub(super) vdevs: &'a [Vdev],
    /// Devices of the board that are the guest's own.
    pub(super) passed: &'a [Told],
    /// Addresses for devices of the PCI bus.
    pub(super) window: Option<Range>,
    /// What `acpi load` names, with the address of those that have one.
    pub(super) extra: Vec<UserTable>,
}

/// A table of the user's.
pub(super) struct UserTable {
    pub(super) name: String,
    pub(super) address: Option<u64>,
    pub(super) bytes: Vec<u8>,
    pub(super) span: Span,
}

/// The tables in their places.
pub(super) struct Placed {
    pub(super) tables: Vec<Table>,
    pub(super) blobs: Vec<Blob>,
    /// Where they are, for the memory map.
    pub(super) areas: Vec<Entry>,
    /// Where the RSDP is, and what is in it.
    pub(super) rsdp: u64,
    pub(super) rsdp_bytes: Vec<u8>,
}

/// Makes and places the tables. Reports if there is no room.
pub(super) fn place(facts: &Facts, spec: &VmSpec, floor: &mut Floor, diagnostics: &mut Diagnostics) -> Option<Placed> {
    let mut areas = Vec::new();
    for table in &facts.extra {
        let Some(address) = table.address else { continue };
        let range = Range::new(address, table.bytes.len() as u64)?;
        floor.take(range, &format!("`{}`", table.name), table.span, diagnostics).then_some(())?;
        areas.push(area(pages(range), Kind::Acpi));
    }
    // How long they are does not depend on where they are.
    let size = made(facts, 0, 0).last().map_or(0, end).next_multiple_of(PAGE_BYTES);
    let whole = PAGE_BYTES + size;
    let Some(start) = floor
        .find_aligned(whole, super::boot::FIRST_CHOICE, PAGE_BYTES)
        .or_else(|| floor.find_aligned(whole, BELOW_4G, PAGE_BYTES))
    else {
        let message =
            format!("there is no room for the ACPI tables: they take {whole:#x} bytes of free RAM in one piece");
        diagnostics.push(Diagnostic::error(codes::NO_ROOM, message).at(home(spec)).hint(floor.describe()));
        return None;
    };
    floor.take(Range::new(start, whole)?, "the ACPI tables", home(spec), diagnostics).then_some(())?;
    let first = start + PAGE_BYTES;
    areas.push(area(Range::new(start, PAGE_BYTES)?, Kind::AcpiNvs));
    areas.push(area(Range::new(first, size)?, Kind::Acpi));

    let mut tables = made(facts, start, first);
    let rsdp_bytes = aml(&Rsdp::new(OEM, tables.iter().find(|table| table.name == "xsdt")?.gpa.0));
    let mut blobs = vec![blob(start, &tables)];
    blobs.extend(
        facts
            .extra
            .iter()
            .filter_map(|table| Some(Blob { start: table.address?, bytes: table.bytes.clone(), seeds: Vec::new() })),
    );
    tables.extend(facts.extra.iter().filter_map(|table| {
        let gpa = Gpa(table.address?);
        Some(Table { name: table.name.clone(), gpa, bytes: table.bytes.clone() })
    }));
    // Behind the tables is room for it, if there is none below 1 MiB.
    let rsdp = match floor.find_memory(rsdp_bytes.len() as u64, RSDP_AREA, 16) {
        Some(rsdp) => {
            let range = Range::new(rsdp, rsdp_bytes.len() as u64)?;
            floor.take(range, "the RSDP", home(spec), diagnostics).then_some(())?;
            blobs.push(Blob { start: rsdp, bytes: rsdp_bytes.clone(), seeds: Vec::new() });
            if floor.is_ram(range) {
                areas.push(area(pages(range), Kind::Acpi));
            }
            rsdp
        }
        None => {
            // The page of the FACS has room behind it.
            let rsdp = start + PAGE_BYTES / 2;
            blobs.push(Blob { start: rsdp, bytes: rsdp_bytes.clone(), seeds: Vec::new() });
            rsdp
        }
    };
    tables.push(Table { name: "rsdp".into(), gpa: Gpa(rsdp), bytes: rsdp_bytes.clone() });
    Some(Placed { tables, blobs, areas, rsdp, rsdp_bytes })
}

/// The tables from `facs` and `first` on, each at a multiple of [`ALIGNMENT`].
fn made(facts: &Facts, facs: u64, first: u64) -> Vec<Table> {
    let mut tables = vec![Table { name: "facs".into(), gpa: Gpa(facs), bytes: fixed::facs() }];
    let mut next = first;
    let mut listed: Vec<u64> = facts.extra.iter().filter_map(|table| table.address).collect();
    let mut put = |name: &str, bytes: Vec<u8>| {
        let gpa = Gpa(next);
        next = (next + bytes.len() as u64).next_multiple_of(ALIGNMENT);
        tables.push(Table { name: name.to_owned(), gpa, bytes });
        gpa.0
    };
    let dsdt = put("dsdt", dsdt::table(facts));
    listed.push(put("facp", fixed::fadt(facts, facs, dsdt)));
    listed.push(put("apic", fixed::madt(facts)));
    listed.extend(fixed::hpet(facts).map(|hpet| put("hpet", hpet)));
    for table in facts.extra.iter().filter(|table| table.address.is_none()) {
        listed.push(put(&table.name, table.bytes.clone()));
    }
    let mut xsdt = XSDT::new(OEM, OEM_TABLE, OEM_REVISION);
    listed.into_iter().for_each(|table| xsdt.add_entry(table));
    put("xsdt", aml(&xsdt));
    tables
}

/// The tables of one piece of memory as one blob.
fn blob(start: u64, tables: &[Table]) -> Blob {
    let end = tables.iter().map(end).max().unwrap_or(start);
    let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
    for table in tables {
        let at = usize::try_from(table.gpa.0 - start).unwrap_or(0);
        bytes[at..at + table.bytes.len()].copy_from_slice(&table.bytes);
    }
    Blob { start, bytes, seeds: Vec::new() }
}

fn end(table: &Table) -> u64 {
    table.gpa.0 + table.bytes.len() as u64
}

/// The pages that `range` is in.
fn pages(range: Range) -> Range {
    Range { start: range.start / PAGE_BYTES * PAGE_BYTES, end: range.end.next_multiple_of(PAGE_BYTES) }
}

fn area(range: Range, kind: Kind) -> Entry {
    Entry { range, kind }
}

fn aml(table: &dyn Aml) -> Vec<u8> {
    let mut bytes = Vec::new();
    table.to_aml_bytes(&mut bytes);
    bytes
}

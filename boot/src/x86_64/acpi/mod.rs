//! ACPI's tables, read in one pass and boiled down to what Ostler uses: CPUs, interrupt controllers, power, a clock, the console.
//!
//! Firmware is trusted, its bytes are not: everything is bounded, and a table that ends early gives an error that names it. A
//! wrong checksum is noted, and the table used all the same, as other operating systems do: it is most often the checksum that
//! is wrong. The DSDT's bytecode is not interpreted; one package of constants is looked for in it ([`s5`]).
//!
//! Section numbers are those of the ACPI Specification 6.4.

mod fadt;
mod madt;
mod s5;
mod spcr;

use super::hardware::{Facts, Fault};
use super::physical::{Physical, u8_at, u32_at, u64_at};

/// A table's header (5.2.6).
const HEADER_BYTES: u64 = 36;
/// Most bytes of a table: no DSDT is larger.
const MAX_TABLE_BYTES: u64 = 4 << 20;
/// Most tables that are looked at.
const MAX_TABLES: usize = 256;

/// The root system description pointer (5.2.5.3): where the list of tables is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rsdp {
    /// ACPI 1.0: the RSDT, of 32-bit addresses.
    Old(u64),
    /// The XSDT, of 64-bit addresses.
    Extended(u64),
}

impl Rsdp {
    /// The RSDP that `bytes` begin with, if they do.
    pub(super) fn of(bytes: &[u8]) -> Option<Rsdp> {
        let first = bytes.get(..20).filter(|first| first.starts_with(b"RSD PTR ") && sum(first) == 0)?;
        let old = Rsdp::Old(u64::from(u32_at(first, 16)?));
        if u8_at(first, 15)? < 2 {
            return Some(old);
        }
        let extended = bytes.get(..36).filter(|all| sum(all) == 0).and_then(|all| u64_at(all, 24));
        Some(extended.filter(|&xsdt| xsdt != 0).map_or(old, Rsdp::Extended))
    }

    /// The RSDP at `at`.
    pub(super) fn at(memory: &impl Physical, at: u64) -> Option<Rsdp> {
        memory.bytes(at, 36).or_else(|| memory.bytes(at, 20)).and_then(Rsdp::of)
    }

    /// Looks where a BIOS has it (5.2.5.1): in the first KiB of its extended data, or below 1 MiB.
    pub(super) fn search(memory: &impl Physical) -> Option<Rsdp> {
        let extended = memory.bytes(0x40e, 2).and_then(|word| super::physical::u16_at(word, 0));
        let extended = extended.map(|segment| u64::from(segment) << 4).filter(|&at| at >= 0x400);
        let areas = extended.map(|at| (at, 1024)).into_iter().chain([(0xe_0000, 0x2_0000)]);
        areas.into_iter().find_map(|(start, size)| {
            let area = memory.bytes(start, size)?;
            (0..area.len()).step_by(16).find_map(|offset| area.get(offset..).and_then(Rsdp::of))
        })
    }

    /// Whether it is ACPI 2.0's or later.
    pub(super) fn is_extended(self) -> bool {
        matches!(self, Rsdp::Extended(_))
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// The table at `at`, header and all; `None` if it is out of reach or its length makes no sense.
fn table(memory: &impl Physical, at: u64) -> Option<&[u8]> {
    let length = u64::from(u32_at(memory.bytes(at, HEADER_BYTES)?, 4)?);
    (HEADER_BYTES..=MAX_TABLE_BYTES).contains(&length).then(|| memory.bytes(at, length))?
}

/// Reads the tables that `rsdp` leads to.
pub(super) fn read(facts: &mut Facts, memory: &impl Physical, rsdp: Rsdp) -> Result<(), Fault> {
    let (name, at, entry_bytes) = match rsdp {
        Rsdp::Old(at) => ("RSDT", at, 4),
        Rsdp::Extended(at) => ("XSDT", at, 8),
    };
    let root = table(memory, at).filter(|root| root.starts_with(name.as_bytes())).ok_or(Fault::Missing(name))?;
    let entries = || {
        let all = root.get(HEADER_BYTES as usize..).unwrap_or_default();
        (0..MAX_TABLES)
            .map_while(move |index| super::physical::number(all, index.checked_mul(entry_bytes)?, entry_bytes))
    };
    let mut unreachable = false;
    let mut find = |facts: &mut Facts, name: &'static str| {
        let found = entries().find_map(|at| {
            let found = table(memory, at);
            unreachable |= found.is_none();
            found.filter(|table| table.starts_with(name.as_bytes()))
        });
        if found.is_some_and(|table| sum(table) != 0) {
            facts.note(label(name), "its checksum is wrong");
        }
        found
    };
    let madt = find(facts, "APIC").ok_or(Fault::Missing("MADT"))?;
    madt::read(facts, madt)?;
    match find(facts, "FACP") {
        Some(fadt) => {
            let dsdt = fadt::read(facts, fadt).and_then(|at| table(memory, at));
            // `\_S5` is a name of the DSDT's on all boards that were looked at; a secondary table may have it too.
            let secondary = || entries().filter_map(|at| table(memory, at)).filter(|table| table.starts_with(b"SSDT"));
            facts.hardware.board.power.soft_off = dsdt.into_iter().chain(secondary()).find_map(s5::find);
            if facts.hardware.board.power.soft_off.is_none() {
                facts.note("DSDT", "it has no \\_S5 that is a package of numbers: the board can't be powered off");
            }
        }
        None => facts.note("FADT", "there is none: the board can't be powered off"),
    }
    if let Some(table) = find(facts, "SPCR") {
        spcr::read(facts, table);
    }
    if unreachable {
        facts.note(name, "some of its tables are out of reach, not used");
    }
    Ok(())
}

/// What people call a table.
fn label(signature: &'static str) -> &'static str {
    match signature {
        "APIC" => "MADT",
        "FACP" => "FADT",
        other => other,
    }
}

/// A generic address structure's port (5.2.3.2), if it names one.
fn port(bytes: &[u8], offset: usize) -> Option<u16> {
    const SYSTEM_IO: u8 = 1;
    let address = u64_at(bytes, offset.checked_add(4)?)?;
    (u8_at(bytes, offset)? == SYSTEM_IO && address != 0).then(|| u16::try_from(address).ok())?
}

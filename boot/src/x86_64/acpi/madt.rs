//! The MADT (5.2.12): CPUs and interrupt controllers.

use arch_x86_64::board::{IoApic, Isa, NmiPin};
use model::Hpa;

use super::super::hardware::{Facts, Fault};
use super::super::physical::{u8_at, u16_at, u32_at, u64_at};

/// Flags of a CPU: it can be used. One that is only online-capable can be plugged in.
const ENABLED: u32 = 1 << 0;
/// ISA, the only bus whose interrupts can be overridden.
const ISA: u8 = 0;

pub(super) fn read(facts: &mut Facts, madt: &[u8]) -> Result<(), Fault> {
    const TRUNCATED: Fault = Fault::Truncated("MADT");
    facts.hardware.board.controller.local_apic = Hpa(u64::from(u32_at(madt, 36).ok_or(TRUNCATED)?));
    let mut rest = madt.get(44..).ok_or(TRUNCATED)?;
    while let Some(length) = u8_at(rest, 1) {
        let entry = rest.get(..usize::from(length)).filter(|entry| entry.len() >= 2).ok_or(TRUNCATED)?;
        rest = rest.get(entry.len()..).unwrap_or_default();
        // An entry that is shorter than its type needs is as if it were not there.
        if one(facts, entry)?.is_none() {
            facts.note("MADT", "an entry is too short, not used");
        }
    }
    Ok(())
}

/// One entry; `None` if it is too short.
fn one(facts: &mut Facts, entry: &[u8]) -> Result<Option<()>, Fault> {
    let read = || -> Option<Entry> {
        Some(match u8_at(entry, 0)? {
            0 => Entry::Cpu { id: u64::from(u8_at(entry, 3)?), flags: u32_at(entry, 4)? },
            1 => Entry::IoApic(IoApic { registers: Hpa(u64::from(u32_at(entry, 4)?)), first_line: u32_at(entry, 8)? }),
            2 => Entry::Override { bus: u8_at(entry, 2)?, source: u8_at(entry, 3)?, isa: isa(entry)? },
            4 => Entry::Nmi(nmi(u16_at(entry, 3)?, u8_at(entry, 5)?)),
            5 => Entry::LocalApic(Hpa(u64_at(entry, 4)?)),
            9 => Entry::Cpu { id: u64::from(u32_at(entry, 4)?), flags: u32_at(entry, 8)? },
            10 => Entry::Nmi(nmi(u16_at(entry, 2)?, u8_at(entry, 8)?)),
            _ => Entry::Other,
        })
    };
    let Some(entry) = read() else { return Ok(None) };
    let controller = &mut facts.hardware.board.controller;
    match entry {
        // Both kinds of entries may name one CPU (5.2.12.12).
        Entry::Cpu { id, flags } if flags & ENABLED != 0 && !facts.cpus.contains(&id) => {
            facts.cpus.try_push(id).map_err(|_| Fault::TooMany("CPUs"))?;
        }
        Entry::IoApic(io_apic) => {
            controller.io_apics.try_push(io_apic).map_err(|_| Fault::TooMany("I/O APICs"))?;
        }
        Entry::Override { bus: ISA, source, isa } => match controller.isa.get_mut(usize::from(source)) {
            Some(place) => *place = isa,
            None => facts.note("MADT", "it overrides an interrupt that ISA has not, not used"),
        },
        // An entry for each CPU, or one for all: only the boot CPU listens, and pins are the same everywhere (5.2.12.7).
        Entry::Nmi(pin) => controller.nmi = Some(pin),
        Entry::LocalApic(page) => controller.local_apic = page,
        Entry::Cpu { .. } | Entry::Override { .. } | Entry::Other => {}
    }
    Ok(Some(()))
}

enum Entry {
    Cpu { id: u64, flags: u32 },
    IoApic(IoApic),
    Override { bus: u8, source: u8, isa: Isa },
    LocalApic(Hpa),
    Nmi(NmiPin),
    Other,
}

/// An interrupt source override's target and flags (5.2.12.5): polarity and trigger as the bus has them unless said otherwise.
fn isa(entry: &[u8]) -> Option<Isa> {
    let flags = u16_at(entry, 8)?;
    Some(Isa { line: u32_at(entry, 4)?, is_level: (flags >> 2) & 0b11 == 0b11, is_low: flags & 0b11 == 0b11 })
}

/// A local APIC's NMI: its flags, of which the trigger does not count for an NMI (SDM volume 3, 11.5.1), and the pin's number.
fn nmi(flags: u16, pin: u8) -> NmiPin {
    NmiPin { is_second: pin == 1, is_low: flags & 0b11 == 0b11 }
}

//! A guest's nested tables: guest-physical addresses to the board's (APM volume 2, 15.25).
//!
//! They are walked as if every access were a user's (15.25.5), by the host's PAT and EFER.NXE.

use model::MemoryType;

use super::{
    ACCESSED, ADDRESS, DIRTY, Format, LARGE, Level, NO_EXECUTE, PRESENT, Rights, Stage, Stage2Attributes, WRITABLE,
};

/// Accesses by privilege level 3: all of a guest's count as such.
const USER: u64 = 1 << 2;
/// PCD: entry 2 of the PAT out of reset, uncached unless the guest asks for write-combining (APM volume 2, 7.8.2, 15.25.8).
const UNCACHED: u64 = 1 << 4;
/// PCD and PWT: entry 3, uncacheable whatever the guest says.
const DEVICE: u64 = 1 << 4 | 1 << 3;

/// The second stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage2;

impl Stage for Stage2 {
    type Attributes = Stage2Attributes;
    const ATTRIBUTES: &'static [Stage2Attributes] = Stage2Attributes::ALL;
    const ROOT_LEVEL: Level = Level::L0;
    const MAX_BITS: u32 = 48;
    const FORMAT: Format = Format {
        table: PRESENT | WRITABLE | USER | ACCESSED,
        block: PRESENT | LARGE,
        page: PRESENT,
        kind: PRESENT | LARGE,
        // In the lowest level bit 7 is the PAT's.
        page_kind: PRESENT,
        address: ADDRESS,
    };

    fn leaf(attributes: Stage2Attributes) -> u64 {
        let kind = match attributes.kind {
            MemoryType::Cached => 0,
            MemoryType::Uncached => UNCACHED,
            MemoryType::Device => DEVICE,
        };
        let write = if attributes.write { WRITABLE | DIRTY } else { 0 };
        let execute = if attributes.execute { 0 } else { NO_EXECUTE };
        USER | ACCESSED | kind | write | execute
    }

    fn rights(descriptor: u64) -> Rights {
        Rights {
            read: descriptor & USER != 0,
            write: descriptor & WRITABLE != 0,
            execute: descriptor & NO_EXECUTE == 0,
            is_device: descriptor & DEVICE == DEVICE,
        }
    }
}

/// Bits of guest-physical addresses on a CPU whose physical ones have `physical_bits`: as many as the tables have. (APM volume 2,
/// 15.25.5: the nested walk is the host's mode of paging, four levels.)
pub const fn gpa_bits(physical_bits: u32) -> u32 {
    if physical_bits > 48 { 48 } else { physical_bits }
}

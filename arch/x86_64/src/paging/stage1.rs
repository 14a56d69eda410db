//! The hypervisor's own tables: four levels, W^X, for the most privileged level only.
//!
//! CR0.WP and EFER.NXE are set from the start (`boot`), so that the bits mean what they say.

use super::{
    ACCESSED, ADDRESS, DIRTY, Format, LARGE, Level, NO_EXECUTE, PRESENT, Rights, Stage, Stage1Attributes, WRITABLE,
};

/// PWT and PCD: entry 3 of the PAT out of reset, which nobody here changes before tables are in use: uncacheable (APM volume 2,
/// 7.8.2).
const UNCACHEABLE: u64 = 1 << 3 | 1 << 4;

/// The translation of the hypervisor's own addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage1;

impl Stage for Stage1 {
    type Attributes = Stage1Attributes;
    const ATTRIBUTES: &'static [Stage1Attributes] =
        &[Stage1Attributes::Text, Stage1Attributes::ReadOnly, Stage1Attributes::ReadWrite, Stage1Attributes::Device];
    const ROOT_LEVEL: Level = Level::L0;
    const MAX_BITS: u32 = 48;
    const FORMAT: Format = Format {
        table: PRESENT | WRITABLE | ACCESSED,
        block: PRESENT | LARGE,
        page: PRESENT,
        kind: PRESENT | LARGE,
        // In the lowest level bit 7 is the PAT's.
        page_kind: PRESENT,
        address: ADDRESS,
    };

    fn leaf(attributes: Stage1Attributes) -> u64 {
        match attributes {
            Stage1Attributes::Text => ACCESSED,
            Stage1Attributes::ReadOnly => ACCESSED | NO_EXECUTE,
            Stage1Attributes::ReadWrite => ACCESSED | DIRTY | WRITABLE | NO_EXECUTE,
            Stage1Attributes::Device => ACCESSED | DIRTY | WRITABLE | NO_EXECUTE | UNCACHEABLE,
        }
    }

    fn rights(descriptor: u64) -> Rights {
        Rights {
            read: true,
            write: descriptor & WRITABLE != 0,
            execute: descriptor & NO_EXECUTE == 0,
            is_device: descriptor & UNCACHEABLE == UNCACHEABLE,
        }
    }
}

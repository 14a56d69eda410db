//! EL2's own stage 1: 48-bit addresses, four levels, W^X.
//!
//! EL2 without VHE has one range of addresses, TTBR0_EL2, and one privilege level (DDI 0487 D8.4, "EL2 translation
//! regime"): AP[1] is RES1 and XN is one bit.

use super::{FORMAT, Format, Level, Rights, Stage, Stage1Attributes};

/// Index of Device-nGnRE in [`MAIR_EL2`].
pub const MAIR_DEVICE: u64 = 0;
/// Index of Normal write-back in [`MAIR_EL2`].
pub const MAIR_NORMAL: u64 = 1;
/// The value of MAIR_EL2 that the attributes' indices refer to (DDI 0487 D24.2, MAIR_EL2): Device-nGnRE is 0x04;
/// Normal, inner and outer write-back non-transient, allocating on reads and writes, is 0xff.
pub const MAIR_EL2: u64 = (0x04 << (8 * MAIR_DEVICE)) | (0xff << (8 * MAIR_NORMAL));

/// The translation regime of EL2 itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage1;

// DDI 0487 D8.3.2, attribute fields in stage 1 descriptors.
const fn index(mair: u64) -> u64 {
    mair << 2
}
/// AP[1], bit 6: RES1 where there is one privilege level.
const AP_RES1: u64 = 1 << 6;
/// AP[2], bit 7: no writes.
const AP_READ_ONLY: u64 = 1 << 7;
/// SH, bits 9:8: inner shareable, the domain that all CPUs are in. Ignored for Device memory.
const INNER_SHAREABLE: u64 = 0b11 << 8;
/// AF, bit 10: set, or the first access faults.
const ACCESSED: u64 = 1 << 10;
/// XN, bit 54: never execute.
const EXECUTE_NEVER: u64 = 1 << 54;

impl Stage for Stage1 {
    type Attributes = Stage1Attributes;
    const ATTRIBUTES: &'static [Stage1Attributes] =
        &[Stage1Attributes::Text, Stage1Attributes::ReadOnly, Stage1Attributes::ReadWrite, Stage1Attributes::Device];
    const ROOT_LEVEL: Level = Level::L0;
    const MAX_BITS: u32 = 48;
    const FORMAT: Format = FORMAT;

    fn leaf(attributes: Stage1Attributes) -> u64 {
        let normal = index(MAIR_NORMAL) | INNER_SHAREABLE | AP_RES1 | ACCESSED;
        match attributes {
            Stage1Attributes::Text => normal | AP_READ_ONLY,
            Stage1Attributes::ReadOnly => normal | AP_READ_ONLY | EXECUTE_NEVER,
            Stage1Attributes::ReadWrite => normal | EXECUTE_NEVER,
            Stage1Attributes::Device => index(MAIR_DEVICE) | AP_RES1 | ACCESSED | EXECUTE_NEVER,
        }
    }

    fn rights(descriptor: u64) -> Rights {
        Rights {
            read: true,
            write: descriptor & AP_READ_ONLY == 0,
            execute: descriptor & EXECUTE_NEVER == 0,
            // The attributes that MAIR_EL2 does not define are zero there: Device-nGnRnE.
            is_device: descriptor & index(0b111) != index(MAIR_NORMAL),
        }
    }
}

/// TCR_EL2 for these tables, HCR_EL2.E2H = 0 (DDI 0487 D24.2, TCR_EL2). `pa_range` is ID_AA64MMFR0_EL1.PARange.
pub const fn tcr_el2(pa_range: u8) -> u64 {
    (1 << 31) | (1 << 23) // RES1
        | (super::stage2::physical_size(pa_range) << 16) // PS
        // TG0 = 0, 4 KiB.
        | (0b11 << 12) // SH0: table walks are inner shareable,
        | (0b01 << 10) // ORGN0: write-back,
        | (0b01 << 8) // IRGN0: write-back.
        | 64u64.wrapping_sub(Stage1::MAX_BITS as u64) // T0SZ
}

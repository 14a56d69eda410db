//! A guest's stage 2: at most 40-bit guest-physical addresses, the walk starting at level 1.
//!
//! 40 bits take two concatenated tables at level 1 (DDI 0487 D8.2.10), which saves a level of every walk. 40 bits is
//! also what every guest can live with: it is the size that AArch32 guests with LPAE and small cores have.

use model::MemoryType;

use super::{FORMAT, Format, Level, Rights, Stage, Stage2Attributes};

/// Most bits of guest-physical address that a VM gets.
pub const MAX_IPA_BITS: u32 = 40;

/// The second stage of the EL1&0 translation regime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage2;

// DDI 0487 D8.3.2, attribute fields in stage 2 descriptors (HCR_EL2.FWB = 0).
/// MemAttr, bits 5:2: Normal, outer and inner write-back. The guest's own stage 1 can only make it weaker.
const NORMAL: u64 = 0b1111 << 2;
/// MemAttr: Normal, outer and inner non-cacheable.
const NON_CACHEABLE: u64 = 0b0101 << 2;
/// MemAttr: Device-nGnRE.
const DEVICE: u64 = 0b0001 << 2;
/// S2AP, bits 7:6.
const READ: u64 = 0b01 << 6;
const READ_WRITE: u64 = 0b11 << 6;
/// SH, bits 9:8: inner shareable, the domain that all CPUs are in. Ignored for Device and non-cacheable memory.
const INNER_SHAREABLE: u64 = 0b11 << 8;
/// AF, bit 10: set, or the first access faults.
const ACCESSED: u64 = 1 << 10;
/// XN, bit 54 (XN[1:0] = 0b10 with FEAT_XNX): execute at neither EL1 nor EL0.
const EXECUTE_NEVER: u64 = 1 << 54;

impl Stage for Stage2 {
    type Attributes = Stage2Attributes;
    const ATTRIBUTES: &'static [Stage2Attributes] = Stage2Attributes::ALL;
    const ROOT_LEVEL: Level = Level::L1;
    const MAX_BITS: u32 = MAX_IPA_BITS;
    const FORMAT: Format = FORMAT;

    fn leaf(attributes: Stage2Attributes) -> u64 {
        let kind = match attributes.kind {
            MemoryType::Cached => NORMAL | INNER_SHAREABLE,
            MemoryType::Uncached => NON_CACHEABLE | INNER_SHAREABLE,
            MemoryType::Device => DEVICE,
        };
        let access = if attributes.write { READ_WRITE } else { READ };
        let execute = if attributes.execute { 0 } else { EXECUTE_NEVER };
        kind | access | execute | ACCESSED
    }

    fn rights(descriptor: u64) -> Rights {
        Rights {
            read: descriptor & READ != 0,
            write: descriptor & READ_WRITE & !READ != 0,
            // With FEAT_XNX the other values of XN[1:0] let EL1, EL0 or both execute.
            execute: descriptor & (0b11 << 53) != EXECUTE_NEVER,
            // MemAttr[3:2] is zero for all of them.
            is_device: descriptor & (0b1100 << 2) == 0,
        }
    }
}

/// Bits of guest-physical address on a CPU with this ID_AA64MMFR0_EL1.PARange: 40, or as few as the CPU has, since an
/// IPA size above the implemented PA size is not allowed (DDI 0487 D8.2.10). For CPUs that differ, take the smallest.
pub const fn ipa_bits(pa_range: u8) -> u32 {
    match pa_range {
        0 => 32,
        1 => 36,
        _ => MAX_IPA_BITS,
    }
}

/// VTCR_EL2 for these tables (DDI 0487 D24.2, VTCR_EL2), 8-bit VMIDs. `pa_range` is ID_AA64MMFR0_EL1.PARange.
pub const fn vtcr_el2(pa_range: u8) -> u64 {
    (1 << 31) // RES1
        // VS = 0: VMIDs of 8 bits, which every CPU has.
        | (physical_size(pa_range) << 16) // PS
        // TG0 = 0, 4 KiB.
        | (0b11 << 12) // SH0: table walks are inner shareable,
        | (0b01 << 10) // ORGN0: write-back,
        | (0b01 << 8) // IRGN0: write-back.
        | (0b01 << 6) // SL0: start at level 1
        | 64u64.wrapping_sub(ipa_bits(pa_range) as u64) // T0SZ
}

/// The PS field for a PARange: the same code, but 52 bits (0b0110) would need another descriptor format.
pub(super) const fn physical_size(pa_range: u8) -> u64 {
    if pa_range > 0b0101 { 0b101 } else { pa_range as u64 }
}

//! arm64's translation tables: EL2's own stage 1 and a guest's stage 2, over the walker that both CPUs share.
//!
//! The format is VMSAv8-64 with the 4 KiB granule and 48-bit output addresses (Arm ARM DDI 0487, D8.3 "Translation table descriptor
//! formats"). The caller owes one `dsb ishst; isb` between the last [`Table::map`] and the first use.

mod stage1;
mod stage2;
#[cfg(test)]
mod tests;

pub use arch_common::paging::*;
pub use stage1::{MAIR_DEVICE, MAIR_EL2, MAIR_NORMAL, Stage1, tcr_el2};
pub use stage2::{MAX_IPA_BITS, Stage2, ipa_bits, vtcr_el2};

/// D8.3.1: bits `[1:0]` are the type, bits `[47:12]` the address.
const FORMAT: Format =
    Format { table: 0b11, block: 0b01, page: 0b11, kind: 0b11, page_kind: 0b11, address: 0x0000_ffff_ffff_f000 };

//! vCPUs are cores of one thread each in one package; the number of a vCPU is its APIC's.

use super::{BASIC, EXTENDED, Words, masks};

/// Bits of an APIC's number in the package: room for `vcpus` of them.
const fn core_bits(vcpus: u32) -> u32 {
    u32::BITS.wrapping_sub(vcpus.wrapping_sub(1).leading_zeros())
}

/// Puts it into the leaves that are the same for all vCPUs.
pub(super) fn tell(basic: &mut [Words; BASIC], extended: &mut [Words; EXTENDED], vcpus: u32) {
    if let Some([_, ebx, _, edx]) = basic.get_mut(1)
        && vcpus > 1
    {
        *ebx |= vcpus.min(255) << 16;
        *edx |= masks::HTT;
    }
    if let Some([_, _, ecx, _]) = extended.get_mut(1)
        && vcpus > 1
    {
        *ecx |= masks::CMP_LEGACY;
    }
    // Cores less one, and the bits of the APIC's number that tell them apart.
    if let Some([_, _, ecx, _]) = extended.get_mut(8) {
        *ecx = vcpus.wrapping_sub(1) | core_bits(vcpus) << 12;
    }
}

/// Leaf 0xb: threads of a core, then cores of the package (SDM volume 3, 9.9.3.1).
pub(super) const fn level(subleaf: u32, index: u32, vcpus: u32) -> Words {
    match subleaf {
        0 => [0, 1, 1 << 8, index],
        1 => [core_bits(vcpus), vcpus, 2 << 8 | 1, index],
        _ => [0, 0, subleaf & 0xff, index],
    }
}

/// Leaf 0x8000_001e: APIC, core with one thread, one node.
pub(super) const fn identifiers(index: u32) -> Words {
    [index, index & 0xff, 0, 0]
}

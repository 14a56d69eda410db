//! List registers of a GICv2 (GICH_LR<n>, IHI 0048 section 5.3) in the terms of a GICv3's, in which the rest of the virtual
//! GIC thinks ([`super::lr`]).
//!
//! Each has the same fields at other places. The lower ten bits of a GICv3's pINTID are a GICv2's PhysicalID, and with them
//! goes what an interrupt without hardware has there: the EOI bit, and CPUID, the sender of a GICv2's SGI.

/// A field: width in bits, lowest bit in ICH_LR<n>_EL2, lowest bit in GICH_LR<n>.
type Field = (u32, u32, u32);

/// vINTID, pINTID, the upper five bits of the priority, State, Group, HW.
const FIELDS: [Field; 6] = [(10, 0, 0), (10, 32, 10), (5, 51, 23), (2, 62, 28), (1, 60, 30), (1, 61, 31)];

/// The ICH_LR<n>_EL2 that says what `gich_lr` says.
#[inline]
pub fn read(gich_lr: u32) -> u64 {
    FIELDS.iter().fold(0, |value, &(width, to, from)| value | part(gich_lr.into(), width, from).wrapping_shl(to))
}

/// The GICH_LR<n> that says what `ich_lr` says.
#[inline]
pub fn written(ich_lr: u64) -> u32 {
    FIELDS.iter().fold(0, |value, &(width, from, to)| value | (part(ich_lr, width, from) as u32).wrapping_shl(to))
}

const HW: u64 = 1 << 61;
const EOI: u64 = 1 << 41;
const PINTID: u64 = 0x1fff << 32;

/// Whether the guest's deactivation of the interrupt in `ich_lr` is to deactivate the physical one of the same number.
#[inline]
pub const fn is_hardware(ich_lr: u64) -> bool {
    ich_lr & HW != 0
}

/// `ich_lr`, which has hardware behind it, as one whose end is told instead.
#[inline]
pub const fn told(ich_lr: u64) -> u64 {
    ich_lr & !(HW | PINTID) | EOI
}

/// What [`told`] was made of.
#[inline]
pub const fn untold(ich_lr: u64) -> u64 {
    ich_lr & !PINTID | HW | (ich_lr & 0x3ff) << 32
}

#[inline]
const fn part(value: u64, width: u32, at: u32) -> u64 {
    value.wrapping_shr(at) & 1_u64.wrapping_shl(width).wrapping_sub(1)
}

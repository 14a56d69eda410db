//! Interrupt numbers, sets of them in words of 32, and sets of vCPUs.

use core::ops::{BitOr, BitOrAssign};

/// Interrupts in one register word and in one [`super::bank::Bank`].
pub(super) const PER_BANK: u32 = 32;
/// Words for all INTIDs: the private one and the shared ones.
pub(super) const BANKS: u32 = model::Gic::INTIDS / PER_BANK;
/// Most vCPUs in one VM: one bit each in a [`KickMask`].
pub const MAX_VCPUS: usize = 32;

/// The bit of INTID or vCPU `number` in its word.
#[inline]
pub(super) const fn bit(number: u32) -> u32 {
    1_u32.wrapping_shl(number)
}

/// The numbers of the bits set in `word`, lowest first. Costs one step for each bit that is set.
#[inline]
pub(super) fn ones(mut word: u32) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let lowest = (word != 0).then(|| word.trailing_zeros())?;
        word &= !bit(lowest);
        Some(lowest)
    })
}

/// An INTID that exists: below [`model::Gic::INTIDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IntId(u32);

impl IntId {
    pub(super) const fn new(intid: u32) -> Option<IntId> {
        if intid < model::Gic::INTIDS { Some(IntId(intid)) } else { None }
    }

    /// The interrupt of bit number `number` (below 32) in word `word`.
    #[inline]
    pub(super) const fn at(word: u32, number: u32) -> IntId {
        IntId((word % BANKS).wrapping_mul(PER_BANK) | (number % PER_BANK))
    }

    #[inline]
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    /// Index of its word: 0 for private interrupts.
    #[inline]
    pub(super) const fn word(self) -> u32 {
        self.0 / PER_BANK
    }

    /// Its bit in the word.
    #[inline]
    pub(super) const fn bit(self) -> u32 {
        bit(self.0 % PER_BANK)
    }

    /// Its number in the word.
    #[inline]
    pub(super) const fn index(self) -> u32 {
        self.0 % PER_BANK
    }

    #[inline]
    pub(super) const fn is_sgi(self) -> bool {
        self.0 < 16
    }

    #[inline]
    pub(super) const fn is_private(self) -> bool {
        self.0 < PER_BANK
    }
}

/// A set of vCPUs that have new work in their [`super::CpuInterface`]. The caller makes each of them look before
/// it runs guest code again: an IPI if it runs on another pCPU, a wake-up if it waits, nothing if it is the vCPU whose
/// exit is being handled (it looks anyway) or is off (it looks when it starts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a vCPU that is not kicked may not see its interrupt"]
pub struct KickMask(pub u32);

impl KickMask {
    /// Nobody.
    pub const NONE: KickMask = KickMask(0);

    /// One vCPU.
    #[inline]
    pub const fn of(vcpu: u32) -> KickMask {
        KickMask(bit(vcpu))
    }

    /// Whether nobody needs a kick.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All but `vcpu`.
    #[inline]
    pub const fn without(self, vcpu: u32) -> KickMask {
        KickMask(self.0 & !bit(vcpu))
    }

    /// The indices of the vCPUs.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = u32> {
        ones(self.0)
    }
}

impl BitOr for KickMask {
    type Output = KickMask;
    fn bitor(self, other: KickMask) -> KickMask {
        KickMask(self.0 | other.0)
    }
}

impl BitOrAssign for KickMask {
    fn bitor_assign(&mut self, other: KickMask) {
        self.0 |= other.0;
    }
}

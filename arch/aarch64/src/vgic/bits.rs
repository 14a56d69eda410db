//! Interrupt numbers, and sets of them in words of 32.

pub(super) use arch_common::bits::{bit, ones};
pub use arch_common::kick::{KickMask, MAX_VCPUS};

/// Interrupts in one register word and in one [`super::bank::Bank`].
pub(super) const PER_BANK: u32 = 32;
/// Words for all INTIDs: the private one and the shared ones.
pub(super) const BANKS: u32 = model::Gic::INTIDS / PER_BANK;
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

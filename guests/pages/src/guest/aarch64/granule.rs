//! The sizes of pages (DDI 0487, D8.2.1).

use guest_runtime::read_register;

/// Bits of an address that a table root translates, in both halves: all that every granule can with levels up from 1.
pub(super) const ADDRESS_BITS: u32 = 39;

/// A size of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Granule {
    Kib4,
    Kib16,
    Kib64,
}

impl Granule {
    pub(super) const ALL: [Granule; 3] = [Granule::Kib4, Granule::Kib16, Granule::Kib64];

    /// Bits of an address within a page.
    pub(super) const fn shift(self) -> u32 {
        match self {
            Granule::Kib4 => 12,
            Granule::Kib16 => 14,
            Granule::Kib64 => 16,
        }
    }

    pub(super) const fn bytes(self) -> u64 {
        1 << self.shift()
    }

    pub(super) const fn kib(self) -> u64 {
        self.bytes() >> 10
    }

    /// Level of the root of [`ADDRESS_BITS`].
    pub(super) const fn root_level(self) -> u32 {
        match self {
            Granule::Kib4 | Granule::Kib16 => 1,
            Granule::Kib64 => 2,
        }
    }

    /// Whether a descriptor of `level` may be a block.
    pub(super) const fn has_blocks(self, level: u32) -> bool {
        level == 2 || (level == 1 && matches!(self, Granule::Kib4))
    }

    /// Bits of an address within what a descriptor of `level` translates.
    pub(super) const fn level_shift(self, level: u32) -> u32 {
        self.shift() + (3 - level) * (self.shift() - 3)
    }

    /// Whether the CPU has it (ID_AA64MMFR0_EL1.TGran4, TGran16, TGran64).
    pub(super) fn is_implemented(self) -> bool {
        let features = read_register!("id_aa64mmfr0_el1");
        match self {
            Granule::Kib4 => features >> 28 & 0xf != 0xf,
            Granule::Kib16 => features >> 20 & 0xf != 0,
            Granule::Kib64 => features >> 24 & 0xf != 0xf,
        }
    }

    /// TCR_EL1.TG0 and TG1, whose numbers differ.
    pub(super) const fn control(self) -> u64 {
        match self {
            Granule::Kib4 => 0b10 << 30,
            Granule::Kib16 => 0b01 << 30 | 0b10 << 14,
            Granule::Kib64 => 0b11 << 30 | 0b01 << 14,
        }
    }
}

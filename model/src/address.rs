//! Guest-physical and host-physical addresses as distinct types.
//!
//! Mixing the two is the classic way for a guest to reach memory that is not its own, so the compiler keeps
//! them apart. Arithmetic is checked: the numbers may come from a guest.

/// The granule of every second-stage mapping, in bytes.
pub const PAGE_BYTES: u64 = 4096;

/// A guest-physical address (Arm: IPA, x86: GPA).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Gpa(pub u64);

/// A host-physical address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hpa(pub u64);

impl Gpa {
    /// The address `bytes` further on; `None` past the end of the address space.
    pub const fn checked_add(self, bytes: u64) -> Option<Gpa> {
        match self.0.checked_add(bytes) {
            Some(sum) => Some(Gpa(sum)),
            None => None,
        }
    }

    /// How far this address lies above `base`; `None` if it lies below.
    pub const fn offset_from(self, base: Gpa) -> Option<u64> {
        self.0.checked_sub(base.0)
    }
}

impl Hpa {
    /// The address `bytes` further on; `None` past the end of the address space.
    pub const fn checked_add(self, bytes: u64) -> Option<Hpa> {
        match self.0.checked_add(bytes) {
            Some(sum) => Some(Hpa(sum)),
            None => None,
        }
    }
}

impl core::fmt::Display for Gpa {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl core::fmt::Display for Hpa {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A run of guest-physical memory and the host memory behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Extent {
    /// First guest-physical byte; a multiple of [`PAGE_BYTES`].
    pub gpa: Gpa,
    /// The host-physical byte behind it; a multiple of [`PAGE_BYTES`].
    pub hpa: Hpa,
    /// Length in bytes; a multiple of [`PAGE_BYTES`].
    pub size_bytes: u64,
    /// What the guest may do with it.
    pub access: crate::Access,
}

impl Extent {
    /// The host address of `gpa` and how many bytes follow it inside this extent; `None` outside of it.
    pub fn translate(&self, gpa: Gpa) -> Option<(Hpa, u64)> {
        let offset = gpa.offset_from(self.gpa)?;
        let left = self.size_bytes.checked_sub(offset).filter(|&left| left > 0)?;
        Some((self.hpa.checked_add(offset)?, left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extent_translates_its_own_bytes_and_no_others() {
        let extent = Extent { gpa: Gpa(0x8000), hpa: Hpa(0x10_0000), size_bytes: 0x2000, access: Default::default() };
        assert_eq!(extent.translate(Gpa(0x7fff)), None);
        assert_eq!(extent.translate(Gpa(0x8000)), Some((Hpa(0x10_0000), 0x2000)));
        assert_eq!(extent.translate(Gpa(0x9fff)), Some((Hpa(0x10_1fff), 1)));
        assert_eq!(extent.translate(Gpa(0xa000)), None);
        assert_eq!(extent.translate(Gpa(u64::MAX)), None);
    }
}

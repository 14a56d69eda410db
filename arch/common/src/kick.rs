//! Sets of vCPUs that have to look.

use core::ops::{BitOr, BitOrAssign};

use crate::bits::{bit, ones};

/// Most vCPUs in one VM: one bit each in a [`KickMask`].
pub const MAX_VCPUS: usize = 32;

/// A set of vCPUs that have something new from their VM's interrupt controller to look at. The caller makes each of them look before
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

//! Which vCPU a pCPU has in hand, for whoever has to say so when nothing else can be relied on.
//!
//! One word, written when the loop takes another vCPU and at no other time: a quick exit changes nothing of it.

use core::sync::atomic::{AtomicU64, Ordering};

/// Nobody.
const NOBODY: u64 = u64::MAX;

/// The vCPU that a pCPU has in hand, by the numbers of its VM in the system and of itself in the VM.
#[derive(Debug)]
pub struct InHand(AtomicU64);

impl Default for InHand {
    fn default() -> Self {
        Self::new()
    }
}

impl InHand {
    /// Nobody.
    pub const fn new() -> InHand {
        InHand(AtomicU64::new(NOBODY))
    }

    /// vCPU `vcpu` of VM `vm`.
    #[inline]
    pub fn take(&self, vm: u32, vcpu: u32) {
        self.0.store(u64::from(vm) << 32 | u64::from(vcpu), Ordering::Relaxed);
    }

    /// Nobody any more.
    #[inline]
    pub fn drop(&self) {
        self.0.store(NOBODY, Ordering::Relaxed);
    }

    /// VM and vCPU; `None` if it is nobody.
    pub fn get(&self) -> Option<(u32, u32)> {
        let word = self.0.load(Ordering::Relaxed);
        (word != NOBODY).then_some(((word >> 32) as u32, word as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::InHand;

    #[test]
    fn who_was_taken_is_told_until_it_is_dropped() {
        let in_hand = InHand::new();
        assert_eq!(in_hand.get(), None);
        in_hand.take(0, 0);
        assert_eq!(in_hand.get(), Some((0, 0)));
        in_hand.take(3, 31);
        assert_eq!(in_hand.get(), Some((3, 31)));
        in_hand.drop();
        assert_eq!(in_hand.get(), None);
    }
}

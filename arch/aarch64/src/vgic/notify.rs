//! Telling vCPUs that there is something to do.
//!
//! Each vCPU has a word of hints: one bit for each word of interrupts in which something may be for it, and
//! [`RESYNC`]. It takes all hints at once when it looks ([`super::CpuInterface::flush`]); whoever finds the word empty
//! and sets the first bit has to kick.
//!
//! Why nothing gets lost: every change is written first, and then the writer looks who has the interrupt. A claimer
//! claims first and then looks at the state. All of it is sequentially consistent, so of a writer and a claimer at least
//! one sees the other. Whoever gives a claim back looks once more, and so finds what arrived in between.

use super::Vgic;
use super::atomic::SeqCst;
use super::bank::{Bank, SharedBank};
use super::bits::{KickMask, bit, ones};

/// Hint: something that is in your list registers has changed; read them back and check.
pub(super) const RESYNC: u32 = 1 << 31;
/// For the vCPU's own use: nothing to look at, but ICH_HCR_EL2 to write.
pub(super) const CONTROL: u32 = 1 << 30;
/// Hints for words of interrupts.
pub(super) const WORDS: u32 = 0xffff;

impl Vgic<'_> {
    /// Leaves `hints` for `vcpu`.
    #[inline]
    pub(super) fn hint(&self, vcpu: u32, hints: u32) -> KickMask {
        self.redistributor(vcpu).map_or(KickMask::NONE, |redistributor| redistributor.hint(vcpu, hints))
    }

    /// `bits` of word `word` may have become deliverable (`vcpu` counts for word 0 only). Tells those who can deliver them.
    pub(super) fn notify(&self, vcpu: u32, word: u32, bits: u32) -> KickMask {
        let Some(bank) = self.bank(vcpu, word) else { return KickMask::NONE };
        let wanting = bank.wanting(self.control(), SeqCst) & bits & !bank.claims.orphans();
        match (wanting, self.shared(word)) {
            (0, _) => KickMask::NONE,
            (_, None) => self.hint(vcpu, bit(word)),
            (_, Some(shared)) => self.notify_shared(shared, word, wanting),
        }
    }

    fn notify_shared(&self, shared: &SharedBank, word: u32, wanting: u32) -> KickMask {
        let listed = shared.bank.claims.listed();
        let mut kick = KickMask::NONE;
        for index in ones(wanting) {
            // What is listed is its owner's business: a list register may take it, or has to tell when it ends.
            let target = match listed & bit(index) {
                0 => self.target(shared, index),
                _ => shared.owner(index).map(|owner| u32::from(owner.load(SeqCst))),
            };
            if let Some(target) = target {
                kick |= self.hint(target, bit(word));
            }
        }
        kick
    }

    /// `bits` of word `word` may not be deliverable any more, or are to be deactivated. Tells those who have listed them.
    pub(super) fn retract(&self, vcpu: u32, word: u32, bits: u32) -> KickMask {
        let Some(bank) = self.bank(vcpu, word) else { return KickMask::NONE };
        self.owners(vcpu, word, bank, bits).iter().fold(KickMask::NONE, |kick, owner| kick | self.hint(owner, RESYNC))
    }

    /// The vCPUs that have listed any of `bits`.
    pub(super) fn owners(&self, vcpu: u32, word: u32, bank: &Bank, bits: u32) -> KickMask {
        let listed = bank.claims.listed() & bits;
        match (listed, self.shared(word)) {
            (0, _) => KickMask::NONE,
            (_, None) => KickMask::of(vcpu),
            (_, Some(shared)) => ones(listed)
                .filter_map(|index| shared.owner(index))
                .fold(KickMask::NONE, |owners, owner| owners | KickMask::of(owner.load(SeqCst).into())),
        }
    }

    /// Everybody checks what they have listed and looks at everything: group enables have changed.
    pub(super) fn notify_all(&self) -> KickMask {
        (0..self.vcpus()).fold(KickMask::NONE, |kick, vcpu| kick | self.hint(vcpu, RESYNC | WORDS))
    }

    /// Whether a vCPU other than `from` has yet to take an interrupt back: GICD_CTLR.RWP.
    pub(super) fn is_retracting(&self, from: u32) -> bool {
        // What has no pCPU shows its guest nothing.
        ones(self.loaded() & !bit(from)).any(|vcpu| {
            self.redistributor(vcpu).is_some_and(|redistributor| redistributor.hints.load(SeqCst) & RESYNC != 0)
        })
    }
}

//! The active state as software sets and clears it (ISACTIVER, ICACTIVER, ICC_DIR_EL1), and the end of a claim.
//!
//! Of an interrupt that nobody has listed, the state is in the claim word and changes there. Of a listed one only the
//! claimer knows the state, so it gets a request. A request can meet the end of the claim; then either the claimer finds
//! it when it has given the claim back, or the requester finds the claim gone: one of them does the work.

use super::Vgic;
use super::atomic::{AtomicU32, SeqCst};
use super::bank::Bank;
use super::bits::{IntId, KickMask};

impl Vgic<'_> {
    /// A trapped write of ICC_DIR_EL1 by vCPU `vcpu`, on its pCPU: deactivates an interrupt wherever it is active.
    pub fn deactivate(&self, vcpu: u32, intid: u32) -> KickMask {
        let Some(intid) = IntId::new(intid & 0xff_ffff) else { return KickMask::NONE };
        match self.bank(vcpu, intid.word()) {
            Some(bank) => self.clear_active(bank, vcpu, intid.word(), intid.bit()),
            None => KickMask::NONE,
        }
    }

    pub(super) fn set_active(&self, bank: &Bank, vcpu: u32, word: u32, bits: u32) -> KickMask {
        bank.deactivate.fetch_and(!bits, SeqCst);
        let here = |bits| bank.claims.activate_unlisted(bits);
        self.here_or_ask(bank, vcpu, word, bits, here, &bank.activate)
    }

    pub(super) fn clear_active(&self, bank: &Bank, vcpu: u32, word: u32, bits: u32) -> KickMask {
        bank.activate.fetch_and(!bits, SeqCst);
        let here = |bits| bank.claims.deactivate_orphans(bits);
        let kick = self.here_or_ask(bank, vcpu, word, bits, here, &bank.deactivate);
        self.gone(bank, word, bits);
        kick | self.notify(vcpu, word, bits)
    }

    /// Does a change of `bits` by `here`, which returns those that are listed; asks the claimers of these. Goes round again
    /// only if a claim ended in between.
    fn here_or_ask(
        &self,
        bank: &Bank,
        vcpu: u32,
        word: u32,
        mut bits: u32,
        here: impl Fn(u32) -> u32,
        requests: &AtomicU32,
    ) -> KickMask {
        let mut kick = KickMask::NONE;
        while bits != 0 {
            let listed = here(bits);
            requests.fetch_or(listed, SeqCst);
            kick |= self.retract(vcpu, word, listed);
            let missed = listed & !bank.claims.listed();
            bits = requests.fetch_and(!missed, SeqCst) & missed;
        }
        kick
    }

    /// Ends the claim on an interrupt.
    pub(super) fn give_back(&self, bank: &Bank, vcpu: u32, intid: IntId) -> KickMask {
        bank.claims.release(intid.bit());
        let mut kick = KickMask::NONE;
        if asked(&bank.deactivate, intid) {
            kick |= self.clear_active(bank, vcpu, intid.word(), intid.bit());
        }
        if asked(&bank.activate, intid) {
            kick |= self.set_active(bank, vcpu, intid.word(), intid.bit());
        }
        kick
    }
}

/// Whether somebody asked for a change of `intid`. The request is taken: whoever gets true does it.
pub(super) fn asked(requests: &AtomicU32, intid: IntId) -> bool {
    requests.load(SeqCst) & intid.bit() != 0 && requests.fetch_and(!intid.bit(), SeqCst) & intid.bit() != 0
}

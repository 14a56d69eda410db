//! Interrupts of the board that a guest has for itself (`pass`).
//!
//! The board's interrupt is taken by EL2 and stays active, which keeps it from coming again (IHI 0069 section 4.1, IHI 0048 section
//! 3.2.4: an active level-sensitive interrupt is not signalled). The guest's one becomes pending as by an edge, and is like any other
//! from then on: it is routed, moves from vCPU to vCPU, is parked. When nothing of it is left, neither pending nor active nor in a
//! list register, the board's is deactivated ([`Ends`]); if its line is still high then, it comes again.
//!
//! A list register could tie the two together by itself (HW=1, section 4.8), and does for the timers, whose interrupts belong to one pCPU.
//! Here that would save the maintenance interrupt at each end, but not bear what a shared interrupt meets: list registers that go back to the
//! distributor when a vCPU loses its pCPU, another vCPU that takes it, a deactivation in no list register, and an interrupt that is to be held
//! back although its guest is done with it.

use arch_common::ends::Ends;

use super::Vgic;
use super::atomic::SeqCst;
use super::bank::Bank;
use super::bits::{IntId, KickMask, ones};

impl<'a> Vgic<'a> {
    /// The same controller, of which some interrupts are the board's.
    pub fn with_ends(self, ends: &'a dyn Ends) -> Vgic<'a> {
        Vgic { ends: Some(ends), ..self }
    }

    /// The board's interrupt behind the shared interrupt `intid` was taken, and is active from now on. On any pCPU.
    pub fn passed_pending(&self, intid: u32) -> KickMask {
        let Some(intid) = IntId::new(intid).filter(|intid| !intid.is_private()) else { return KickMask::NONE };
        let Some(bank) = self.bank(0, intid.word()) else { return KickMask::NONE };
        bank.passed.fetch_or(intid.bit(), SeqCst);
        bank.pending.latch(intid.bit());
        self.notify(0, intid.word(), intid.bit())
    }

    /// Something of `bits` of word `word` has gone: if that was the last of it, the board's interrupt behind it is over.
    #[inline]
    pub(super) fn gone(&self, bank: &Bank, word: u32, bits: u32) {
        let passed = bank.passed.load(SeqCst) & bits;
        if passed != 0 {
            self.end_passed(bank, word, passed);
        }
    }

    #[cold]
    fn end_passed(&self, bank: &Bank, word: u32, passed: u32) {
        // In this order: what is taken out of the pending state was claimed before, and stays so until it has ended.
        let pending = bank.pending.any();
        let over = passed & !pending & bank.claims.free();
        // Of those who see it end, one tells.
        let over = bank.passed.fetch_and(!over, SeqCst) & over;
        if let Some(ends) = self.ends {
            ones(over).for_each(|index| ends.over(IntId::at(word, index).number()));
        }
    }
}

//! The flush of the common case: one interrupt, and a list register for it without looking at the others.
//!
//! An interrupt that comes again and again (a timer, an SGI, a device) keeps its claim and its list register from one
//! time to the next: when the hardware says that the list register is empty, it has ended, and the next one goes in by a
//! single write. Nothing here reads a list register.

use super::Vgic;
use super::atomic::SeqCst;
use super::bank::Bank;
use super::bits::{IntId, KickMask, bit};
use super::cpu::CpuInterface;
use super::flush::{all, take};
use super::lr::ListRegisters;
use super::notify::WORDS;

impl CpuInterface {
    /// Does what `hints` ask for, if it is one interrupt that finds an easy place; `None`, and nothing has changed, if it
    /// is anything else.
    #[inline]
    pub(super) fn flush_one(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters, hints: u32) -> Option<KickMask> {
        if hints & WORDS != hints || !hints.is_power_of_two() || self.look | self.left | self.changed != 0 {
            return None;
        }
        let word = hints.trailing_zeros();
        let bank = vgic.bank(self.vcpu, word)?;
        let wanting = bank.wanting(vgic.control());
        if !wanting.is_power_of_two() {
            return None;
        }
        let intid = IntId::at(word, wanting.trailing_zeros());
        if !self.may_deliver(vgic, intid) {
            return None;
        }
        if self.mine(word) & wanting != 0 {
            return self.list_again(bank, regs, intid);
        }
        let free = !self.used & all(regs);
        if free == 0 || bank.claims.free() & wanting == 0 {
            return None;
        }
        let index = free.trailing_zeros();
        let kick = self.place(vgic, intid, bank.priority(intid), index);
        if self.changed & bit(index) != 0 {
            regs.write(index as usize, self.list_register(index).0);
            self.changed &= !bit(index);
        }
        Some(kick)
    }

    /// `intid` is claimed and pending once more. If its last time is over, it goes into the same list register.
    #[inline]
    fn list_again(&mut self, bank: &Bank, regs: &mut impl ListRegisters, intid: IntId) -> Option<KickMask> {
        let index = self.find(intid)?;
        let requests = bank.activate.load(SeqCst) | bank.deactivate.load(SeqCst);
        if regs.elrsr() & bit(index) == 0 || requests & intid.bit() != 0 || self.is_held(intid) {
            return None;
        }
        // The last time was acknowledged and has ended: what a sync would learn.
        bank.pending.consumed(intid.bit());
        if bank.claims.active() & intid.bit() != 0 {
            bank.claims.deactivate(intid.bit());
        }
        // It was pending a moment ago. If it is not any more, an empty list register with a claim is what a sync clears up.
        if let Some(lr) = take(bank, intid, bank.priority(intid)) {
            self.observe_list_register(index, lr);
            regs.write(index as usize, lr.0);
        }
        Some(KickMask::NONE)
    }
}

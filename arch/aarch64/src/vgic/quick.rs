//! The flush of the common cases: one interrupt, and a list register for it without looking at the others.
//!
//! An interrupt that comes again and again (a timer, an SGI, a device) keeps its claim and its list register from one
//! time to the next: when the hardware says that the list register is empty, it has ended, and the next one goes in by a
//! single write. Nothing here reads a list register.
//!
//! Relaxed loads are enough where a claim is held already: who changes something leaves a hint afterwards, and the swap
//! of the hints acquired all that came before.

use super::Vgic;
use super::atomic::{Relaxed, SeqCst};
use super::bank::{Bank, ENABLE_GROUP0, ENABLE_GROUP1};
use super::bits::{IntId, KickMask, bit};
use super::cpu::CpuInterface;
use super::flush::all;
use super::lr::{ListRegister, ListRegisters};
use super::notify::WORDS;
use super::redistributor::Redistributor;
use super::senders::is_sent;

impl CpuInterface {
    /// The one interrupt that `hints` and nothing else want looked at, and its bank; `None` if it is not so.
    #[inline]
    fn only_one<'v>(&self, vgic: &'v Vgic<'_>, own: &'v Redistributor, hints: u32) -> Option<(IntId, &'v Bank)> {
        if hints & WORDS != hints || !hints.is_power_of_two() || self.look | self.left | self.changed != 0 {
            return None;
        }
        let word = hints.trailing_zeros();
        let bank = if word == 0 { &own.bank } else { &vgic.shared(word)?.bank };
        let wanting = bank.wanting(vgic.control(), Relaxed);
        let intid = IntId::at(word, wanting.trailing_zeros());
        wanting.is_power_of_two().then_some((intid, bank))
    }

    /// Lists an interrupt that this vCPU has claimed and that has ended since. False, and nothing has changed, if it is
    /// anything else.
    #[inline]
    pub(super) fn flush_again(
        &mut self,
        vgic: &Vgic<'_>,
        own: &Redistributor,
        regs: &mut impl ListRegisters,
        hints: u32,
    ) -> bool {
        let Some((intid, bank)) = self.only_one(vgic, own, hints) else { return false };
        if self.mine(intid.word()) & intid.bit() == 0 {
            return false;
        }
        let Some(index) = self.find(intid) else { return false };
        // A list register whose end is to be told does not count as empty, so nothing is held here. Requests, new routes and
        // the like have left RESYNC, or will: then the sync takes back what goes in now.
        if regs.elrsr() & bit(index) == 0 {
            return false;
        }
        // What a sync would learn.
        if bank.claims.active() & intid.bit() != 0 {
            bank.claims.deactivate(intid.bit());
        }
        // It was pending a moment ago. If it is not any more, there is an empty list register with a claim: the next sync
        // clears that up.
        if let Some(lr) = take_again(bank, intid, regs) {
            self.observe_list_register(index, lr);
            regs.write(index as usize, lr.0);
        }
        true
    }

    /// A physical private interrupt as for [`Vgic::hardware_pending`], straight into the list register where it was last time, if
    /// that is empty and there is nothing else to do. False, and nothing has changed, if it is anything else.
    #[inline]
    pub fn hardware_again(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters, intid: u32) -> bool {
        let private = IntId::new(intid).filter(|intid| intid.is_private());
        private.is_some_and(|intid| self.list_again(vgic, regs, intid, ListRegister::with_hardware))
    }

    /// A write of ICC_SGI1R_EL1 as for [`Vgic::send_sgi`], if it is to this vCPU alone, in the same way.
    #[inline]
    pub fn sgi_again(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters, icc_sgi1r: u64) -> bool {
        let sgi = IntId::at(0, (icc_sgi1r >> 24) as u32 & 0xf);
        vgic.sgi_targets(self.vcpu, icc_sgi1r) == super::bits::bit(self.vcpu)
            && self.list_again(vgic, regs, sgi, |lr| lr)
    }

    /// The list register that holds `intid`: mostly the one where the last interrupt of its kind was.
    #[inline]
    fn find_again(&mut self, intid: IntId) -> Option<u32> {
        let index = if intid.is_sgi() { self.last_sgi } else { self.last_timer };
        if self.used & super::bits::bit(index) != 0 && self.list_register(index).intid() == intid.number() {
            return Some(index);
        }
        let index = self.find(intid)?;
        *(if intid.is_sgi() { &mut self.last_sgi } else { &mut self.last_timer }) = index;
        Some(index)
    }

    #[inline]
    fn list_again(
        &mut self,
        vgic: &Vgic<'_>,
        regs: &mut impl ListRegisters,
        intid: IntId,
        kind: impl FnOnce(ListRegister) -> ListRegister,
    ) -> bool {
        let Some(own) = vgic.redistributor(self.vcpu) else { return false };
        let (bank, bit) = (&own.bank, intid.bit());
        // Who changes anything that is looked at here leaves a hint afterwards, and rings. (Pending already: one interrupt
        // that stands for both is the general way's.)
        let (latched, taken) = bank.pending.latched_and_taken(Relaxed);
        let busy = own.hints.load(Relaxed) | self.look | self.left | self.changed | latched & bit;
        let group1 = bank.group.load(Relaxed) & bit != 0;
        let group = if group1 { ENABLE_GROUP1 } else { ENABLE_GROUP0 };
        let open = bank.enabled.load(Relaxed) & bit != 0 && vgic.control() & group != 0;
        if busy != 0 || self.mine(0) & bit == 0 || !open {
            return false;
        }
        let Some(index) = self.find_again(intid) else { return false };
        if regs.elrsr() & super::bits::bit(index) == 0 {
            return false;
        }
        if bank.claims.active() & bit != 0 {
            bank.claims.deactivate(bit);
        }
        if taken & bit == 0 {
            bank.pending.take_unlatched(bit);
        }
        let lr = kind(ListRegister::pending(intid.number(), bank.priority(intid), group1));
        self.observe_list_register(index, lr);
        regs.write(index as usize, lr.0);
        true
    }

    /// Lists an interrupt that nobody has claimed, if there is a free list register. `None`, and nothing has changed, if it
    /// is anything else.
    pub(super) fn flush_new(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters, hints: u32) -> Option<KickMask> {
        let (intid, bank) = self.only_one(vgic, vgic.redistributor(self.vcpu)?, hints)?;
        let free = !self.used & all(regs);
        if free == 0 || bank.claims.free() & intid.bit() == 0 || !self.may_deliver(vgic, intid) {
            return None;
        }
        let index = free.trailing_zeros();
        let kick = self.place(vgic, regs, intid, bank.priority(intid), index);
        if self.changed & bit(index) != 0 {
            regs.write(index as usize, self.list_register(index).0);
            self.changed &= !bit(index);
        }
        Some(kick)
    }
}

/// Moves the pending state of an interrupt, whose last time in the list register is over, there again; `None` if it is not
/// pending any more.
#[inline]
fn take_again(bank: &Bank, intid: IntId, regs: &impl ListRegisters) -> Option<ListRegister> {
    let group1 = bank.group.load(Relaxed) & intid.bit() != 0;
    let lr = ListRegister::pending(intid.number(), bank.priority(intid), group1);
    if is_sent(intid, regs) {
        bank.pending.consumed(intid.bit());
        return bank.take_sent(intid, lr);
    }
    if intid.is_private() && bank.hardware.load(Relaxed) & intid.bit() != 0 {
        bank.hardware.fetch_and(!intid.bit(), SeqCst);
        bank.pending.retake_unlatched(intid.bit());
        return Some(lr.with_hardware());
    }
    let latched = bank.pending.retake(intid.bit());
    let level = bank.line.load(Relaxed) & !bank.edge.load(Relaxed) & intid.bit() != 0;
    let passed = bank.passed.load(Relaxed) & intid.bit() != 0;
    (latched || level).then(|| lr.with_eoi(level || passed))
}

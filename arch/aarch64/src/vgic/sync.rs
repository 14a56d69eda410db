//! From the list registers to the shared state: what the guest did, and what it must not have any more.

use super::Vgic;
use super::active::asked;
use super::atomic::SeqCst;
use super::bank::Bank;
use super::bits::{IntId, KickMask, bit, ones};
use super::cpu::CpuInterface;
use super::lr::{ListRegister, ListRegisters, hcr};
use super::notify::CONTROL;
use super::senders::is_sent;

impl CpuInterface {
    /// Reads the list registers back. Tells the shared state what was acknowledged and what has ended; takes back what is
    /// not deliverable any more (disabled, routed elsewhere, line low); deactivates what others asked for. Call it after a
    /// maintenance interrupt and before a register access of this vCPU, on the vCPU's pCPU, the guest not running. Costs
    /// nothing if no list register is in use; writes none (the next flush does).
    pub fn sync(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters) -> KickMask {
        let mut kick = self.count_ends(vgic, regs);
        let in_hardware = self.used & !self.changed;
        let empty = if in_hardware == 0 { 0 } else { regs.elrsr() & in_hardware };
        for index in ones(self.used) {
            let was = self.list_register(index);
            let seen = match bit(index) {
                slot if empty & slot != 0 => was.without_active().with_pending(false),
                slot if in_hardware & slot != 0 => ListRegister(regs.read(index as usize)),
                // Not written yet, so the guest can't have changed it.
                _ => was,
            };
            kick |= self.settle(vgic, regs, index, was, seen, empty & bit(index) != 0);
        }
        self.resample(vgic, regs);
        self.look |= core::mem::take(&mut self.left);
        kick
    }

    /// One list register: it held `was` and holds `seen` now; `gone` if the hardware needs no write to forget it.
    fn settle(
        &mut self,
        vgic: &Vgic<'_>,
        regs: &mut impl ListRegisters,
        index: u32,
        was: ListRegister,
        seen: ListRegister,
        gone: bool,
    ) -> KickMask {
        let Some((intid, bank)) = self.bank_of(vgic, was) else { return KickMask::NONE };
        if seen != was {
            self.observe_list_register(index, seen);
            learn(bank, intid, was, seen);
        }
        let mut now = seen;
        if asked(&bank.deactivate, intid) && now.is_active() {
            bank.claims.deactivate(intid.bit());
            now = now.without_active();
            if now.is_hardware() {
                regs.deactivate(intid.number());
            }
        }
        let activate = asked(&bank.activate, intid) && !now.is_active();
        if activate {
            bank.claims.activate(intid.bit());
        }
        if now.is_pending() && (activate || !self.may_stay(vgic, bank, intid, now, regs)) {
            take_back(bank, intid, now, regs);
            now = now.with_pending(false);
        }
        if !now.is_empty() {
            self.set_list_register(index, now.with_eoi(self.tells_end(vgic, bank, intid)));
            return KickMask::NONE;
        }
        if gone {
            self.observe_list_register(index, ListRegister::EMPTY);
        } else {
            self.set_list_register(index, ListRegister::EMPTY);
        }
        self.used &= !bit(index);
        self.release(vgic, bank, intid, regs)
    }

    /// Whether a pending interrupt may stay in its list register.
    fn may_stay(
        &self,
        vgic: &Vgic<'_>,
        bank: &Bank,
        intid: IntId,
        lr: ListRegister,
        regs: &impl ListRegisters,
    ) -> bool {
        let pending = match lr.is_hardware() {
            true => regs.is_asserted(intid.number()),
            false => (bank.pending.taken() | bank.level_high()) & intid.bit() != 0,
        };
        let open = bank.open(vgic.control(), SeqCst) & intid.bit() != 0;
        let routed = self.may_deliver(vgic, intid);
        pending && open && routed
    }

    /// Whether the end of a listed interrupt is of interest: for what may be pending behind it, or because the claim has to be
    /// given back, if somebody else is to have it next.
    pub(super) fn tells_end(&self, vgic: &Vgic<'_>, bank: &Bank, intid: IntId) -> bool {
        tells_eoi(bank, intid) || self.is_held(intid) || !self.may_deliver(vgic, intid)
    }

    /// Gives up the claim on an interrupt that is in no list register any more.
    pub(super) fn release(
        &mut self,
        vgic: &Vgic<'_>,
        bank: &Bank,
        intid: IntId,
        regs: &mut impl ListRegisters,
    ) -> KickMask {
        if intid.is_private() && self.held & intid.bit() != 0 {
            self.held &= !intid.bit();
            regs.deactivate(intid.number());
        }
        self.set_mine(intid, false);
        let kick = vgic.give_back(bank, self.vcpu, intid);
        vgic.gone(bank, intid.word(), intid.bit());
        kick | self.look_after(vgic, bank, intid)
    }

    /// An interrupt was given back: if it is still pending, whoever can deliver it looks at it.
    pub(super) fn look_after(&mut self, vgic: &Vgic<'_>, bank: &Bank, intid: IntId) -> KickMask {
        if bank.wanting(vgic.control(), SeqCst) & bank.claims.free() & intid.bit() == 0 {
            return KickMask::NONE;
        }
        let mine = self.may_deliver(vgic, intid);
        if mine {
            self.look |= bit(intid.word());
            KickMask::NONE
        } else {
            vgic.notify(self.vcpu, intid.word(), intid.bit())
        }
    }

    /// Interrupts that end in no list register. Without a split of EOI and deactivation the guest ends them in the order
    /// of their priorities, and the hardware counts (ICH_HCR_EL2.EOIcount, IHI 0069 section 12.4.3). With the split only
    /// deactivations count, and those are trapped where they can be; QEMU (7.2) counts EOIs even so, which end nothing.
    fn count_ends(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters) -> KickMask {
        if !self.parks_any() {
            return KickMask::NONE;
        }
        let mut kick = KickMask::NONE;
        for intid in self.all_parked() {
            let Some(bank) = vgic.bank(self.vcpu, intid.word()) else { continue };
            let _active_already = asked(&bank.activate, intid);
            if asked(&bank.deactivate, intid) {
                kick |= self.unpark(vgic, intid, regs);
            }
        }
        let ended = if self.hcr.is_some() { regs.hcr() >> hcr::EOI_COUNT_SHIFT & 0x1f } else { 0 };
        if ended != 0 {
            // The count goes back to zero with the next write.
            self.hcr = None;
            self.look |= CONTROL;
        }
        let ended = if self.traps_deactivate() && regs.splits_ends() { 0 } else { ended };
        for _ in 0..ended {
            let priority = |intid: &IntId| vgic.bank(self.vcpu, intid.word()).map_or(0, |bank| bank.priority(*intid));
            let Some(first) = self.all_parked().min_by_key(priority) else { break };
            kick |= self.unpark(vgic, first, regs);
        }
        kick
    }

    fn unpark(&mut self, vgic: &Vgic<'_>, intid: IntId, regs: &mut impl ListRegisters) -> KickMask {
        self.set_parked(intid, false);
        let Some(bank) = vgic.bank(self.vcpu, intid.word()) else { return KickMask::NONE };
        bank.claims.deactivate(intid.bit());
        self.release(vgic, bank, intid, regs)
    }

    /// Physical interrupts that wait for the guest although their line is low again: nothing is pending any more.
    fn resample(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters) {
        let Some(bank) = vgic.bank(self.vcpu, 0) else { return };
        for intid in ones(bank.hardware.load(SeqCst)) {
            if !regs.is_asserted(intid) {
                bank.hardware.fetch_and(!bit(intid), SeqCst);
                regs.deactivate(intid);
            }
        }
    }
}

/// What the guest did to a list register.
fn learn(bank: &Bank, intid: IntId, was: ListRegister, seen: ListRegister) {
    if was.is_pending() && !seen.is_pending() {
        bank.pending.consumed(intid.bit());
    }
    match (was.is_active(), seen.is_active()) {
        (false, true) => bank.claims.activate(intid.bit()),
        (true, false) => bank.claims.deactivate(intid.bit()),
        _ => {}
    }
}

/// A pending state leaves its list register without having been acknowledged.
pub(super) fn take_back(bank: &Bank, intid: IntId, lr: ListRegister, regs: &mut impl ListRegisters) {
    if is_sent(intid, regs) {
        bank.give_sent_back(intid, lr);
        return;
    }
    if !lr.is_hardware() {
        bank.pending.give_back(intid.bit());
        return;
    }
    bank.pending.consumed(intid.bit());
    if regs.is_asserted(intid.number()) {
        bank.hardware.fetch_or(intid.bit(), SeqCst);
    } else {
        regs.deactivate(intid.number());
    }
}

/// Whether a listed interrupt is pending for a reason that its list register can't show, its line is high, or something has
/// arrived since; or whether one of the board's waits for its end.
fn tells_eoi(bank: &Bank, intid: IntId) -> bool {
    (bank.level_high() | bank.passed.load(SeqCst) | bank.hardware.load(SeqCst) | bank.pending.latched(SeqCst))
        & intid.bit()
        != 0
}

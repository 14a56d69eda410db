//! A vCPU's interrupts when it starts and stops, and when it gets and loses its pCPU.
//!
//! A vCPU that is off has nothing; one that is on but has no pCPU keeps what its guest has active, and nothing else: what is
//! pending goes back, where another vCPU may find it and where requests to take it back are answered at once. It has no tie
//! to the pCPU's own interrupts either: those that stand behind private ones are deactivated, and fire again if their line is
//! still high when the vCPU is back.
//!
//! Between [`CpuInterface::unload`] and the next [`CpuInterface::load`] of any vCPU, all list registers of a pCPU are empty.

use super::Vgic;
use super::atomic::SeqCst;
use super::bank::Bank;
use super::bits::{BANKS, IntId, KickMask, bit, ones};
use super::cpu::CpuInterface;
use super::flush::all;
use super::lr::{ListRegister, ListRegisters};
use super::notify::{CONTROL, WORDS};
use super::sync::take_back;

impl CpuInterface {
    /// The vCPU starts: from now on it takes interrupts, also those that any vCPU may take. It has no pCPU yet.
    pub fn start(&mut self, vgic: &Vgic<'_>) {
        self.clear();
        vgic.online.fetch_or(bit(self.vcpu), SeqCst);
        self.look = WORDS;
    }

    /// The vCPU gets its pCPU, where no other is loaded. The flush before the first entry writes what it has listed.
    /// ICH_VMCR_EL2 and the active priorities are the caller's.
    pub fn load(&mut self, vgic: &Vgic<'_>) {
        vgic.loaded.fetch_or(bit(self.vcpu), SeqCst);
        self.changed = self.used;
        self.hcr = None;
        self.look |= CONTROL;
    }

    /// The vCPU loses its pCPU, the guest not running; its timers still are in the hardware. May want a kick for itself: if
    /// it was waiting, it has something to look at.
    pub fn unload(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters) -> KickMask {
        // First: from here on nobody waits for this vCPU to take back what it has listed. Its guest sees nothing of that.
        vgic.loaded.fetch_and(!bit(self.vcpu), SeqCst);
        let in_hardware = (self.used | self.changed) & all(regs);
        let mut kick = self.sync(vgic, regs);
        for index in ones(self.used) {
            let lr = self.list_register(index);
            if let Some((intid, bank)) = self.bank_of(vgic, lr) {
                kick |= self.let_go(vgic, regs, index, lr, intid, bank);
            }
        }
        if let Some(own) = vgic.redistributor(self.vcpu) {
            let physical = own.bank.hardware.swap(0, SeqCst) | core::mem::take(&mut self.held);
            ones(physical).for_each(|intid| regs.deactivate(intid));
        }
        for word in ones(self.look & WORDS) {
            kick |= vgic.offer(self.vcpu, word);
        }
        ones(in_hardware).for_each(|index| regs.write(index as usize, 0));
        regs.set_hcr(0);
        kick
    }

    /// What is pending leaves its list register for good, what is active stays in the one that the next flush writes.
    fn let_go(
        &mut self,
        vgic: &Vgic<'_>,
        regs: &mut impl ListRegisters,
        index: u32,
        lr: ListRegister,
        intid: IntId,
        bank: &Bank,
    ) -> KickMask {
        if lr.is_pending() {
            take_back(bank, intid, lr, regs);
        }
        if !lr.is_active() {
            self.used &= !bit(index);
            self.set_list_register(index, ListRegister::EMPTY);
            return self.release(vgic, bank, intid, regs);
        }
        let mut kept = lr.with_pending(false);
        if kept.is_hardware() {
            regs.deactivate(intid.number());
            kept = kept.without_hardware();
        }
        self.set_list_register(index, kept.with_eoi(self.tells_end(vgic, bank, intid)));
        KickMask::NONE
    }

    /// The vCPU stops (PSCI CPU_OFF, VM stop or reset), when it has no pCPU any more: its private state goes back to
    /// power-on, shared interrupts go back to the distributor. The guest does not run until [`CpuInterface::start`].
    pub fn stop(&mut self, vgic: &Vgic<'_>) -> KickMask {
        let mut kick = KickMask::NONE;
        vgic.online.fetch_and(!bit(self.vcpu), SeqCst);
        // An active shared interrupt stays active, as it would: another vCPU may deactivate it.
        for intid in self.all_mine() {
            if let Some(bank) = vgic.bank(self.vcpu, intid.word()) {
                kick |= vgic.give_back(bank, self.vcpu, intid);
            }
        }
        if let Some(own) = vgic.redistributor(self.vcpu) {
            own.reset(vgic.version);
        }
        self.clear();
        // What was here, and what came here because any vCPU would do, finds another one.
        for word in 1..BANKS {
            kick |= vgic.notify(self.vcpu, word, u32::MAX);
        }
        kick.without(self.vcpu)
    }
}

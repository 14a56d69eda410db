//! A vCPU's interrupts when it starts, stops, or shares its pCPU.

use super::Vgic;
use super::atomic::SeqCst;
use super::bits::{BANKS, KickMask, bit, ones};
use super::cpu::{CpuInterface, MAX_LIST_REGISTERS};
use super::lr::ListRegisters;
use super::notify::WORDS;

impl CpuInterface {
    /// The vCPU starts: from now on it takes interrupts, also those that any vCPU may take. Call it before the first entry,
    /// on the vCPU's pCPU; the flush that follows writes all list registers.
    pub fn start(&mut self, vgic: &Vgic<'_>) {
        self.clear();
        vgic.online.fetch_or(bit(self.vcpu), SeqCst);
        self.look = WORDS;
        self.reload();
    }

    /// Another vCPU has used the pCPU's list registers since this one's last [`CpuInterface::sync`]: the next flush writes
    /// all of them. (Where vCPUs share a pCPU: sync on the way out, reload on the way in. ICH_VMCR_EL2 and the active
    /// priorities are the caller's, and so is every physical interrupt that [`Vgic::hardware_pending`] was told of.)
    pub fn reload(&mut self) {
        self.changed = u32::MAX;
        self.hcr = None;
    }

    /// The vCPU stops (PSCI CPU_OFF, VM stop or reset): its private state goes back to power-on, shared interrupts go back
    /// to the distributor, physical interrupts that the guest still had are deactivated. On the vCPU's pCPU; the guest does
    /// not run until [`CpuInterface::start`].
    pub fn stop(&mut self, vgic: &Vgic<'_>, regs: &mut impl ListRegisters) -> KickMask {
        let mut kick = self.sync(vgic, regs);
        vgic.online.fetch_and(!bit(self.vcpu), SeqCst);
        for index in ones(self.used) {
            let lr = self.list_register(index);
            if lr.is_hardware() {
                regs.deactivate(lr.intid());
            } else if let Some((intid, bank)) = self.bank_of(vgic, lr) {
                bank.pending.give_back(intid.bit());
            }
        }
        // An active shared interrupt stays active, as it would: another vCPU may deactivate it.
        for intid in self.all_mine() {
            if let Some(bank) = vgic.bank(self.vcpu, intid.word()) {
                kick |= vgic.give_back(bank, self.vcpu, intid);
            }
        }
        if let Some(own) = vgic.redistributor(self.vcpu) {
            ones(own.bank.hardware.load(SeqCst) | self.held).for_each(|intid| regs.deactivate(intid));
            own.reset();
        }
        self.clear();
        (0..regs.count().min(MAX_LIST_REGISTERS)).for_each(|index| regs.write(index, 0));
        regs.set_hcr(0);
        // What was here, and what came here because any vCPU would do, finds another one.
        for word in 1..BANKS {
            kick |= vgic.notify(self.vcpu, word, u32::MAX);
        }
        kick.without(self.vcpu)
    }
}

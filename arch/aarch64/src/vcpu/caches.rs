//! A guest that maintains its caches by set and way: firmware and boot loaders do, before they turn them off or on.
//!
//! Such an operation works on the caches of one CPU, line by line, where no hypervisor can tell whose lines they are; it is
//! meant for power-down and power-up, when nobody else shares the memory (DDI 0487 D7.5.9.4). So it traps (HCR_EL2.TSW), and
//! what the guest wants comes about in another way:
//!
//! 1. With the first operation, all of the VM's memory is cleaned and invalidated by address, to the point of coherency.
//!    The others of the same sweep find that done.
//! 2. From then on writes of the guest's translation registers trap (HCR_EL2.TVM). When one turns the data cache on or off,
//!    all memory is cleaned and invalidated again: what either view has written, the other one finds.
//! 3. When the cache is on, nothing traps any more.
//!
//! A guest that never does this (Linux; Documentation/arch/arm64/booting.rst rules it out) never pays for it.

use super::Vcpu;
use crate::registers::{read, write};
use crate::syndrome::SysReg;

/// HCR_EL2.TVM: writes of EL1's translation registers trap.
pub(super) const TVM: u64 = 1 << 26;
/// SCTLR_EL1.M and C: with both, data accesses are cacheable.
const CACHED: u64 = 1 << 0 | 1 << 2;

impl Vcpu {
    /// A trapped operation by set and way. True if the VM's memory has to be cleaned now.
    pub(super) fn maintain_by_set_and_way(&mut self) -> bool {
        let is_first = self.hcr & TVM == 0;
        if is_first {
            self.set_hcr(self.hcr | TVM);
        }
        is_first
    }

    /// A trapped write of a translation register. True if the VM's memory has to be cleaned now.
    pub(super) fn write_translation_register(&mut self, register: SysReg, value: u64) -> bool {
        let is_cached = || read!("SCTLR_EL1") & CACHED == CACHED;
        let was_cached = is_cached();
        let (_, _, crn, crm, op2) = register.fields();
        // SAFETY: EL1's registers have no effect at EL2; any value is allowed, as if the guest had written it itself.
        unsafe {
            match (crn, crm, op2) {
                (1, 0, 0) => write!("SCTLR_EL1", value),
                (2, 0, 0) => write!("TTBR0_EL1", value),
                (2, 0, 1) => write!("TTBR1_EL1", value),
                (2, 0, 2) => write!("TCR_EL1", value),
                (5, 1, 0) => write!("AFSR0_EL1", value),
                (5, 1, 1) => write!("AFSR1_EL1", value),
                (5, 2, 0) => write!("ESR_EL1", value),
                (6, 0, 0) => write!("FAR_EL1", value),
                (10, 2, 0) => write!("MAIR_EL1", value),
                (10, 3, 0) => write!("AMAIR_EL1", value),
                (13, 0, 1) => write!("CONTEXTIDR_EL1", value),
                _ => {}
            }
        }
        if is_cached() {
            self.set_hcr(self.hcr & !TVM);
        }
        is_cached() != was_cached
    }

    fn set_hcr(&mut self, hcr: u64) {
        self.hcr = hcr;
        // SAFETY: what traps of the vCPU that is loaded; the return to it synchronises.
        unsafe { write!("HCR_EL2", hcr) };
    }
}

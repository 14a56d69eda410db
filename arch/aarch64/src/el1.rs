//! EL1's own registers: what a vCPU has besides its general registers, switched only when a pCPU changes vCPU.
//!
//! They stay in the hardware while the vCPU is loaded, through every exit; neither handlers nor the loop touch them.

use crate::deadline::physical;
use crate::intid;
use crate::registers::{read, write};

macro_rules! registers {
    ($($(#[$doc:meta])* $field:ident $name:literal $reset:expr;)*) => {
        /// The EL1 and EL0 system registers of a vCPU that is not loaded.
        #[derive(Clone, Copy, Debug)]
        pub struct El1 {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl El1 {
            /// Their values out of reset; what the architecture leaves UNKNOWN is zero, so that nothing leaks.
            pub const RESET: El1 = El1 { $($field: $reset,)* };

            /// Reads them all from this CPU.
            pub fn save() -> El1 {
                El1 { $($field: read!($name),)* }
            }

            fn write(&self) {
                // SAFETY: EL1's registers have no effect at EL2 (HCR_EL2.E2H and TGE are 0); any value is allowed.
                unsafe { $(write!($name, self.$field);)* }
            }
        }
    };
}

/// TCR_EL1.EPD0 and EPD1: no walks of either table.
const NO_WALKS: u64 = 1 << 7 | 1 << 23;

impl El1 {
    /// Puts them all into this CPU, and runs `change` on what else translates for EL1 (the second stage).
    ///
    /// In between no table is walked: some CPUs do so speculatively, by `at`, with half of the old vCPU's registers and half
    /// of the new one's, and keep what they find (Cortex-A57 erratum 1319537, Cortex-A72 1319367, and others).
    pub(crate) fn load(&self, change: impl FnOnce()) {
        // SAFETY: EL1's own translation control; a barrier for each order that is said above.
        unsafe {
            write!("TCR_EL1", NO_WALKS);
            core::arch::asm!("isb", options(nostack, preserves_flags));
            El1 { tcr: self.tcr | NO_WALKS, ..*self }.write();
            change();
            core::arch::asm!("isb", options(nostack, preserves_flags));
            write!("TCR_EL1", self.tcr);
        }
    }

    /// The first moment, by the physical counter, at which a timer that `may_fire` (by INTID) asks for its interrupt;
    /// `offset` is CNTVOFF_EL2.
    pub(crate) fn deadline(&self, offset: u64, may_fire: impl Fn(u32) -> bool) -> Option<u64> {
        // CNTx_CTL: ENABLE set, IMASK clear.
        let runs = |control: u64, intid| control & 0b11 == 0b01 && may_fire(intid);
        let by_virtual = runs(self.cntv_ctl, intid::VIRTUAL_TIMER).then(|| physical(self.cntv_cval, offset)).flatten();
        let by_physical = runs(self.cntp_ctl, intid::PHYSICAL_TIMER).then_some(self.cntp_cval);
        by_virtual.into_iter().chain(by_physical).min()
    }
}

/// Stops this CPU's guest timers: they would interrupt for a vCPU that is not there.
pub(crate) fn stop_timers() {
    // SAFETY: EL1's timers, whose state was saved; ENABLE clear.
    unsafe {
        write!("CNTV_CTL_EL0", 0);
        write!("CNTP_CTL_EL0", 0);
        core::arch::asm!("isb", options(nostack, preserves_flags));
    }
}

registers! {
    /// Translation control. First, see [`El1::load`].
    tcr "TCR_EL1" 0;
    /// System control: MMU and caches off, RES1 bits set (DDI 0487 D24.2.174).
    sctlr "SCTLR_EL1" 0x30d0_0800 | (1 << 5) | (1 << 16) | (1 << 18);
    /// Traps of FP and SIMD.
    cpacr "CPACR_EL1" 0;
    /// Lower half's tables.
    ttbr0 "TTBR0_EL1" 0;
    /// Upper half's tables.
    ttbr1 "TTBR1_EL1" 0;
    /// Memory attributes.
    mair "MAIR_EL1" 0;
    /// Auxiliary memory attributes.
    amair "AMAIR_EL1" 0;
    /// Auxiliary fault status.
    afsr0 "AFSR0_EL1" 0;
    /// Auxiliary fault status.
    afsr1 "AFSR1_EL1" 0;
    /// Syndrome.
    esr "ESR_EL1" 0;
    /// Fault address.
    far "FAR_EL1" 0;
    /// Result of address translation instructions.
    par "PAR_EL1" 0;
    /// Vectors.
    vbar "VBAR_EL1" 0;
    /// Context id.
    contextidr "CONTEXTIDR_EL1" 0;
    /// Return address of the last exception.
    elr "ELR_EL1" 0;
    /// PSTATE of the last exception.
    spsr "SPSR_EL1" 0;
    /// EL1's stack pointer.
    sp_el1 "SP_EL1" 0;
    /// EL0's stack pointer.
    sp_el0 "SP_EL0" 0;
    /// Thread registers.
    tpidr_el0 "TPIDR_EL0" 0;
    /// Thread register that EL0 only reads.
    tpidrro_el0 "TPIDRRO_EL0" 0;
    /// EL1's thread register.
    tpidr_el1 "TPIDR_EL1" 0;
    /// Cache selection.
    csselr "CSSELR_EL1" 0;
    /// Self-hosted debug control.
    mdscr "MDSCR_EL1" 0;
    /// EL0's access to counters and timers.
    cntkctl "CNTKCTL_EL1" 0;
    /// Virtual timer: off.
    cntv_ctl "CNTV_CTL_EL0" 0;
    /// Virtual timer's deadline.
    cntv_cval "CNTV_CVAL_EL0" 0;
    /// Physical timer: off.
    cntp_ctl "CNTP_CTL_EL0" 0;
    /// Physical timer's deadline.
    cntp_cval "CNTP_CVAL_EL0" 0;
}

/// The pointer authentication keys, where the CPU has them: A and B for instructions and for data, and the generic one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys([u64; 10]);

macro_rules! keys {
    ($($half:ident $name:literal)*) => {
        impl Keys {
            /// Zero.
            pub(crate) const RESET: Keys = Keys([0; 10]);

            /// Takes them from this CPU.
            pub(crate) fn save() -> Keys {
                Keys([$(read!($name)),*])
            }

            /// Puts them into this CPU.
            pub(crate) fn load(&self) {
                let Keys([$($half),*]) = *self;
                // SAFETY: EL1's keys; EL2 does not use pointer authentication.
                unsafe { $(write!($name, $half);)* }
            }
        }
    };
}

keys! {
    ia_low "S3_0_C2_C1_0" ia_high "S3_0_C2_C1_1" ib_low "S3_0_C2_C1_2" ib_high "S3_0_C2_C1_3"
    da_low "S3_0_C2_C2_0" da_high "S3_0_C2_C2_1" db_low "S3_0_C2_C2_2" db_high "S3_0_C2_C2_3"
    ga_low "S3_0_C2_C3_0" ga_high "S3_0_C2_C3_1"
}

//! EL1's own registers: what a vCPU has besides its general registers, switched only when a pCPU changes vCPU.
//!
//! They stay in the hardware while the vCPU is loaded, through every exit; neither handlers nor the loop touch them.

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

            /// Puts them all into this CPU.
            pub fn load(&self) {
                // SAFETY: EL1's registers have no effect at EL2 (HCR_EL2.E2H and TGE are 0); any value is allowed.
                unsafe { $(write!($name, self.$field);)* }
            }
        }
    };
}

registers! {
    /// System control: MMU and caches off, RES1 bits set (DDI 0487 D24.2.174).
    sctlr "SCTLR_EL1" 0x30d0_0800 | (1 << 5) | (1 << 16) | (1 << 18);
    /// Traps of FP and SIMD.
    cpacr "CPACR_EL1" 0;
    /// Lower half's tables.
    ttbr0 "TTBR0_EL1" 0;
    /// Upper half's tables.
    ttbr1 "TTBR1_EL1" 0;
    /// Translation control.
    tcr "TCR_EL1" 0;
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

/// Pointer authentication keys, where the CPU has them; zeroed when a vCPU is reset.
pub(crate) fn clear_pointer_keys() {
    // SAFETY: EL1's keys; EL2 does not use pointer authentication.
    unsafe {
        write!("S3_0_C2_C1_0", 0); // APIAKeyLo_EL1
        write!("S3_0_C2_C1_1", 0);
        write!("S3_0_C2_C1_2", 0); // APIBKeyLo_EL1
        write!("S3_0_C2_C1_3", 0);
        write!("S3_0_C2_C2_0", 0); // APDAKeyLo_EL1
        write!("S3_0_C2_C2_1", 0);
        write!("S3_0_C2_C2_2", 0); // APDBKeyLo_EL1
        write!("S3_0_C2_C2_3", 0);
        write!("S3_0_C2_C3_0", 0); // APGAKeyLo_EL1
        write!("S3_0_C2_C3_1", 0);
    }
}

/// Zeroes the FP and SIMD registers: the previous owner's values must not leak.
pub(crate) fn clear_fp() {
    macro_rules! zero {
        ($($v:literal)*) => { concat!($("movi v", $v, ".2d, #0\n",)*) };
    }
    // SAFETY: built for a target without FP, the hypervisor keeps nothing in these registers; CPTR_EL2 does not trap.
    unsafe {
        core::arch::asm!(
            ".arch_extension fp",
            ".arch_extension simd",
            zero!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31),
            "msr FPCR, xzr",
            "msr FPSR, xzr",
            options(nostack, preserves_flags)
        );
    }
}

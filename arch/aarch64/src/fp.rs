//! The FP and SIMD registers of a vCPU that has no pCPU.
//!
//! The hypervisor is built without FP, so they stay the guest's through every exit and change hands with the pCPU only.

use core::arch::asm;

use crate::registers::{read, write};

/// v0 to v31, and their control and status.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fp {
    v: [u128; 32],
    fpcr: u64,
    fpsr: u64,
}

macro_rules! pairs {
    ($op:literal) => {
        concat!(
            ".arch_extension fp\n.arch_extension simd\n",
            pairs!($op, "0", "1", "0"),
            pairs!($op, "2", "3", "32"),
            pairs!($op, "4", "5", "64"),
            pairs!($op, "6", "7", "96"),
            pairs!($op, "8", "9", "128"),
            pairs!($op, "10", "11", "160"),
            pairs!($op, "12", "13", "192"),
            pairs!($op, "14", "15", "224"),
            pairs!($op, "16", "17", "256"),
            pairs!($op, "18", "19", "288"),
            pairs!($op, "20", "21", "320"),
            pairs!($op, "22", "23", "352"),
            pairs!($op, "24", "25", "384"),
            pairs!($op, "26", "27", "416"),
            pairs!($op, "28", "29", "448"),
            pairs!($op, "30", "31", "480"),
        )
    };
    ($op:literal, $first:literal, $second:literal, $offset:literal) => {
        concat!($op, " q", $first, ", q", $second, ", [{v}, #", $offset, "]\n")
    };
}

impl Fp {
    /// All zero: the previous owner's values must not leak.
    pub(crate) const RESET: Fp = Fp { v: [0; 32], fpcr: 0, fpsr: 0 };

    /// Takes them from this CPU.
    pub(crate) fn save(&mut self) {
        // SAFETY: stores the 512 bytes of `v`; CPTR_EL2 does not trap.
        unsafe { asm!(pairs!("stp"), v = in(reg) self.v.as_mut_ptr(), options(nostack, preserves_flags)) };
        self.fpcr = read!("S3_3_C4_C4_0"); // FPCR, which the assembler knows with FP only
        self.fpsr = read!("S3_3_C4_C4_1"); // FPSR
    }

    /// Puts them into this CPU.
    pub(crate) fn load(&self) {
        // SAFETY: built for a target without FP, the hypervisor keeps nothing in these registers; the 512 bytes are `v`'s.
        unsafe {
            asm!(pairs!("ldp"), v = in(reg) self.v.as_ptr(), options(nostack, preserves_flags, readonly));
            write!("S3_3_C4_C4_0", self.fpcr);
            write!("S3_3_C4_C4_1", self.fpsr);
        }
    }
}

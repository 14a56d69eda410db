//! Floating point: that it computes, and that its registers are this vCPU's own.
//!
//! The program is compiled without floating point, so the compiler never touches these registers: what `fill` wrote
//! is there at `check` unless somebody else wrote to it.

use core::arch::asm;
use guest_runtime::{Verdict, say};

/// Two's-complement pattern that differs in every register, half and seed, so that swapped registers are found too.
fn pattern(seed: u64) -> [u64; 64] {
    core::array::from_fn(|index| (seed << 56 | index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Round towards zero and flush denormals: values that no code has by default (DDI 0487, FPCR).
const FPCR: u64 = 0b11 << 22 | 1 << 24;
/// The inexact flag (DDI 0487, FPSR).
const FPSR: u64 = 1 << 4;

/// sqrt(3 * 3 + 4 * 4) is 5.
pub(super) fn computes() -> Verdict {
    let result: u64;
    // SAFETY: uses d0 to d2 only, which the compiler does not know and `Registers` does not hold yet.
    unsafe {
        asm!(
            ".arch_extension fp",
            "fmov d0, #3.0",
            "fmov d1, #4.0",
            "fmul d0, d0, d0",
            "fmadd d2, d1, d1, d0",
            "fsqrt d2, d2",
            "fmov {}, d2",
            ".arch_extension nofp",
            out(reg) result,
            options(nostack, nomem)
        );
    }
    if result != 5.0f64.to_bits() {
        return Err("floating point computes wrongly");
    }
    say!("floating point computes");
    Ok(())
}

/// All floating-point registers of this CPU, filled with a known pattern.
pub(super) struct Registers {
    seed: u64,
}

impl Registers {
    /// Fills q0 to q31, FPCR and FPSR.
    pub(super) fn fill(seed: u64) -> Registers {
        let values = pattern(seed);
        // SAFETY: reads the 512 bytes of `values`; the registers that it writes are unknown to the compiler.
        unsafe {
            asm!(
                ".arch_extension fp",
                ".arch_extension simd",
                ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                "ldr q\\n, [{values}, #16 * \\n]",
                ".endr",
                "msr fpcr, {fpcr}",
                "msr fpsr, {fpsr}",
                ".arch_extension nosimd",
                ".arch_extension nofp",
                values = in(reg) &values,
                fpcr = in(reg) FPCR,
                fpsr = in(reg) FPSR,
                options(nostack, readonly)
            );
        }
        Registers { seed }
    }

    /// Whether every register still holds what `fill` put there.
    pub(super) fn check(self) -> Verdict {
        let mut values = [0u64; 64];
        let (fpcr, fpsr): (u64, u64);
        // SAFETY: writes the 512 bytes of `values` and nothing else, apart from FPCR, which goes back to its reset value.
        unsafe {
            asm!(
                ".arch_extension fp",
                ".arch_extension simd",
                ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
                "str q\\n, [{values}, #16 * \\n]",
                ".endr",
                "mrs {fpcr}, fpcr",
                "mrs {fpsr}, fpsr",
                "msr fpcr, xzr",
                ".arch_extension nosimd",
                ".arch_extension nofp",
                values = in(reg) &mut values,
                fpcr = out(reg) fpcr,
                fpsr = out(reg) fpsr,
                options(nostack)
            );
        }
        if values != pattern(self.seed) {
            return Err("a floating-point register changed behind the guest's back");
        }
        if fpcr != FPCR || fpsr != FPSR {
            return Err("FPCR or FPSR changed behind the guest's back");
        }
        Ok(())
    }
}

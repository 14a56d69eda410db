//! The floating-point registers of this CPU: that they are its own.
//!
//! Programs are compiled without floating point, so the compiler never touches these registers: what `fill` wrote
//! is there at `check` unless somebody else wrote to it.

use super::cpu::{cpuid, read_xcr0};
use crate::Verdict;
use core::arch::asm;

/// Different in every register, quarter and seed, so that swapped registers are found too.
fn pattern(seed: u64) -> [u64; 64] {
    core::array::from_fn(|index| (seed << 56 | index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Round towards zero and flush denormals, no exceptions: values that no code has by default (APM volume 1, 4.2.2).
const MXCSR: u32 = 0xff80;
/// Round towards zero, extended precision, no exceptions (APM volume 1, 6.2.3).
const CONTROL: u16 = 0x0f7f;

/// XCR0: AVX.
const AVX: u64 = 1 << 2;

/// Whether the registers are 256 bits wide.
pub fn is_wide() -> bool {
    // CPUID 1, ECX: OSXSAVE.
    cpuid(1, 0).ecx & 1 << 27 != 0 && read_xcr0() & AVX != 0
}

/// All of them, filled with a known pattern.
#[derive(Debug)]
pub struct Registers {
    seed: u64,
}

impl Registers {
    /// Fills ymm0 to ymm15 (or xmm0 to xmm15), MXCSR, and x87's eight registers and control word.
    pub fn fill(seed: u64) -> Registers {
        let values = pattern(seed);
        // SAFETY: reads the 512 bytes of `values`; the registers that it writes are unknown to the compiler.
        unsafe {
            if is_wide() {
                asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                    "vmovups ymm\\n, [{values} + 32 * \\n]",
                    ".endr",
                    values = in(reg) &values,
                    options(nostack, readonly)
                );
            } else {
                asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                    "movups xmm\\n, [{values} + 32 * \\n]",
                    ".endr",
                    values = in(reg) &values,
                    options(nostack, readonly)
                );
            }
            asm!(
                "fninit",
                "fldcw [{control}]",
                "ldmxcsr [{mxcsr}]",
                ".irp n,0,1,2,3,4,5,6,7",
                "fild qword ptr [{values} + 8 * \\n]",
                ".endr",
                values = in(reg) &values,
                control = in(reg) &CONTROL,
                mxcsr = in(reg) &MXCSR,
                options(nostack, readonly)
            );
        }
        Registers { seed }
    }

    /// Whether every register still holds what `fill` put there.
    pub fn check(self) -> Verdict {
        let (mut values, mut stack) = ([0_u64; 64], [0_u64; 8]);
        let (mut mxcsr, mut control, usual) = (0_u32, 0_u16, 0x1f80_u32);
        // SAFETY: writes `values`, `stack`, `mxcsr` and `control` and nothing else, apart from the two control registers, which
        // go back to their reset values.
        unsafe {
            if is_wide() {
                asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                    "vmovups [{values} + 32 * \\n], ymm\\n",
                    ".endr",
                    values = in(reg) &mut values,
                    options(nostack)
                );
            } else {
                asm!(
                    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
                    "movups [{values} + 32 * \\n], xmm\\n",
                    ".endr",
                    values = in(reg) &mut values,
                    options(nostack)
                );
            }
            asm!(
                "fnstcw [{control}]",
                "stmxcsr [{mxcsr}]",
                // The last one first.
                ".irp n,7,6,5,4,3,2,1,0",
                "fistp qword ptr [{stack} + 8 * \\n]",
                ".endr",
                "fninit",
                "ldmxcsr [{usual}]",
                stack = in(reg) &mut stack,
                control = in(reg) &mut control,
                mxcsr = in(reg) &mut mxcsr,
                usual = in(reg) &usual,
                options(nostack)
            );
        }
        let expected = pattern(self.seed);
        // Of each 32 bytes of a narrow register's the first 16.
        let seen = if is_wide() { 4 } else { 2 };
        let mut rows = values.chunks(4).zip(expected.chunks(4));
        if !rows.all(|(row, expected)| row[..seen] == expected[..seen]) || stack != expected[..8] {
            return Err("a floating-point register changed behind the guest's back");
        }
        if mxcsr != MXCSR || control != CONTROL {
            return Err("MXCSR or the x87 control word changed behind the guest's back");
        }
        Ok(())
    }
}

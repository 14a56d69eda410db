//! Floating point: that it computes.

pub(super) use guest_runtime::fp::Registers;

use core::arch::asm;
use guest_runtime::fp::is_wide;
use guest_runtime::{Verdict, say};

/// sqrt(3 * 3 + 4 * 4) is 5, by SSE and by x87.
pub(super) fn computes() -> Verdict {
    let (sse, mut x87, mut numbers) = (&mut 0_u64, 0_u64, [3_u64, 4]);
    // SAFETY: uses registers that the compiler does not know and `Registers` does not hold yet; all pushes are popped.
    unsafe {
        asm!(
            "cvtsi2sd xmm0, qword ptr [{numbers}]",
            "cvtsi2sd xmm1, qword ptr [{numbers} + 8]",
            "mulsd xmm0, xmm0",
            "mulsd xmm1, xmm1",
            "addsd xmm0, xmm1",
            "sqrtsd xmm0, xmm0",
            "movsd [{sse}], xmm0",
            "fild qword ptr [{numbers}]",
            "fmul st(0), st(0)",
            "fild qword ptr [{numbers} + 8]",
            "fmul st(0), st(0)",
            "faddp st(1), st(0)",
            "fsqrt",
            "fstp qword ptr [{x87}]",
            numbers = in(reg) &raw mut numbers,
            sse = in(reg) &raw mut *sse,
            x87 = in(reg) &raw mut x87,
            options(nostack)
        );
    }
    if [*sse, x87] != [5.0_f64.to_bits(); 2] {
        return Err("floating point computes wrongly");
    }
    say!("floating point computes, its registers are of {} bits", if is_wide() { 256 } else { 128 });
    Ok(())
}

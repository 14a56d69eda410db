//! First instructions of both CPUs: a stack, the vectors and floating point, then Rust.
//!
//! The MMU stays off; the target's `strict-align` keeps the compiler off the unaligned accesses that then fault.

use core::arch::global_asm;

global_asm!(
    r#"
    .section .text.start, "ax"
    .global _start
    _start:
        msr     daifset, #0xf
        adrp    x1, __stack_top
        add     x1, x1, :lo12:__stack_top
        mov     sp, x1
        // The loader zeroes .bss of an ELF; a raw copy of the program would not have it zeroed.
        adrp    x1, __bss_start
        add     x1, x1, :lo12:__bss_start
        adrp    x2, __bss_end
        add     x2, x2, :lo12:__bss_end
    1:  cmp     x1, x2
        b.hs    2f
        stp     xzr, xzr, [x1], #16
        b       1b
    2:  bl      prepare
        b       {begin}

    // PSCI CPU_ON enters here with the context id in x0 (DEN 0022, 5.6).
    .global second_start
    second_start:
        msr     daifset, #0xf
        adrp    x1, __second_stack_top
        add     x1, x1, :lo12:__second_stack_top
        mov     sp, x1
        bl      prepare
        b       {begin_second}

    prepare:
        adrp    x1, vectors
        add     x1, x1, :lo12:vectors
        msr     vbar_el1, x1
        // CPACR_EL1.FPEN: neither EL1 nor EL0 traps floating point.
        mov     x1, #(3 << 20)
        msr     cpacr_el1, x1
        isb
        ret
    "#,
    begin = sym crate::program::begin,
    begin_second = sym crate::program::begin_second,
);

unsafe extern "C" {
    /// Never called from Rust.
    fn second_start();
}

/// Where PSCI is to start the second CPU.
pub(crate) fn second_entry() -> u64 {
    second_start as *const () as u64
}

//! First instructions of every CPU: a stack, the vectors and floating point, then Rust.
//!
//! The MMU stays off; the target's `strict-align` keeps the compiler off the unaligned accesses that then fault.

use crate::machine::Range;
use core::arch::global_asm;

global_asm!(
    r#"
    .section .text.start, "ax"
    .global _start
    _start:
        msr     daifset, #0xf
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
    .global secondary_start
    secondary_start:
        msr     daifset, #0xf
        bl      prepare
        b       {begin_secondary}

    prepare:
        // The stack is chosen as `machine::own_index` does: 16 * Aff1 + Aff0 (DDI 0487, MPIDR_EL1).
        mrs     x1, mpidr_el1
        ubfx    x2, x1, #8, #1
        ubfx    x1, x1, #0, #4
        orr     x1, x1, x2, lsl #4
        add     x1, x1, #1
        adrp    x2, __stacks
        add     x2, x2, :lo12:__stacks
        add     x1, x2, x1, lsl #14
        mov     sp, x1
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
    begin_secondary = sym crate::program::begin_secondary,
);

unsafe extern "C" {
    /// Never called from Rust.
    fn secondary_start();
    /// The linker's marks, whose addresses are all there is to them.
    static __program_start: u8;
    static __bss_end: u8;
}

/// Where the program is, from its first instruction to its last static; the stacks follow.
pub fn program_extent() -> Range {
    let [base, end] = [&raw const __program_start, &raw const __bss_end].map(|mark| mark as u64);
    Range { base, bytes: end - base }
}

/// Where PSCI is to start a CPU that is to run the program's second part.
pub(crate) fn secondary_entry() -> u64 {
    secondary_start as *const () as u64
}

//! First instructions of both CPUs: a stack, the vectors and floating point, then Rust.
//!
//! The MMU stays off. All memory is then Device memory to this CPU (DDI 0487, D8.2.10), so nothing here may use
//! exclusives; the target's `strict-align` keeps the compiler off unaligned accesses, and shared state is in atomics
//! that are only loaded and stored.

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
        b       {first_main}

    // PSCI CPU_ON enters here with the context id in x0 (DEN 0022, 5.6): it is the number of rounds to play.
    .global second_start
    second_start:
        msr     daifset, #0xf
        adrp    x1, __second_stack_top
        add     x1, x1, :lo12:__second_stack_top
        mov     sp, x1
        bl      prepare
        b       {second_main}

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
    first_main = sym super::first_main,
    second_main = sym super::second::main,
);

//! `memcpy` and `memset`, which the compiler calls wherever a large value moves.
//!
//! Those of `compiler_builtins` go by words of 8 bytes, and by single bytes to where these are aligned. Pairs of registers
//! take 32 bytes in six instructions, and unaligned accesses are allowed in Normal memory (SCTLR_EL2.A is clear), which is
//! all that the compiler knows of. No vector register is used: what is in those is a guest's.

use core::arch::global_asm;

global_asm!(
    r#"
    .section .text.memcpy, "ax"
    .global memcpy
    .type   memcpy, %function
memcpy:                                 // x0 to, x1 from, x2 bytes; gives back x0
    mov     x3, x0
    subs    x4, x2, #32
    b.lo    2f
1:  ldp     x5, x6, [x1], #16
    ldp     x7, x8, [x1], #16
    stp     x5, x6, [x3], #16
    stp     x7, x8, [x3], #16
    subs    x4, x4, #32
    b.hs    1b
2:  tbz     w2, #4, 3f                  // the low bits of the size say what is left
    ldp     x5, x6, [x1], #16
    stp     x5, x6, [x3], #16
3:  tbz     w2, #3, 4f
    ldr     x5, [x1], #8
    str     x5, [x3], #8
4:  tbz     w2, #2, 5f
    ldr     w5, [x1], #4
    str     w5, [x3], #4
5:  tbz     w2, #1, 6f
    ldrh    w5, [x1], #2
    strh    w5, [x3], #2
6:  tbz     w2, #0, 7f
    ldrb    w5, [x1]
    strb    w5, [x3]
7:  ret
    .size   memcpy, . - memcpy

    .section .text.memset, "ax"
    .global memset
    .type   memset, %function
memset:                                 // x0 to, w1 byte, x2 bytes; gives back x0
    mov     x3, x0
    and     x1, x1, #0xff
    orr     x1, x1, x1, lsl #8
    orr     x1, x1, x1, lsl #16
    orr     x1, x1, x1, lsl #32
    subs    x4, x2, #64
    b.lo    2f
1:  stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
    subs    x4, x4, #64
    b.hs    1b
2:  tbz     w2, #5, 3f
    stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
3:  tbz     w2, #4, 4f
    stp     x1, x1, [x3], #16
4:  tbz     w2, #3, 5f
    str     x1, [x3], #8
5:  tbz     w2, #2, 6f
    str     w1, [x3], #4
6:  tbz     w2, #1, 7f
    strh    w1, [x3], #2
7:  tbz     w2, #0, 8f
    strb    w1, [x3]
8:  ret
    .size   memset, . - memset
    "#
);

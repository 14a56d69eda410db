//! The first instructions, on the boot CPU and on every other one.
//!
//! The header is the arm64 Linux boot protocol's (Linux, Documentation/arch/arm64/booting.rst), which QEMU's `-kernel`
//! and U-Boot's `booti` understand. Everything in `.text.boot` runs with the MMU off at its physical address, so it
//! fits one page, addresses things relative to the PC and touches no stack but its own. The caller must not have left
//! dirty cache lines over the image; over `.bss`, which the loader does not fill, they are invalidated here
//! (DDI 0487 B2.8, mismatched attributes) before and after it is written with caches off.
//!
//! The same steps work at EL1 and EL3, with the other level's registers: there the hypervisor cannot run, but it can
//! say so on the console, which takes the whole of Rust.

use core::arch::global_asm;

/// `SCTLR_ELx` for all our CPUs: MMU, data and instruction caches on, stack alignment checks, writable means not
/// executable (WXN), and the RES1 bits of SCTLR_EL2 (DDI 0487 D24.2.175).
/// WXN is set from the start: no mapping of ours is ever both.
const SCTLR: u64 = 0x30c5_0830 | (1 << 19) | (1 << 12) | (1 << 3) | (1 << 2) | 1;

/// `TCR_EL2` less PS: 48 bits of virtual address (T0SZ 16), 4 KiB granule, walks inner shareable and write-back, and
/// its RES1 bits 31 and 23 (which TCR_EL1 reads as EPD1 and as TBI... and are therefore left out there).
const TCR: u64 = 16 | (0b01 << 8) | (0b01 << 10) | (0b11 << 12);
const TCR_EL2_RES1: u64 = (1 << 31) | (1 << 23);
/// EPD1: no walks through TTBR1_EL1.
const TCR_EL1_EPD1: u64 = 1 << 23;

/// What a secondary CPU is handed by PSCI `CPU_ON` as its context: the physical address of one of these.
///
/// It is read with the MMU off, so whoever fills it cleans it to the point of coherency first.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    /// Physical address of the root of the final tables.
    pub root: u64,
    /// Top of the CPU's stack, a virtual address.
    pub stack: u64,
    /// Handed to `ostler_secondary`.
    pub argument: u64,
}

/// Size of the boot CPU's first stack.
pub const BOOT_STACK_BYTES: u64 = 24576;

unsafe extern "C" {
    /// The image's first byte at its link address.
    pub static IMAGE_BASE: u8;
    /// End of the page that must stay mapped at its physical address for secondary CPUs.
    pub static __boot_end: u8;
    /// End of the executable pages.
    pub static __text_end: u8;
    /// End of the read-only pages.
    pub static __rodata_end: u8;
    /// End of the writable pages that have a place in the file.
    pub static __data_end: u8;
    /// End of the zeroed pages.
    pub static __bss_end: u8;
    /// End of the stack that the boot CPU begins on, [`BOOT_STACK_BYTES`] long.
    pub static __boot_stack_top: u8;
    /// Where PSCI starts a secondary CPU, at its link address.
    pub static _secondary: u8;
}

// Roles: x19 device tree, x20 physical load address, x21 CurrentEL.EL, x22 physical .bss.
global_asm!(
    r#"
    .section .head, "ax"
    .global _start
_start:
    b       boot                        // code0
    nop                                 // code1
    .quad   0                           // text_offset
    .quad   __image_bytes               // image_size, rewritten when the image section is appended
    .quad   0xa                         // flags: little-endian, 4 KiB pages, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

    .section .text.boot, "ax"
boot:
    msr     daifset, #0xf
    mov     x19, x0
    adrp    x20, _start
    mrs     x21, CurrentEL
    lsr     x21, x21, #2

    // .bss follows the image section: load address + image_size - .bss size.
    ldr     x22, [x20, #16]
    ldr     x1, =__bss_bytes
    sub     x22, x22, x1
    add     x22, x22, x20

    ldr     x2, =__zero_bytes           // the rest of .bss is initialised by whoever uses it, caches on
    mov     x0, x22
    add     x1, x22, x2
    bl      invalidate
1:  stp     xzr, xzr, [x0], #16         // `invalidate` leaves the start in x0 and the end in x1
    stp     xzr, xzr, [x0], #16         // whole pages
    stp     xzr, xzr, [x0], #16
    stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b

    // The tables are the first pages of .bss; the boot stack lies behind them.
    ldr     x1, =__boot_stack_top
    ldr     x2, =__bss_start
    sub     x1, x1, x2
    add     x1, x1, x22
    mov     sp, x1
    mov     x0, x20
    mov     x1, x22
    mov     x2, x19
    bl      early_tables
    mov     x23, x0                     // the root

    mov     x0, x22
    ldr     x1, =__zero_bytes
    add     x1, x1, x22
    bl      invalidate

    ldr     x24, =__boot_stack_top
    ldr     x25, =ostler_entry
    b       mmu_on

    // A secondary CPU: x0 is the physical address of its `Start`.
    .global _secondary
_secondary:
    msr     daifset, #0xf
    mrs     x21, CurrentEL
    lsr     x21, x21, #2
    ldp     x23, x24, [x0]
    ldr     x19, [x0, #16]
    ldr     x25, =ostler_secondary

    // x23 root, x24 stack, x25 where to go with x0 = x19, x1 = x20, x2 = x22, x3 = x21.
mmu_on:
    mrs     x2, ID_AA64MMFR0_EL1
    and     x2, x2, #0xf                // PARange
    cmp     x2, #5                      // 48 bits are all that a 4 KiB granule without LPA2 can name
    mov     x3, #5
    csel    x2, x2, x3, lo
    ldr     x3, ={tcr}
    ldr     x4, ={mair}
    ldr     x5, ={sctlr}
    ic      iallu
    cmp     x21, #2
    b.eq    2f
    b.hi    3f
    // EL1
    ldr     x6, ={epd1}
    orr     x3, x3, x6
    orr     x3, x3, x2, lsl #32         // TCR_EL1.IPS
    msr     MAIR_EL1, x4
    msr     TCR_EL1, x3
    msr     TTBR0_EL1, x23
    tlbi    vmalle1
    dsb     nsh
    isb
    msr     SCTLR_EL1, x5
    b       4f
2:  orr     x3, x3, x2, lsl #16         // TCR_EL2.PS
    ldr     x6, ={tcr_el2}
    orr     x3, x3, x6
    msr     HCR_EL2, xzr                // not VHE: TTBR0_EL2 and the layout of TCR_EL2 mean what they say
    isb
    msr     MAIR_EL2, x4
    msr     TCR_EL2, x3
    msr     TTBR0_EL2, x23
    tlbi    alle2
    tlbi    alle1
    dsb     nsh
    isb
    msr     SCTLR_EL2, x5
    b       4f
3:  orr     x3, x3, x2, lsl #16         // TCR_EL3.PS
    ldr     x6, ={tcr_el2}
    orr     x3, x3, x6
    msr     MAIR_EL3, x4
    msr     TCR_EL3, x3
    msr     TTBR0_EL3, x23
    tlbi    alle3
    dsb     nsh
    isb
    msr     SCTLR_EL3, x5
4:  isb
    mov     sp, x24
    mov     x0, x19
    mov     x1, x20
    mov     x2, x22
    mov     x3, x21
    mov     x29, xzr
    mov     x30, xzr
    br      x25

    // Invalidates x0..x1, whole pages, to the point of coherency. Keeps x0 and x1; uses x2 to x4. No CPU has lines of which
    // four are more than a page.
invalidate:
    mrs     x2, CTR_EL0
    ubfx    x2, x2, #16, #4             // DminLine: log2 of words
    mov     x3, #4
    lsl     x3, x3, x2
    mov     x4, x0
5:
    .rept   4
    dc      ivac, x4
    add     x4, x4, x3
    .endr
    cmp     x4, x1
    b.lo    5b
    dsb     sy
    ret

    .ltorg

    .section .bss.boot, "aw", %nobits
    .balign 4096
    .global __boot_tables
__boot_tables:
    .skip   4096 * {tables}
    .skip   {boot_stack}
    .global __boot_stack_top
__boot_stack_top:
    "#,
    tcr = const TCR,
    tcr_el2 = const TCR_EL2_RES1,
    epd1 = const TCR_EL1_EPD1,
    mair = const super::early::MAIR,
    sctlr = const SCTLR,
    tables = const super::early::TABLES,
    boot_stack = const BOOT_STACK_BYTES,
);

//! Into the guest and out of it: the vector table and the two ways through it.
//!
//! The general registers are stored, all of them if the handler may look at them. After a *quick* exit those come back that
//! a Rust handler may clobber (x0 to x18 and x30, AAPCS64 section 6.1.1), or all of them if the handler has changed another
//! one. A *slow* exit returns from [`enter`] to the loop. Nothing else switches stacks. Each exit is recorded (`recorder`).
//!
//! ```text
//! enter(context) ──▶ guest ──exception──▶ quick handler ──0, 2──▶ guest
//!        ▲                                     │
//!        └────────────── slow: 1 ◀─────────────┘
//! ```
//!
//! ELR_EL2 and SPSR_EL2 stay where they are through both: nothing at EL2 takes an exception and lives.
//!
//! While the guest runs, SP_EL2 is the address of its [`Context`]. While the hypervisor runs, any exception taken
//! at EL2 is a bug of ours: interrupts stay masked. Those vectors trust nothing, least of all the stack pointer;
//! they switch to the pCPU's emergency stack and do not come back.

use core::arch::global_asm;

use crate::context::{Context, HOST_SP};
use crate::recorder;

global_asm!(
    r#"
    .section .text.vectors, "ax"

    // Pairs of registers, as a context and a frame have them: x0 at the start, then by number.
    .macro x2_to_x17 op
    \op     x2, x3, [sp, #16 * 1]
    \op     x4, x5, [sp, #16 * 2]
    \op     x6, x7, [sp, #16 * 3]
    \op     x8, x9, [sp, #16 * 4]
    \op     x10, x11, [sp, #16 * 5]
    \op     x12, x13, [sp, #16 * 6]
    \op     x14, x15, [sp, #16 * 7]
    \op     x16, x17, [sp, #16 * 8]
    .endm
    .macro store_x18_to_x29
    stp     x18, x19, [sp, #16 * 9]
    stp     x20, x21, [sp, #16 * 10]
    stp     x22, x23, [sp, #16 * 11]
    stp     x24, x25, [sp, #16 * 12]
    stp     x26, x27, [sp, #16 * 13]
    stp     x28, x29, [sp, #16 * 14]
    .endm
    .macro x19_to_x28 op, base, offset
    \op     x19, x20, [\base, #\offset + 16 * 0]
    \op     x21, x22, [\base, #\offset + 16 * 1]
    \op     x23, x24, [\base, #\offset + 16 * 2]
    \op     x25, x26, [\base, #\offset + 16 * 3]
    \op     x27, x28, [\base, #\offset + 16 * 4]
    .endm

    .macro fatal kind
    .balign 0x80
    // The guest's thread registers serve as scratch: nobody will read them again.
    msr     TPIDR_EL0, x0
    mov     x0, sp
    msr     TPIDRRO_EL0, x0
    mrs     x0, TPIDR_EL2
    cbz     x0, 9f                      // before the pCPU's own data exists: keep the stack
    ldr     x0, [x0, #{emergency}]
    mov     sp, x0
9:  mrs     x0, TPIDR_EL0
    sub     sp, sp, #{frame}
    stp     x0, x1, [sp]
    mov     x0, #\kind
    b       fatal_common
    .endm

    // A handler that looks at the guest's registers gets all of them, one that only takes an interrupt not. A vector has room
    // for 32 instructions: the rest is `handle`.
    .macro lower handler, detour
    .balign 0x80
    stp     x0, x1, [sp, #16 * 0]
    x2_to_x17 stp
    .ifc    \detour, detour
    store_x18_to_x29
    .else
    str     x18, [sp, #16 * 9]
    .endif
    str     x30, [sp, #16 * 15]
    b       \handler\()_handle
    .endm

    // The record of this exit (see `recorder`), and what it costs the vCPU's credit. x0, x2 to x6 are scratch, x4 is the tag.
    .macro record what
    mrs     x0, TPIDR_EL2
    ldp     x2, x3, [x0, #{recorder}]   // the next record, the credit
    mrs     x5, CNTPCT_EL0
    mrs     x6, ELR_EL2
    stp     x5, x6, [x2], #16
    .ifc    \what, syndrome
    mrs     x5, ESR_EL2
    bfxil   x4, x5, #0, #{cause_bits}
    mrs     x5, FAR_EL2
    mrs     x6, HPFAR_EL2
    lsr     x6, x6, #4
    bfi     x5, x6, #12, #52            // FIPA is the page, FAR has the offset in it
    stp     x4, x5, [x2], #16
    .else
    orr     x4, x4, #{interrupt}
    stp     x4, xzr, [x2], #16
    .endif
    bic     x2, x2, #{ring_bytes}
    subs    x3, x3, #1
    stp     x2, x3, [x0, #{recorder}]
    b.pl    1f
    mov     x3, #1                      // used up: EL2's timer goes off (see `alarm`), and the loop decides
    msr     CNTHP_CVAL_EL2, xzr
    msr     CNTHP_CTL_EL2, x3
1:
    .endm

    .macro handle handler, detour, what
\handler\()_handle:
    ldp     x1, x4, [sp, #{host_sp}]    // the tag lies behind
    .if     {records}
    record  \what
    .endif
    mov     x0, sp
    mov     sp, x1
    bl      \handler
    cbnz    x0, \detour
    ldr     x1, [sp]                    // `enter` left the context's address on top of the stack
    mov     sp, x1
    b       resume
    .endm

    .balign 0x800
    .global __vectors
__vectors:
    fatal   0                           // current EL, SP_EL0
    fatal   1
    fatal   2
    fatal   3
    fatal   4                           // current EL, SP_EL2
    fatal   5
    fatal   6
    fatal   7
    lower   ostler_quick_sync, detour   // EL1 is AArch64 (HCR_EL2.RW), so 32-bit EL0 arrives here too (DDI 0487 D1.10.2)
    lower   ostler_quick_irq, interrupted
    lower   ostler_quick_irq, interrupted //  FIQ: group 0 is never enabled; an answer all the same
    lower   ostler_quick_serror, detour
    fatal   12                          // EL1 in AArch32: cannot be
    fatal   13
    fatal   14
    fatal   15

    .balign 64
    handle  ostler_quick_sync, detour, syndrome
    handle  ostler_quick_irq, interrupted, interrupt
    handle  ostler_quick_serror, detour, syndrome

    .balign 64
resume:
    x2_to_x17 ldp
    ldr     x18, [sp, #16 * 9]
    ldr     x30, [sp, #16 * 15]
    ldp     x0, x1, [sp]
    eret
    dsb     nsh                         // nothing is speculated past the return (DDI 0487 B2.3.10)
    isb

interrupted:
    // Always on the way to the loop.
    ldr     x1, [sp]
    x19_to_x28 stp, x1, 152
    str     x29, [x1, #232]
    b       slow
detour:
    // x0: the handler's code. x19 to x29 are still the guest's, as they were.
    tbz     x0, #1, slow
    ldr     x1, [sp]
    mov     sp, x1
    b       resume_all
slow:
    x19_to_x28 ldp, sp, 16
    ldp     x29, x30, [sp, #16 * 6]
    add     sp, sp, #16 * 7
    ret

    .global ostler_enter
ostler_enter:
    sub     sp, sp, #16 * 7
    str     x0, [sp]
    x19_to_x28 stp, sp, 16
    stp     x29, x30, [sp, #16 * 6]
    mov     x1, sp
    str     x1, [x0, #{host_sp}]
    mov     sp, x0
resume_all:
    x19_to_x28 ldp, sp, 152
    ldr     x29, [sp, #232]
    b       resume

fatal_common:
    // x0: which vector. x0 and x1 are at the stack's top; the rest follows.
    x2_to_x17 stp
    store_x18_to_x29
    mrs     x1, TPIDRRO_EL0
    stp     x30, x1, [sp, #16 * 15]
    mov     x1, sp
    bl      ostler_fatal
1:  wfe
    b       1b
    "#,
    emergency = const crate::cpu::EMERGENCY,
    frame = const size_of::<FatalFrame>(),
    host_sp = const HOST_SP,
    recorder = const crate::cpu::RECORDER,
    ring_bytes = const recorder::RING_BYTES,
    cause_bits = const recorder::CAUSE_BITS,
    interrupt = const recorder::INTERRUPT,
    records = const !cfg!(feature = "unrecorded") as u32,
);

/// Registers at a fatal exception, as the vector stored them; handed to `ostler_fatal`.
#[repr(C)]
#[derive(Debug)]
pub struct FatalFrame {
    /// x0 to x30.
    pub x: [u64; 31],
    /// The stack pointer at the exception.
    pub sp: u64,
}

impl FatalFrame {
    /// The registers as they are right here.
    #[inline(always)]
    pub fn here() -> FatalFrame {
        let mut frame = FatalFrame { x: [0; 31], sp: 0 };
        // SAFETY: 32 stores into `frame`, whose address is in one of the registers that are stored.
        unsafe {
            core::arch::asm!(
                "stp x0, x1, [{at}]",
                "stp x2, x3, [{at}, #16 * 1]",
                "stp x4, x5, [{at}, #16 * 2]",
                "stp x6, x7, [{at}, #16 * 3]",
                "stp x8, x9, [{at}, #16 * 4]",
                "stp x10, x11, [{at}, #16 * 5]",
                "stp x12, x13, [{at}, #16 * 6]",
                "stp x14, x15, [{at}, #16 * 7]",
                "stp x16, x17, [{at}, #16 * 8]",
                "stp x18, x19, [{at}, #16 * 9]",
                "stp x20, x21, [{at}, #16 * 10]",
                "stp x22, x23, [{at}, #16 * 11]",
                "stp x24, x25, [{at}, #16 * 12]",
                "stp x26, x27, [{at}, #16 * 13]",
                "stp x28, x29, [{at}, #16 * 14]",
                "mov x16, sp",
                "stp x30, x16, [{at}, #16 * 15]",
                at = in(reg) &raw mut frame,
                out("x16") _,
                options(nostack, preserves_flags)
            );
        }
        frame
    }
}

unsafe extern "C" {
    /// The vector table, 2 KiB aligned.
    static __vectors: u8;
    /// Runs the guest in `context` until an exit that the quick handlers leave to the loop; returns their code.
    fn ostler_enter(context: *mut Context) -> u64;
}

/// Makes this CPU use our vectors.
pub fn install_vectors() {
    // SAFETY: the table is code of ours, aligned as VBAR_EL2 needs it, and mapped for good.
    unsafe {
        crate::registers::write!("VBAR_EL2", &raw const __vectors as u64);
        core::arch::asm!("isb", options(nostack, preserves_flags));
    }
}

/// Runs the guest whose registers are in `context` until a slow exit, and returns the quick handler's code.
///
/// # Safety
/// `context` is the first field of the [`crate::vcpu::Vcpu`] that this pCPU owns and has loaded: second stage, EL1
/// registers, ELR_EL2, SPSR_EL2 and list registers are that vCPU's, and nobody else touches it until this returns.
pub(crate) unsafe fn enter(context: *mut Context) -> u64 {
    // SAFETY: the caller's promise is exactly what the assembly needs.
    unsafe { ostler_enter(context) }
}

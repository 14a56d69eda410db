//! Into the guest and out of it.
//!
//! Around VMRUN the general registers are stored and loaded, all that the VMCB has not. After a *quick* exit those come back that a
//! Rust handler may clobber (System V ABI, x86-64, 3.2.1), or all of them if the handler has changed another one. A *slow* exit
//! returns from [`enter`] to the loop. Nothing else switches stacks. Each exit is recorded (`recorder`).
//!
//! ```text
//! enter(context) ──▶ guest ──#VMEXIT──▶ quick handler ──0, 2──▶ guest
//!        ▲                                    │
//!        └────────────── slow: 1 ◀────────────┘
//! ```
//!
//! While the guest runs, the host's RSP, which VMRUN keeps, is the address of its [`Context`]. From CLGI until a slow exit the global
//! interrupt flag is clear, as every #VMEXIT leaves it (APM volume 2, 15.17): no interrupt and no NMI finds a guest's stack, or
//! its FS, GS and TR, which VMRUN does not switch: VMLOAD brings the host's back before anything else is done. IF is set meanwhile,
//! for that is what lets the board's interrupts end the guest's run (15.21.1).

use core::arch::global_asm;
use core::mem::offset_of;

use super::vmcb::{Control, State, Vmcb};
use crate::context::{Context, offset};
use crate::recorder;

global_asm!(
    r#"
    .section .text.svm, "ax"

    // The registers that functions keep: RBX, RBP, R12 to R15.
    .macro  load_kept
    mov     rbx, [rsp + 8 * 3]
    mov     rbp, [rsp + 8 * 5]
    mov     r12, [rsp + 8 * 12]
    mov     r13, [rsp + 8 * 13]
    mov     r14, [rsp + 8 * 14]
    mov     r15, [rsp + 8 * 15]
    .endm

    .balign 64
    .global ostler_enter
ostler_enter:
    push    rbx
    push    rbp
    push    r12
    push    r13
    push    r14
    push    r15
    push    rdi                         // the stack is aligned for a call now
    mov     [rdi + {host_sp}], rsp
    mov     rsp, rdi
    clgi
    sti
resume_all:
    load_kept
    jmp     resume
resume_quick:
    mov     rsp, [rsp]                  // the context
resume:
    mov     rax, [rsp + {vmcb}]
    mov     rcx, [rsp + 8 * 1]
    mov     rdx, [rsp + 8 * 2]
    mov     rsi, [rsp + 8 * 6]
    mov     rdi, [rsp + 8 * 7]
    mov     r8, [rsp + 8 * 8]
    mov     r9, [rsp + 8 * 9]
    mov     r10, [rsp + 8 * 10]
    mov     r11, [rsp + 8 * 11]
    vmload  rax
    vmrun   rax
    vmsave  rax
    mov     [rsp + 8 * 1], rcx
    mov     [rsp + 8 * 2], rdx
    mov     [rsp + 8 * 3], rbx
    mov     [rsp + 8 * 5], rbp
    mov     [rsp + 8 * 6], rsi
    mov     [rsp + 8 * 7], rdi
    mov     [rsp + 8 * 8], r8
    mov     [rsp + 8 * 9], r9
    mov     [rsp + 8 * 10], r10
    mov     [rsp + 8 * 11], r11
    mov     [rsp + 8 * 12], r12
    mov     [rsp + 8 * 13], r13
    mov     [rsp + 8 * 14], r14
    mov     [rsp + 8 * 15], r15
    mov     rsi, rax
    mov     rax, [rsp + {host}]
    vmload  rax
    mov     rdi, rsp
    .if     {records}
    // The record of this exit (see `recorder`), and what it costs the vCPU's credit.
    mov     rcx, gs:[{recorder}]        // the next record
    rdtsc
    mov     [rcx], eax
    mov     [rcx + 4], edx
    mov     rax, [rsi + {rip}]
    mov     [rcx + 8], rax
    mov     rax, [rsi + {info_1}]
    movzx   edx, word ptr [rsi + {code}]    // all that there is of codes
    shl     rax, {code_bits} + 64 - {cause_bits}
    shr     rax, 64 - {cause_bits}
    or      rax, rdx
    or      rax, [rsp + {tag}]
    mov     [rcx + 16], rax
    mov     rax, [rsi + {info_2}]
    mov     [rcx + 24], rax
    add     rcx, 32
    and     rcx, ~{ring_bytes}
    mov     gs:[{recorder}], rcx
    mov     rsp, [rsp + {host_sp}]
    dec     qword ptr gs:[{recorder} + 8]
    js      used_up
    .else
    mov     rsp, [rsp + {host_sp}]
    .endif
    call    ostler_quick_exit
3:  test    eax, eax
    jz      resume_quick
    // RBX and its likes are still the guest's, or as the handler found them.
    test    al, 2
    jz      slow
    mov     rsp, [rsp]
    jmp     resume_all
used_up:
    call    ostler_last_exit            // the loop decides
    jmp     3b
slow:
    cli
    stgi
    pop     rdi
    pop     r15
    pop     r14
    pop     r13
    pop     r12
    pop     rbp
    pop     rbx
    ret
    "#,
    host_sp = const offset::HOST_SP,
    vmcb = const offset::VMCB,
    host = const offset::HOST,
    tag = const offset::TAG,
    recorder = const crate::cpu::RECORDER,
    rip = const offset_of!(Vmcb, state) + offset_of!(State, rip),
    code = const offset_of!(Control, exit_code),
    info_1 = const offset_of!(Control, exit_info_1),
    info_2 = const offset_of!(Control, exit_info_2),
    code_bits = const recorder::CODE_BITS,
    cause_bits = const recorder::CAUSE_BITS,
    ring_bytes = const recorder::RING_BYTES,
    records = const !cfg!(feature = "unrecorded") as u32,
);

unsafe extern "C" {
    /// Runs the guest in `context` until an exit that the quick handlers leave to the loop; returns their code.
    fn ostler_enter(context: *mut Context) -> u64;
}

/// Runs the guest whose registers are in `context` until a slow exit, and returns the quick handler's code.
///
/// # Safety
/// `context` is the first field of the [`crate::vcpu::Vcpu`] that this pCPU owns and has loaded, `init_cpu` has run, and nobody
/// else touches the vCPU or its VMCB until this returns.
pub(crate) unsafe fn enter(context: *mut Context) -> u64 {
    // SAFETY: the caller's promise is exactly what the assembly needs.
    unsafe { ostler_enter(context) }
}

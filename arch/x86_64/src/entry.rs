//! The interrupt descriptor table: what the hypervisor does with exceptions of its own, and with interrupts.
//!
//! While the hypervisor runs, an exception is a bug of ours. Those stubs trust nothing, least of all the stack pointer: the CPU
//! has switched to the pCPU's emergency stack (`gdt`), and they do not come back. That holds for machine checks too, which tell of
//! broken hardware. NMIs are no exceptions of ours, and do come back (`complaint`).
//!
//! Interrupts stay masked but for the windows that `controller::take` and `cpu::wait_for_interrupt` open. A stub there notes
//! the vector in the pCPU's own data and returns with interrupts masked: a window lets one through, and who opened it does the
//! rest, as a GIC's acknowledge register lets arm64 do.

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU64, Ordering};

use x86_64::VirtAddr;
use x86_64::instructions::tables::{DescriptorTablePointer, lidt};

use crate::gdt::{CODE, FATAL_STACK, NMI_STACK, Segments};

/// Vectors that are exceptions (APM volume 2, 8.1).
const EXCEPTIONS: usize = 32;
/// The vector of NMIs.
const NMI: usize = 2;
/// Bytes from one exception's stub to the next.
const EXCEPTION_BYTES: usize = 16;
/// The same of interrupts.
const INTERRUPT_BYTES: usize = 8;

global_asm!(
    r#"
    .section .text.vectors, "ax"
    // The frame of an exception always has an error code (APM volume 2, 8.9.2): zero where the CPU stores none.
    .balign {exception_bytes}
    .global __exception_stubs
__exception_stubs:
    .set    vector, 0
    .rept   {exceptions}
    .balign {exception_bytes}
    .if     (0x60227d00 >> vector) & 1  // 8, 10 to 14, 17, 21, 29, 30
    .else
    push    0
    .endif
    push    vector
    jmp     fatal
    .set    vector, vector + 1
    .endr

    // PUSH of a byte, which takes part of the space that one of a word would: the byte is what counts of it.
    .balign {interrupt_bytes}
    .global __interrupt_stubs
__interrupt_stubs:
    .rept   256 - {exceptions}
    .balign {interrupt_bytes}
    .byte   0x6a, vector
    jmp     interrupt
    .set    vector, vector + 1
    .endr

    // As `FatalFrame` has them, from its end to its start.
fatal:
    push    r15
    push    r14
    push    r13
    push    r12
    push    r11
    push    r10
    push    r9
    push    r8
    push    rdi
    push    rsi
    push    rbp
    push    rbx
    push    rdx
    push    rcx
    push    rax
    cld
    mov     rdi, [rsp + 8 * 15]
    mov     rsi, rsp
    and     rsp, -16
    call    ostler_fatal
2:  hlt
    jmp     2b

interrupt:
    pop     qword ptr gs:[{taken}]
    and     dword ptr [rsp + 16], ~{interrupts_on} & 0xffffffff
    iretq

    .section .bss.emergency, "aw", %nobits
    .balign 16
    .skip   8192
__early_emergency_top:
    "#,
    exception_bytes = const EXCEPTION_BYTES,
    interrupt_bytes = const INTERRUPT_BYTES,
    exceptions = const EXCEPTIONS,
    taken = const crate::cpu::TAKEN,
    interrupts_on = const crate::cpu::INTERRUPTS_ON,
);

/// Registers at a fatal exception, as the stub and the CPU stored them; handed to `ostler_fatal`.
#[repr(C)]
#[derive(Debug)]
pub struct FatalFrame {
    /// rax, rcx, rdx, rbx, rbp, rsi, rdi, r8 to r15.
    pub registers: [u64; 15],
    /// The exception.
    pub vector: u64,
    /// Its error code; zero if it has none.
    pub error: u64,
    /// Where it happened.
    pub rip: u64,
    /// Its code segment.
    pub cs: u64,
    /// RFLAGS there.
    pub rflags: u64,
    /// The stack pointer there.
    pub rsp: u64,
    /// Its stack segment.
    pub ss: u64,
}

impl FatalFrame {
    /// Names of [`FatalFrame::registers`].
    pub const NAMES: [&str; 15] =
        ["rax", "rcx", "rdx", "rbx", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// The registers as they are right here.
    #[inline(always)]
    pub fn here() -> FatalFrame {
        let mut frame =
            FatalFrame { registers: [0; 15], vector: 0, error: 0, rip: 0, cs: CODE.0 as u64, rflags: 0, rsp: 0, ss: 0 };
        // SAFETY: stores into `frame`, whose address is in one of the registers that are stored; the flags are pushed and popped.
        unsafe {
            asm!(
                "mov [{at}], rax",
                "mov [{at} + 8 * 1], rcx",
                "mov [{at} + 8 * 2], rdx",
                "mov [{at} + 8 * 3], rbx",
                "mov [{at} + 8 * 4], rbp",
                "mov [{at} + 8 * 5], rsi",
                "mov [{at} + 8 * 6], rdi",
                "mov [{at} + 8 * 7], r8",
                "mov [{at} + 8 * 8], r9",
                "mov [{at} + 8 * 9], r10",
                "mov [{at} + 8 * 10], r11",
                "mov [{at} + 8 * 11], r12",
                "mov [{at} + 8 * 12], r13",
                "mov [{at} + 8 * 13], r14",
                "mov [{at} + 8 * 14], r15",
                "mov [{rsp}], rsp",
                "lea {scratch}, [rip]",
                "mov [{rip}], {scratch}",
                at = in(reg) &raw mut frame.registers,
                rsp = in(reg) &raw mut frame.rsp,
                rip = in(reg) &raw mut frame.rip,
                scratch = out(reg) _,
                options(nostack, preserves_flags)
            );
        }
        frame
    }
}

/// The table: two words a gate. Every store is of the same values, so all CPUs write it; the `x86_64` crate's has one owner, and names
/// each exception, where these gates lead to stubs at equal distances.
static GATES: [AtomicU64; 512] = [const { AtomicU64::new(0) }; 512];
/// Its last byte.
const GATES_LIMIT: u16 = size_of::<[AtomicU64; 512]>() as u16 - 1;
/// The boot CPU's segments before it has its own.
static EARLY: Segments = Segments::new();

unsafe extern "C" {
    /// The stubs of exceptions, [`EXCEPTION_BYTES`] apart.
    static __exception_stubs: u8;
    /// Those of all other vectors, [`INTERRUPT_BYTES`] apart.
    static __interrupt_stubs: u8;
    /// That of NMIs (`complaint`).
    static __nmi_stub: u8;
    /// End of the stack for fatal exceptions before the pCPUs have their own.
    static __early_emergency_top: u8;
}

/// An interrupt gate to `target` (APM volume 2, 4.8.4), present, for privilege level 0.
const fn gate(target: u64, stack: u8) -> [u64; 2] {
    let ends = (target & 0xffff) | ((target >> 16) & 0xffff) << 48;
    [ends | (CODE.0 as u64) << 16 | (stack as u64) << 32 | 0x8e << 40, target >> 32]
}

/// Makes this CPU use our vectors. The boot CPU gets an emergency stack for the time before [`crate::cpu::set_local`] gives it
/// its own; on any other CPU that has to come next.
pub fn install_vectors() {
    let exceptions = &raw const __exception_stubs as u64;
    let interrupts = &raw const __interrupt_stubs as u64;
    let (mut stub, mut bytes, mut stack) = (exceptions, EXCEPTION_BYTES, FATAL_STACK);
    for (vector, entry) in GATES.chunks_exact(2).enumerate() {
        if vector == EXCEPTIONS {
            (stub, bytes, stack) = (interrupts, INTERRUPT_BYTES, 0);
        }
        let gate = if vector == NMI { gate(&raw const __nmi_stub as u64, NMI_STACK) } else { gate(stub, stack) };
        entry.iter().zip(gate).for_each(|(entry, word)| entry.store(word, Ordering::Relaxed));
        stub = stub.wrapping_add(bytes as u64);
    }
    if crate::cpu::is_boot_cpu() {
        // SAFETY: the boot CPU's alone, and so is the stack.
        unsafe { EARLY.load(&raw const __early_emergency_top as u64) };
    }
    let base = VirtAddr::new_truncate(GATES.as_ptr() as u64);
    // SAFETY: the table is static, and each gate leads to a stub.
    unsafe { lidt(&DescriptorTablePointer { limit: GATES_LIMIT, base }) };
}

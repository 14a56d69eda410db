//! The vectors, the one interrupt handler, and exceptions that a guest provokes on purpose.

use super::apic;
use crate::{fail, program, read_control, say, timer};
use core::arch::{asm, global_asm};
use core::mem::size_of;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

// Handlers are compiled without floating point, so the general registers that a call may clobber are all there is to save.
global_asm!(
    r#"
    .section .text.vectors, "ax"
    .balign 16
    // 16 bytes each: an error code where the CPU pushes none (APM volume 2, 8.4), the vector, and on.
    exception_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
        .byte   0x6a, 0
    .endif
        .byte   0x68
        .long   vector
        jmp     2f
    .set vector, vector + 1
    .endr

    2:  push    rax
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        cld
        mov     rdi, rsp
        call    {taken}
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rax
        add     rsp, 16
        iretq
    "#,
    taken = sym on_vector,
);

/// What the stubs and the CPU pushed.
#[repr(C)]
struct Frame {
    registers: [u64; 9],
    vector: u64,
    error: u64,
    rip: u64,
    cs: u64,
    flags: u64,
    rsp: u64,
    ss: u64,
}

/// Exceptions are below; above are interrupts.
pub const FIRST_INTERRUPT: u32 = 32;

/// Vectors of the exceptions that guests provoke.
pub mod vector {
    #![allow(missing_docs, reason = "the manual's own names")]
    pub const DEBUG: u32 = 1;
    pub const NON_MASKABLE: u32 = 2;
    pub const BREAKPOINT: u32 = 3;
    pub const INVALID_OPCODE: u32 = 6;
    pub const GENERAL_PROTECTION: u32 = 13;
    pub const PAGE_FAULT: u32 = 14;
}

/// An exception that was provoked on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Which.
    pub vector: u32,
    /// Its error code; 0 if it has none.
    pub error: u32,
    /// CR2, of a page fault.
    pub address: u64,
}

impl Exception {
    /// Whether it is that of an instruction that is not there.
    pub const fn is_undefined(self) -> bool {
        self.vector == vector::INVALID_OPCODE
    }

    /// Whether it is that of an MSR, a value or an address that is not there, with no segment to blame.
    pub const fn is_protection(self) -> bool {
        self.vector == vector::GENERAL_PROTECTION && self.error == 0
    }
}

/// Where the instruction that may take an exception goes on after it; 0: none is expected.
static RESUME: AtomicU64 = AtomicU64::new(0);
/// The vector plus one of the exception that came; 0: none.
static TAKEN: AtomicU64 = AtomicU64::new(0);
static ERROR: AtomicU64 = AtomicU64::new(0);
static ADDRESS: AtomicU64 = AtomicU64::new(0);

#[doc(hidden)]
pub static EXPECT: &AtomicU64 = &RESUME;

/// The exception that [`crate::attempt!`]'s instruction took.
#[doc(hidden)]
pub fn came() -> Result<(), Exception> {
    RESUME.store(0, Relaxed);
    match TAKEN.swap(0, Relaxed) {
        0 => Ok(()),
        vector => Err(Exception {
            vector: vector as u32 - 1,
            error: ERROR.load(Relaxed) as u32,
            address: ADDRESS.load(Relaxed),
        }),
    }
}

/// Executes what may take one exception, and then goes on behind it: `Err` says which. Takes an instruction and its operands as
/// `asm!` does. One CPU at a time.
#[macro_export]
macro_rules! attempt {
    ($instruction:expr $(, $($operand:tt)*)?) => {{
        // SAFETY: the handler goes on behind the instruction, with all registers as it found them. What the instruction does
        // otherwise is the caller's to say, as with MMIO and ports: nothing to Rust's objects.
        unsafe {
            core::arch::asm!("lea {resume}, [rip + 77f]", "mov [{expect}], {resume}", $instruction, "77:",
                resume = out(reg) _, expect = in(reg) $crate::exceptions::EXPECT.as_ptr() $(, $($operand)*)?)
        };
        $crate::exceptions::came()
    }};
}

extern "C" fn on_vector(frame: &mut Frame) {
    let vector = frame.vector as u32;
    if vector < FIRST_INTERRUPT {
        return exception(frame);
    }
    // A spurious interrupt is not in service, and nothing is to be ended (SDM volume 3, 11.9).
    if vector == apic::SPURIOUS {
        return;
    }
    if !timer::took(vector) {
        (program::this().interrupt)(vector);
    }
    apic::end(vector);
}

fn exception(frame: &mut Frame) {
    let resume = RESUME.swap(0, Relaxed);
    if resume == 0 {
        unexpected(frame);
    }
    ERROR.store(frame.error, Relaxed);
    ADDRESS.store(read_control!("cr2"), Relaxed);
    TAKEN.store(frame.vector + 1, Relaxed);
    frame.rip = resume;
}

fn unexpected(frame: &Frame) -> ! {
    let Frame { vector, error, rip, rsp, flags, .. } = frame;
    let cr2 = read_control!("cr2");
    say!("vector {vector}, error {error:#x}, RIP {rip:#x}, CR2 {cr2:#x}, RSP {rsp:#x}, RFLAGS {flags:#x}");
    fail("an exception that nobody asked for")
}

/// The interrupt descriptor table: two words a vector.
#[repr(C, align(16))]
struct Descriptors([[AtomicU64; 2]; 256]);

static DESCRIPTORS: Descriptors = Descriptors([const { [const { AtomicU64::new(0) }; 2] }; 256]);

/// What LIDT takes.
#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

unsafe extern "C" {
    static exception_stubs: u8;
}

/// Makes the table: an interrupt gate for each vector, in the code segment of `boot` (APM volume 2, 4.8.4).
pub(super) fn fill() {
    let stubs = &raw const exception_stubs as u64;
    for (vector, stub) in (0..256).zip((stubs..).step_by(16)) {
        set_handler(vector, stub);
    }
}

/// From here on `handler` is entered by this vector, and has to end by IRETQ.
pub fn set_handler(vector: u32, handler: u64) {
    let [low, high] = &DESCRIPTORS.0[vector as usize];
    low.store((handler & 0xffff) | 0x08 << 16 | 0x8e00 << 32 | (handler >> 16 & 0xffff) << 48, Relaxed);
    high.store(handler >> 32, Relaxed);
}

/// This CPU takes exceptions and interrupts here from now on.
pub fn load() {
    load_table(DESCRIPTORS.0.as_ptr() as u64, size_of::<Descriptors>());
}

/// This CPU takes them by another table from now on.
pub fn load_table(base: u64, bytes: usize) {
    let pointer = Pointer { limit: (bytes - 1) as u16, base };
    // SAFETY: the table is a static with a gate for each vector.
    unsafe { asm!("lidt [{}]", in(reg) &raw const pointer, options(nostack, preserves_flags)) };
}

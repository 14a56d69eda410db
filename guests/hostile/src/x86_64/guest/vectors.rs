//! The vectors while it attacks: an exception or an interrupt is counted, and the attack that took it is over.
//!
//! Each kind has a stack of its own (APM volume 2, 8.9.4), because the one that an attack leaves may be any. A frame is found from the
//! end of its stack: INT n of a vector with an error code pushes none.

use crate::x86_64::attack::World;
use core::arch::{asm, global_asm};
use core::fmt::{Display, Formatter, Result};
use core::mem::size_of;
use core::ops::Sub;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use guest_runtime::exceptions::{self, FIRST_INTERRUPT, vector};
use guest_runtime::{apic, fail};

global_asm!(
    r#"
    .section .text.hostile, "ax"
    .balign 16
    hostile_stubs:
    .set hostile_vector, 0
    .rept 256
    .balign 16
        .byte   0x68
        .long   hostile_vector
    .if hostile_vector == 8
        jmp     hostile_lost
    .elseif hostile_vector == 2 || hostile_vector >= 32
        jmp     hostile_interrupt
    .else
        jmp     hostile_exception
    .endif
    .set hostile_vector, hostile_vector + 1
    .endr

    // On the first stack. Goes on at r15, or from CPL 3 where it was left to.
    hostile_exception:
        push    rax
        push    rcx
        mov     rax, [rsp + 16]
        lea     rcx, [rip + {counts}]
        inc     qword ptr [rcx + rax * 8]
        cmp     qword ptr [rip + {saved}], 0
        je      hostile_lost
        lea     rcx, [rip + {stacks} + {size}]
        lea     rax, [rip + hostile_left]
        cmp     byte ptr [rip + {is_user}], 0
        cmove   rax, r15
        mov     [rcx - 40], rax
        mov     qword ptr [rcx - 32], 0x08
        mov     qword ptr [rcx - 24], 2
        mov     rax, [rip + {saved}]
        mov     [rcx - 16], rax
        mov     qword ptr [rcx - 8], 0x10
        pop     rcx
        pop     rax
        lea     rsp, [rip + {stacks} + {size} - 40]
        iretq

    // On the second stack (a non-maskable one) or the third. Goes on where it came from, but ends an attack. A non-maskable one ends
    // none at CPL 0: it may come between two, and the one before would be passed twice.
    hostile_interrupt:
        push    rax
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        cld
        mov     rdi, [rsp + 72]
        sub     rsp, 8
        call    {interrupt}
        add     rsp, 8
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rax
        cmp     qword ptr [rip + {saved}], 0
        je      2f
        cmp     byte ptr [rip + {is_user}], 0
        jne     1f
        cmp     byte ptr [rsp], {non_maskable}
        je      2f
    1:  lea     rax, [rip + hostile_left]
        cmp     byte ptr [rip + {is_user}], 0
        cmove   rax, r15
        mov     [rsp + 8], rax
        mov     qword ptr [rsp + 16], 0x08
        mov     qword ptr [rsp + 24], 2
        mov     rax, [rip + {saved}]
        mov     [rsp + 32], rax
        mov     qword ptr [rsp + 40], 0x10
    2:  add     rsp, 8
        iretq

    hostile_lost:
        and     rsp, -16
        call    {lost}

    // hostile_call(code, results): rbp, r12, r13, r14 to `results`.
    .global hostile_call
    hostile_call:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        push    rsi
        lea     rax, [rip + hostile_done]
        push    rax
        mov     [rip + {saved}], rsp
        mov     r13, rsp
        mov     rbp, {canary}
        mov     r12, {canary}
        not     r12
        xor     r14d, r14d
        jmp     rdi

    hostile_done:
        mov     qword ptr [rip + {saved}], 0
        pop     rsi
        mov     [rsi], rbp
        mov     [rsi + 8], r12
        lea     rax, [rsp - 16]
        sub     rax, r13
        mov     [rsi + 16], rax
        mov     [rsi + 24], r14
        push    2
        popfq
        jmp     3f

    // hostile_enter(address): at CPL 3, until an exception or an interrupt.
    .global hostile_enter
    hostile_enter:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        mov     [rip + {saved}], rsp
        mov     byte ptr [rip + {is_user}], 1
        push    0x1b
        push    0
        push    0x202
        push    0x23
        push    rdi
        iretq

    hostile_left:
        mov     byte ptr [rip + {is_user}], 0
        mov     qword ptr [rip + {saved}], 0
        cld
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax
    3:  mov     eax, 0x10
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
    "#,
    counts = sym COUNTS,
    saved = sym SAVED,
    is_user = sym IS_USER,
    stacks = sym STACKS,
    size = const STACK,
    canary = const CANARY,
    non_maskable = const vector::NON_MASKABLE,
    interrupt = sym interrupt,
    lost = sym lost,
);

/// What is in rbp, and inverted in r12, which no attack touches.
pub(super) const CANARY: u64 = 0x0123_4567_89ab_cdef;

const STACK: usize = 8192;

/// For exceptions, non-maskable interrupts, interrupts, double faults.
#[repr(C, align(16))]
struct Stacks([[AtomicU8; STACK]; 4]);

static STACKS: Stacks = Stacks([const { [const { AtomicU8::new(0) }; STACK] }; 4]);
static COUNTS: [AtomicU64; 32] = [const { AtomicU64::new(0) }; 32];
static INTERRUPTS: AtomicU64 = AtomicU64::new(0);
/// The stack pointer of a batch; 0: there is none.
static SAVED: AtomicU64 = AtomicU64::new(0);
/// What runs is at CPL 3.
static IS_USER: AtomicU8 = AtomicU8::new(0);

/// The task-state segment in 64-bit mode, and a bit for each port, of which one more byte has to be ones (APM volume 2, 12.2.5).
#[repr(C, align(4096))]
struct Task([AtomicU8; TASK]);

const TASK: usize = 104 + 8192 + 1;
static TASK_STATE: Task = Task([const { AtomicU8::new(0) }; TASK]);

/// None; 64-bit code; data; data and 64-bit code of CPL 3; the task-state segment, of two words.
static SEGMENTS: [AtomicU64; 7] = [
    AtomicU64::new(0),
    AtomicU64::new(0x00af_9b00_0000_ffff),
    AtomicU64::new(0x00cf_9300_0000_ffff),
    AtomicU64::new(0x00cf_f300_0000_ffff),
    AtomicU64::new(0x00af_fb00_0000_ffff),
    AtomicU64::new(0),
    AtomicU64::new(0),
];

/// A descriptor for each vector.
#[repr(C, align(16))]
struct Descriptors([[AtomicU64; 2]; 256]);

static DESCRIPTORS: Descriptors = Descriptors([const { [const { AtomicU64::new(0) }; 2] }; 256]);

unsafe extern "C" {
    fn hostile_call(code: *const u8, results: *mut [u64; 4]);
    fn hostile_enter(address: u64);
    static hostile_stubs: u8;
}

/// Executes code for CPL 0; rbp, r12, how far r13 is from the stack pointer, and r14 afterwards.
pub(super) fn call(code: &[u8]) -> [u64; 4] {
    let mut results = [0; 4];
    // SAFETY: the code comes back, with a stack pointer of its own: `attack` is made for that. What it does to memory and devices it does
    // to those of `World`, which no Rust object is in.
    unsafe { hostile_call(code.as_ptr(), &raw mut results) };
    results
}

/// Executes code for CPL 3 until it is over.
pub(super) fn enter(address: u64) {
    // SAFETY: at CPL 3 there is nothing of this program's.
    unsafe { hostile_enter(address) };
}

/// Exceptions that were taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    exceptions: [u64; 32],
    interrupts: u64,
}

impl Counts {
    /// Of all kinds.
    pub(crate) fn all(&self) -> u64 {
        self.exceptions.iter().sum()
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, before: Counts) -> Counts {
        Counts {
            exceptions: core::array::from_fn(|vector| self.exceptions[vector] - before.exceptions[vector]),
            interrupts: self.interrupts - before.interrupts,
        }
    }
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let of = |vector: u32| self.exceptions[vector as usize];
        let (undefined, protection) = (of(vector::INVALID_OPCODE), of(vector::GENERAL_PROTECTION));
        let (faults, steps) = (of(vector::PAGE_FAULT), of(vector::DEBUG));
        let other = self.all() - undefined - protection - faults - steps;
        write!(
            f,
            "undefined {undefined}, protection {protection}, page faults {faults}, steps {steps}, other {other}, "
        )?;
        write!(f, "interrupts {}", self.interrupts)
    }
}

/// What was counted so far.
pub(crate) fn counts() -> Counts {
    Counts { exceptions: core::array::from_fn(|vector| COUNTS[vector].load(Relaxed)), interrupts: interrupts() }
}

/// Interrupts that were taken.
pub(super) fn interrupts() -> u64 {
    INTERRUPTS.load(Relaxed)
}

/// Takes exceptions here from now on; ports but those that are spared are CPL 3's.
pub(super) fn open(world: &World) {
    let base = TASK_STATE.0.as_ptr() as u64;
    let put = |at: usize, bytes: &[u8]| {
        TASK_STATE.0[at..].iter().zip(bytes).for_each(|(slot, &byte)| slot.store(byte, Relaxed));
    };
    for number in 0..4 {
        // IST1 is at 0x24.
        let end = STACKS.0.as_ptr() as u64 + ((number + 1) * STACK) as u64;
        put(0x24 + 8 * number, &end.to_le_bytes());
    }
    put(0x66, &104_u16.to_le_bytes());
    put(TASK - 1, &[0xff]);
    for port in world.spared_ports.iter().flat_map(|&(first, count)| first..first + count) {
        let byte = &TASK_STATE.0[104 + usize::from(port) / 8];
        byte.store(byte.load(Relaxed) | 1 << (port % 8), Relaxed);
    }
    let limit = TASK as u64 - 1;
    let low =
        limit & 0xffff | (base & 0xff_ffff) << 16 | 0x89 << 40 | (limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
    SEGMENTS[5].store(low, Relaxed);
    SEGMENTS[6].store(base >> 32, Relaxed);
    let pointer = (size_of::<[u64; 7]>() as u128 - 1) | u128::from(SEGMENTS.as_ptr() as u64) << 16;
    // SAFETY: the selectors in use are in the new table what they were in the old one.
    unsafe {
        asm!("lgdt [{pointer}]", "ltr {task:x}", pointer = in(reg) &raw const pointer, task = in(reg) 0x28_u16,
            options(nostack, preserves_flags))
    };
    let stubs = &raw const hostile_stubs as u64;
    for (vector, (stub, [low, high])) in (0..).zip((stubs..).step_by(16).zip(&DESCRIPTORS.0)) {
        let stack = match vector {
            vector::NON_MASKABLE => 2,
            8 => 4,
            FIRST_INTERRUPT.. => 3,
            _ => 1,
        };
        let kind = 0x8e00 | stack;
        low.store((stub & 0xffff) | 0x08 << 16 | kind << 32 | (stub >> 16 & 0xffff) << 48, Relaxed);
        high.store(stub >> 32, Relaxed);
    }
    exceptions::load_table(DESCRIPTORS.0.as_ptr() as u64, size_of::<Descriptors>());
}

extern "C" fn interrupt(vector: u64) {
    let vector = vector as u32;
    INTERRUPTS.store(interrupts() + 1, Relaxed);
    super::floods::on_interrupt(vector);
    if vector >= FIRST_INTERRUPT && vector != apic::SPURIOUS {
        apic::write(apic::register::EOI, 0);
    }
}

extern "C" fn lost() -> ! {
    fail("an exception where none can be")
}

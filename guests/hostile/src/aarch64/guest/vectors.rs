//! The vectors while it attacks: an exception is counted, and the instruction that took it is passed over.
//!
//! What went astray, by a branch to where no code is, goes back to where x30 says. 32-bit code at EL0 ends with a call that is
//! known, or by a fetch that failed.

use core::arch::global_asm;
use core::fmt::{Display, Formatter, Result};
use core::ops::Sub;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::{gic, write_register};

global_asm!(
    r#"
    .macro hostile_to where
    .balign 0x80
        b       \where
    .endm

    .section .text.hostile, "ax"
    .balign 0x800
    hostile_vectors:
        hostile_to hostile_lost
        hostile_to hostile_lost
        hostile_to hostile_lost
        hostile_to hostile_lost
        hostile_to hostile_sync
        hostile_to hostile_irq
        hostile_to hostile_irq
        hostile_to hostile_error
        hostile_to hostile_lower
        hostile_to hostile_lost
        hostile_to hostile_lost
        hostile_to hostile_error
        hostile_to hostile_lower
        hostile_to hostile_lost
        hostile_to hostile_lost
        hostile_to hostile_error
    .balign 0x80

    // Counts the exception of class x1; keeps all but x1 to x3.
    .macro hostile_count
        adrp    x2, {counts}
        add     x2, x2, :lo12:{counts}
        ldr     x3, [x2, x1, lsl #3]
        add     x3, x3, #1
        str     x3, [x2, x1, lsl #3]
    .endm

    hostile_sync:
        stp     x0, x1, [sp, #-32]!
        stp     x2, x3, [sp, #16]
        mrs     x0, esr_el1
        lsr     x1, x0, #26
        hostile_count
        mrs     x2, elr_el1
        // The program is in the 2 MiB from 0x4020_0000; code anywhere else is none.
        lsr     x3, x2, #21
        cmp     x3, #0x201
        add     x2, x2, #4
        csel    x2, x2, x30, eq
        msr     elr_el1, x2
        ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #32
        eret

    hostile_lower:
        stp     x0, x1, [sp, #-32]!
        stp     x2, x3, [sp, #16]
        mrs     x0, esr_el1
        lsr     x1, x0, #26
        hostile_count
        // A fetch failed, or svc #0xbeef: the end.
        cmp     x1, #0x20
        b.eq    1f
        movz    x3, #0xbeef
        movk    x3, #0x4600, lsl #16
        cmp     w0, w3
        b.eq    1f
        // A call (SVC) has been passed already. ESR_EL1.IL: four bytes, not two.
        cmp     x1, #0x11
        b.eq    2f
        ubfx    x3, x0, #25, #1
        mrs     x2, elr_el1
        add     x2, x2, #2
        add     x2, x2, x3, lsl #1
        msr     elr_el1, x2
    2:  ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #32
        eret
    1:  ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #32
        b       hostile_left

    hostile_error:
        stp     x0, x1, [sp, #-32]!
        stp     x2, x3, [sp, #16]
        mov     x1, #{errors}
        hostile_count
        ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #32
        eret

    hostile_irq:
        sub     sp, sp, #176
        stp     x0, x1, [sp, #0]
        stp     x2, x3, [sp, #16]
        stp     x4, x5, [sp, #32]
        stp     x6, x7, [sp, #48]
        stp     x8, x9, [sp, #64]
        stp     x10, x11, [sp, #80]
        stp     x12, x13, [sp, #96]
        stp     x14, x15, [sp, #112]
        stp     x16, x17, [sp, #128]
        stp     x18, x29, [sp, #144]
        str     x30, [sp, #160]
        bl      {interrupt}
        ldp     x0, x1, [sp, #0]
        ldp     x2, x3, [sp, #16]
        ldp     x4, x5, [sp, #32]
        ldp     x6, x7, [sp, #48]
        ldp     x8, x9, [sp, #64]
        ldp     x10, x11, [sp, #80]
        ldp     x12, x13, [sp, #96]
        ldp     x14, x15, [sp, #112]
        ldp     x16, x17, [sp, #128]
        ldp     x18, x29, [sp, #144]
        ldr     x30, [sp, #160]
        add     sp, sp, #176
        eret

    hostile_lost:
        b       {lost}
    "#,
    counts = sym COUNTS,
    errors = const ERRORS,
    interrupt = sym interrupt,
    lost = sym lost,
);

/// Place of asynchronous aborts behind the 64 classes of ESR_EL1.EC.
const ERRORS: usize = 64;
static COUNTS: [AtomicU64; 65] = [const { AtomicU64::new(0) }; 65];
static INTERRUPTS: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    /// Never called from Rust.
    fn hostile_vectors();
}

/// Exceptions that were taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(super) undefined: u64,
    pub(super) data: u64,
    pub(super) fetch: u64,
    pub(super) call: u64,
    pub(super) other: u64,
    pub(super) interrupts: u64,
    pub(super) errors: u64,
}

impl Counts {
    /// Of all kinds.
    pub(crate) fn all(&self) -> u64 {
        self.undefined + self.data + self.fetch + self.call + self.other
    }
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Counts { undefined, data, fetch, call, other, interrupts, errors } = self;
        write!(f, "undefined {undefined}, data aborts {data}, fetch aborts {fetch}, calls {call}, other {other}, ")?;
        write!(f, "interrupts {interrupts}, errors {errors}")
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, before: Counts) -> Counts {
        Counts {
            undefined: self.undefined - before.undefined,
            data: self.data - before.data,
            fetch: self.fetch - before.fetch,
            call: self.call - before.call,
            other: self.other - before.other,
            interrupts: self.interrupts - before.interrupts,
            errors: self.errors - before.errors,
        }
    }
}

/// Takes exceptions here from now on.
pub(super) fn open() {
    write_register!("vbar_el1", hostile_vectors as *const () as u64);
}

/// What was counted so far.
pub(crate) fn counts() -> Counts {
    let of = |class: usize| COUNTS[class].load(Relaxed);
    // ESR_EL1.EC (DDI 0487 D24.2): data and instruction aborts from EL0 and from EL1; SVC from 32-bit code.
    let (undefined, data, fetch, call) = (of(0), of(0x24) + of(0x25), of(0x20) + of(0x21), of(0x11));
    let all: u64 = COUNTS[..ERRORS].iter().map(|count| count.load(Relaxed)).sum();
    let other = all - undefined - data - fetch - call;
    Counts { undefined, data, fetch, call, other, interrupts: INTERRUPTS.load(Relaxed), errors: of(ERRORS) }
}

/// Interrupts that were taken.
pub(super) fn interrupts() -> u64 {
    INTERRUPTS.load(Relaxed)
}

extern "C" fn interrupt() {
    let acknowledged = gic::acknowledge();
    let intid = gic::intid(acknowledged);
    if intid >= gic::SPECIAL {
        return;
    }
    INTERRUPTS.store(INTERRUPTS.load(Relaxed) + 1, Relaxed);
    super::floods::on_interrupt(intid);
    gic::end(acknowledged);
}

extern "C" fn lost() -> ! {
    guest_runtime::fail("an exception where none can be")
}

//! The vectors, the one interrupt handler, and exceptions that a guest provokes on purpose.

use crate::{fail, gic, program, read_register, say, timer, write_register};
use core::arch::global_asm;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

// Handlers are compiled without floating point and do not nest, so the general registers that a call may clobber are all
// there is to save.
global_asm!(
    r#"
    .macro unexpected what
    .balign 0x80
        mov     x0, #\what
        b       {unexpected}
    .endm

    .macro handled handler
    .balign 0x80
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
        // For the handler of synchronous exceptions: where a call of this function would have returned to.
        mov     x0, x30
        bl      \handler
        b       return
    .endm

    .section .text.vectors, "ax"
    .balign 0x800
    .global vectors
    vectors:
        unexpected 0
        unexpected 1
        unexpected 2
        unexpected 3
        handled {synchronous}
        handled {interrupt}
        unexpected 6
        unexpected 7
        unexpected 8
        unexpected 9
        unexpected 10
        unexpected 11
        unexpected 12
        unexpected 13
        unexpected 14
        unexpected 15
    .balign 0x80
    return:
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
    "#,
    unexpected = sym unexpected,
    synchronous = sym synchronous,
    interrupt = sym interrupt,
);

/// A synchronous exception that was provoked on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// ESR_EL1.
    pub syndrome: u64,
    /// FAR_EL1.
    pub address: u64,
}

/// ESR.EC of a fetch that aborted at the exception level that took it (DDI 0487, ESR_EL1.EC).
const FETCH: u64 = 0x21;

impl Exception {
    /// The exception class.
    pub const fn class(self) -> u64 {
        self.syndrome >> 26
    }

    /// Whether it is that of an undefined instruction (EC 0, no syndrome).
    pub const fn is_undefined(self) -> bool {
        self.class() == 0 && self.syndrome & 0x1ff_ffff == 0
    }
}

/// An exception is expected.
static EXPECTED: AtomicBool = AtomicBool::new(false);
/// It came.
static TAKEN: AtomicBool = AtomicBool::new(false);
static SYNDROME: AtomicU64 = AtomicU64::new(0);
static ADDRESS: AtomicU64 = AtomicU64::new(0);

/// Does what may take one synchronous exception. The instruction that took it is passed over, or, if that could not be
/// fetched, the call that led to it. One CPU at a time.
pub fn attempt<T>(probe: impl FnOnce() -> T) -> Result<T, Exception> {
    TAKEN.store(false, Relaxed);
    EXPECTED.store(true, Relaxed);
    let value = probe();
    EXPECTED.store(false, Relaxed);
    if TAKEN.load(Relaxed) {
        return Err(Exception { syndrome: SYNDROME.load(Relaxed), address: ADDRESS.load(Relaxed) });
    }
    Ok(value)
}

extern "C" fn synchronous(return_address: u64) {
    if !EXPECTED.load(Relaxed) || TAKEN.load(Relaxed) {
        unexpected(4);
    }
    let exception = Exception { syndrome: read_register!("esr_el1"), address: read_register!("far_el1") };
    SYNDROME.store(exception.syndrome, Relaxed);
    ADDRESS.store(exception.address, Relaxed);
    TAKEN.store(true, Relaxed);
    let next = if exception.class() == FETCH { return_address } else { read_register!("elr_el1") + 4 };
    write_register!("elr_el1", next);
}

extern "C" fn interrupt() {
    let acknowledged = gic::acknowledge();
    let intid = gic::intid(acknowledged);
    // 1020 to 1023: nothing is pending any more, and nothing is to be ended (IHI 0069, 2.2.1).
    if intid >= gic::SPECIAL {
        return;
    }
    if !timer::took(intid) {
        (program::this().interrupt)(intid);
    }
    gic::end(acknowledged);
}

extern "C" fn unexpected(vector: u64) -> ! {
    say!(
        "vector {vector}, ESR {:#x}, ELR {:#x}, FAR {:#x}",
        read_register!("esr_el1"),
        read_register!("elr_el1"),
        read_register!("far_el1")
    );
    fail("an exception that nobody asked for")
}

//! Executes a batch, and looks at the registers afterwards.

use crate::aarch64::attack::{Class, Code};
use core::arch::{asm, global_asm};
use core::fmt::{Display, Formatter, Result as Written};
use guest_runtime::{read_register, write_register};

global_asm!(
    r#"
    // hostile_call(code, registers): x0 to x17 and x19 to x28 from and to `registers`; x18 and x30 are the code's.
    hostile_call:
        stp     x19, x20, [sp, #-112]!
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        str     x1, [sp, #96]
        mov     x18, x0
        mov     x29, x1
        bl      hostile_load
        blr     x18
        b       hostile_store

    // hostile_enter(code, registers): the same at EL0, 32-bit.
    hostile_enter:
        stp     x19, x20, [sp, #-112]!
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        str     x1, [sp, #96]
        msr     elr_el1, x0
        mov     x29, #0x1d0
        msr     spsr_el1, x29
        mov     x29, x1
        bl      hostile_load
        eret

    .global hostile_left
    hostile_left:
    hostile_store:
        ldr     x29, [sp, #96]
        stp     x0, x1, [x29, #0]
        stp     x2, x3, [x29, #16]
        stp     x4, x5, [x29, #32]
        stp     x6, x7, [x29, #48]
        stp     x8, x9, [x29, #64]
        stp     x10, x11, [x29, #80]
        stp     x12, x13, [x29, #96]
        stp     x14, x15, [x29, #112]
        stp     x16, x17, [x29, #128]
        stp     x19, x20, [x29, #152]
        stp     x21, x22, [x29, #168]
        stp     x23, x24, [x29, #184]
        stp     x25, x26, [x29, #200]
        stp     x27, x28, [x29, #216]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     x19, x20, [sp], #112
        ret

    hostile_load:
        ldp     x0, x1, [x29, #0]
        ldp     x2, x3, [x29, #16]
        ldp     x4, x5, [x29, #32]
        ldp     x6, x7, [x29, #48]
        ldp     x8, x9, [x29, #64]
        ldp     x10, x11, [x29, #80]
        ldp     x12, x13, [x29, #96]
        ldp     x14, x15, [x29, #112]
        ldp     x16, x17, [x29, #128]
        ldp     x19, x20, [x29, #152]
        ldp     x21, x22, [x29, #168]
        ldp     x23, x24, [x29, #184]
        ldp     x25, x26, [x29, #200]
        ldp     x27, x28, [x29, #216]
        ret
    "#
);

unsafe extern "C" {
    fn hostile_call(code: *const u32, registers: *mut [u64; 29]);
    fn hostile_enter(code: u64, registers: *mut [u64; 29]);
}

/// What is in a register that no attack touches: its number, everywhere.
const CANARY: u64 = 0x0101_0101_0101_0101;

/// A register that is not what it has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrong {
    register: usize,
    value: u64,
    expected: u64,
}

impl Display for Wrong {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        let Wrong { register, value, expected } = *self;
        write!(f, "x{register} is {value:#x} and not {expected:#x}")
    }
}

/// The one batch.
fn code() -> &'static mut Code {
    static mut CODE: Code = Code::new();
    // SAFETY: one CPU runs this program, and each of its batches is done before the next begins.
    #[expect(static_mut_refs, reason = "its only place")]
    unsafe {
        &mut CODE
    }
}

/// A batch that `make` makes.
pub(crate) fn with(class: Class, make: impl FnOnce(&mut Code)) -> &'static Code {
    let code = code();
    class.begin(code);
    make(code);
    code.finish();
    code
}

/// Executes it.
pub(crate) fn run(code: &Code) -> Result<(), Wrong> {
    publish(code.words());
    let mut registers = [0; 29];
    for (number, register) in registers.iter_mut().enumerate().skip(8) {
        *register = CANARY.wrapping_mul(number as u64);
    }
    let count = if code.is_32_bit() { 9 } else { 17 };
    registers[count] = 0;
    let start = code.words().as_ptr();
    // SAFETY: the code gives all registers back that it has to, and comes back: `attack` is made for that. What it does to
    // memory and devices it does to those of `World`, which no Rust object is in.
    unsafe {
        if code.is_32_bit() {
            hostile_enter(super::world::at_el0(start as u64), &raw mut registers);
        } else {
            hostile_call(start, &raw mut registers);
        }
    }
    restore();
    for register in (10..29).filter(|&register| !matches!(register, 17 | 18)) {
        let expected = CANARY.wrapping_mul(register as u64);
        // After an exception from 32-bit code the upper halves are UNKNOWN (DDI 0487, D1.3.4).
        let seen = if code.is_32_bit() { 0xffff_ffff } else { u64::MAX };
        check(register, registers[register] & seen, expected & seen)?;
    }
    check(count, registers[count] & 0xffff_ffff, code.attacks())
}

fn check(register: usize, value: u64, expected: u64) -> Result<(), Wrong> {
    if value == expected { Ok(()) } else { Err(Wrong { register, value, expected }) }
}

/// Makes `words` what will be executed (DDI 0487, B2.4.4).
fn publish(words: &[u32]) {
    let [start, end] = [words.as_ptr_range().start, words.as_ptr_range().end].map(|at| at as u64);
    // SAFETY: cache maintenance of this program's own memory.
    unsafe {
        for line in (start & !63..end).step_by(64) {
            asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags));
        }
        asm!("dsb ish", options(nostack, preserves_flags));
        for line in (start & !63..end).step_by(64) {
            asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags));
        }
        asm!("dsb ish", "isb", options(nostack, preserves_flags));
    }
}

/// What the attacks may have spoilt and the program needs.
fn restore() {
    // Floating point, debug exceptions off, memory as `world` maps it.
    write_register!("cpacr_el1", 3 << 20);
    write_register!("mdscr_el1", 0);
    let _ = read_register!("esr_el1");
}

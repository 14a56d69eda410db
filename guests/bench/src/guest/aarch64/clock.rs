//! A clock that is exact to the instruction, made from one that is not.
//!
//! Under `-icount shift=0` an instruction takes 1 ns, and QEMU's counter goes up every 16 ns. The sum of 16 reads that
//! directly follow each other is the time of the first one in instructions: of reads at t, t + 1 … t + 15 each gives
//! the whole sixteenths of its time, and the sum of ⌊(t + i) / 16⌋ over these i is t (Hermite's identity).

use super::round::empty;
use core::arch::global_asm;
use guest_runtime::timer::frequency;
use guest_runtime::{Verdict, read_register, write_register};

/// Instructions between two ticks of the counter.
pub(super) const PER_TICK: u64 = 16;

global_asm!(
    r#"
    // The time of the first of these instructions is the sum of x0 to x15.
    .macro read_clock
        mrs     x0, cntvct_el0
        mrs     x1, cntvct_el0
        mrs     x2, cntvct_el0
        mrs     x3, cntvct_el0
        mrs     x4, cntvct_el0
        mrs     x5, cntvct_el0
        mrs     x6, cntvct_el0
        mrs     x7, cntvct_el0
        mrs     x8, cntvct_el0
        mrs     x9, cntvct_el0
        mrs     x10, cntvct_el0
        mrs     x11, cntvct_el0
        mrs     x12, cntvct_el0
        mrs     x13, cntvct_el0
        mrs     x14, cntvct_el0
        mrs     x15, cntvct_el0
    .endm

    .macro sum_up
        add     x0, x0, x1
        add     x2, x2, x3
        add     x4, x4, x5
        add     x6, x6, x7
        add     x8, x8, x9
        add     x10, x10, x11
        add     x12, x12, x13
        add     x14, x14, x15
        add     x0, x0, x2
        add     x4, x4, x6
        add     x8, x8, x10
        add     x12, x12, x14
        add     x0, x0, x4
        add     x8, x8, x12
        add     x0, x0, x8
    .endm

    .section .text.clock, "ax"
    // The time in x0; changes x0 to x15.
    .global bench_clock
    bench_clock:
        read_clock
        sum_up
        ret

    // The program's entry. x0 has the tree, for the runtime, which leaves TPIDR_EL1 alone.
    .global bench_start
    bench_start:
        mov     x16, x0
        read_clock
        sum_up
        msr     tpidr_el1, x0
        mov     x0, x16
        b       _start

    // The vectors of rows that are ended by an interrupt. x22 is where they go on, with the time of the handler's third
    // instruction in x0 and the INTID in x24.
    .balign 0x800
    .global bench_vectors
    bench_vectors:
    .balign 0x80
        b       vectors
    .balign 0x80
        b       vectors + 0x80
    .balign 0x80
        b       vectors + 0x100
    .balign 0x80
        b       vectors + 0x180
    .balign 0x80
        b       vectors + 0x200
    .balign 0x80
        mrs     x24, icc_iar1_el1
        msr     elr_el1, x22
        read_clock
        b       1f
    .balign 0x80
        b       vectors + 0x300
    .balign 0x80
        b       vectors + 0x380
    .balign 0x400
    1:  sum_up
        msr     cntv_ctl_el0, xzr
        isb
        msr     icc_eoir1_el1, x24
        eret
    "#,
);

unsafe extern "C" {
    /// Never called from Rust.
    pub(super) fn bench_clock();
    static bench_vectors: u8;
}

/// Interrupts of this CPU are taken by [`bench_vectors`] from here on.
pub(super) fn take_vectors() {
    write_register!("vbar_el1", &raw const bench_vectors as u64);
}

/// The time of this program's first instruction.
pub(in crate::guest) fn start() -> u64 {
    // Its entry took one instruction before it looked at the clock.
    read_register!("tpidr_el1").saturating_sub(1)
}

/// Instructions between two looks at the clock with nothing between them, by the program text: 16 reads, 15 sums and the
/// return; then two moves and the call.
pub(super) const EMPTY: u64 = 16 + 15 + 1 + 2 + 1;

/// Whether the clock counts instructions here.
pub(super) fn check() -> Verdict {
    if frequency() * PER_TICK != 1_000_000_000 || empty() != EMPTY {
        return Err("this clock does not count instructions: QEMU needs -icount shift=0");
    }
    Ok(())
}

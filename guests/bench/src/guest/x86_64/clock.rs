//! A clock that is exact to the instruction: under `-icount shift=0` one takes 1 ns, and QEMU's time-stamp counter counts those.

use super::round::empty;
use core::arch::global_asm;
use guest_runtime::{Verdict, clock, exceptions, timer};

/// The vectors of rows that are ended by an interrupt: one that the CPU sends, and the timer's.
pub(super) const IPI: u32 = 0x41;

global_asm!(
    r#"
    .section .text.clock, "ax"
    // The handlers of both. r12 is where they go on, with the time of the third instruction in rax and the vector in r13.
    .macro handler name, vector
    .balign 16
    .global \name
    \name:
        mov     r13d, \vector
        mov     [rsp], r12
        rdtsc
        shl     rdx, 32
        or      rax, rdx
        mov     edx, 0xfee000b0
        mov     dword ptr [rdx], 0
        iretq
    .endm

    handler bench_ipi, {ipi}
    handler bench_timer, {timer}
    "#,
    ipi = const IPI,
    timer = const clock::VECTOR,
);

unsafe extern "C" {
    /// Never called from Rust.
    fn bench_ipi();
    /// The same.
    fn bench_timer();
}

/// From here on both vectors are this module's.
pub(super) fn take_vectors() {
    exceptions::set_handler(IPI, bench_ipi as *const () as u64);
    exceptions::set_handler(clock::VECTOR, bench_timer as *const () as u64);
}

/// Instructions between two looks at the clock with nothing between them, by the program text: the look itself and three to put it
/// away; then three that prepare the operation.
pub(super) const EMPTY: u64 = 1 + 3 + 3;

/// Whether the clock counts instructions here, and the timer with it.
pub(super) fn check() -> Verdict {
    let is_ns = |hz: u64| hz.abs_diff(1_000_000_000) < 1_000_000;
    if !is_ns(timer::frequency()) || !is_ns(clock::apic_frequency()) || empty() != EMPTY {
        return Err("this clock does not count instructions: QEMU needs -icount shift=0");
    }
    Ok(())
}

//! A clock that is exact to the instruction: under `-icount shift=0` one takes 1 ns, and QEMU's time-stamp counter counts those.

use super::round::empty;
use core::arch::global_asm;
use guest_runtime::{Verdict, clock, exceptions, timer};

/// The vectors of rows that are ended by an interrupt: one that the CPU sends, and the timer's.
pub(super) const IPI: u32 = 0x41;

global_asm!(
    r#"
    .section .text.clock, "ax"
    // The time of its first instruction in rax; changes rdx.
    .global bench_clock
    bench_clock:
        rdtsc
        shl     rdx, 32
        or      rax, rdx
        ret

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
    /// Called by rounds, as it says.
    pub(super) fn bench_clock();
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

/// Instructions between two looks at the clock with nothing between them, by the program text: the look's four, one that puts it
/// away, three that prepare the operation, and the call of the second.
pub(super) const EMPTY: u64 = 4 + 1 + 3 + 1;

/// Whether this is the frequency of a clock that counts instructions.
fn is_ns(hz: u64) -> bool {
    hz.abs_diff(1_000_000_000) < 1_000_000
}

/// Whether the clock counts instructions here.
pub(super) fn check() -> Verdict {
    if !is_ns(timer::frequency()) || empty() != EMPTY {
        return Err("this clock does not count instructions: QEMU needs -icount shift=0");
    }
    Ok(())
}

/// Whether the timer's deadlines are known to the instruction. Of one that is slower and goes off so many ticks after a register is
/// written, nobody knows when the write was, if it is an exit.
pub(super) fn check_timer() -> Verdict {
    let is_exact = clock::is_by_deadline() || is_ns(clock::apic_frequency());
    if is_exact { Ok(()) } else { Err("this timer is not exact: it has no TSC-deadline mode") }
}

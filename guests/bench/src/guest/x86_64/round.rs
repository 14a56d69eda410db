//! One round of each kind: the clock, the operation, the clock.

use super::clock::{EMPTY, IPI, bench_clock};
use core::arch::asm;
use guest_runtime::{Verdict, clock, mask_interrupts, timer};

/// A round of an operation that comes back: `$operation` has `$rax`, `$rcx`, `$rdx` in the registers of these names. Gives the time
/// between two looks at the clock around it.
macro_rules! between {
    ($rax:expr, $rcx:expr, $rdx:expr, $operation:literal) => {{
        let (before, after): (u64, u64);
        // SAFETY: an operation changes rax, rbx, rcx and rdx at most, of which the compiler keeps rbx for itself; those that
        // write to a device write to one of the guest's own.
        unsafe {
            asm!("mov r11, rbx", "call {clock}", "mov r8, rax", "mov rax, rsi", "mov rcx, r9", "mov rdx, rdi", $operation,
                "call {clock}", "mov rbx, r11", clock = sym bench_clock, in("rsi") u64::from($rax), inout("r9") u64::from($rcx) => _, in("rdi") u64::from($rdx),
                out("r8") before, out("rax") after, out("rcx") _, out("rdx") _, out("r11") _)
        };
        after.wrapping_sub(before)
    }};
}

/// As a round, of nothing.
#[inline(never)]
pub(super) fn empty() -> u64 {
    between!(0_u32, 0_u32, 0_u32, "")
}

/// The operation alone: what was between the looks less what is always there.
fn alone(between: u64) -> Result<u64, &'static str> {
    between.checked_sub(EMPTY).ok_or("the clock went backwards")
}

/// `vmmcall` of `function`, whose first argument, if it has one, is 0.
#[inline(never)]
pub(super) fn vmmcall(function: u32) -> Result<u64, &'static str> {
    alone(between!(function, 0_u32, 0_u32, "vmmcall"))
}

/// `cpuid` of leaf 1.
#[inline(never)]
pub(super) fn cpuid() -> Result<u64, &'static str> {
    alone(between!(1_u32, 0_u32, 0_u32, "cpuid"))
}

/// `out` of a byte.
#[inline(never)]
pub(super) fn port_write(port: u16, byte: u8) -> Result<u64, &'static str> {
    alone(between!(byte, 0_u32, port, "out dx, al"))
}

/// `in` of a byte.
#[inline(never)]
pub(super) fn port_read(port: u16) -> Result<u64, &'static str> {
    alone(between!(0_u32, 0_u32, port, "in al, dx"))
}

/// `rdmsr`.
#[inline(never)]
pub(super) fn msr_read(msr: u32) -> Result<u64, &'static str> {
    alone(between!(0_u32, msr, 0_u32, "rdmsr"))
}

/// `wrmsr`.
#[inline(never)]
pub(super) fn msr_write(msr: u32, value: u64) -> Result<u64, &'static str> {
    alone(between!(value & 0xffff_ffff, msr, value >> 32, "wrmsr"))
}

/// A load of a device's register.
#[inline(never)]
pub(super) fn load(address: usize) -> Result<u64, &'static str> {
    alone(between!(0_u32, address as u64, 0_u32, "mov eax, [rcx]"))
}

/// A store to a device's register.
#[inline(never)]
pub(super) fn store(address: usize, value: u32) -> Result<u64, &'static str> {
    alone(between!(value, address as u64, 0_u32, "mov [rcx], eax"))
}

/// From the look at the clock to the write of ICR: the look's four, and one that puts it away.
const WRITE: u64 = 4 + 1;

fn took(vector: u64, expected: u32) -> Verdict {
    if vector == u64::from(expected) { Ok(()) } else { Err("another interrupt came") }
}

/// From the write of ICR, at `address`, to the third instruction of the handler, both included.
#[inline(never)]
pub(super) fn ipi_to_self(address: usize, command: u32) -> Result<u64, &'static str> {
    let (before, after, came): (u64, u64, u64);
    // SAFETY: the interrupt's handler goes on at r12 and changes rax, rdx and r13.
    unsafe {
        asm!("lea r12, [rip + 3f]", "call {clock}", "mov r8, rax", "mov [rsi], edi", "2: jmp 2b", "3:",
            clock = sym bench_clock, in("rsi") address, in("edi") command, out("r8") before, out("rax") after, out("rdx") _,
            out("r12") _, out("r13") came)
    };
    took(came, IPI)?;
    Ok(after.saturating_sub(before + WRITE) + 1)
}

/// From the expiry of the timer at `deadline`, while the program spins, to the handler's third instruction. It is set already.
#[inline(never)]
pub(super) fn timer_awake(deadline: u64) -> Result<u64, &'static str> {
    let (after, came): (u64, u64);
    // SAFETY: as in `ipi_to_self`.
    unsafe {
        asm!("lea r12, [rip + 3f]", "sti", "2: jmp 2b", "3:", out("rax") after, out("rdx") _, out("r12") _,
            out("r13") came)
    };
    took(came, clock::VECTOR)?;
    Ok(after.saturating_sub(deadline) + 1)
}

/// The same, while the program waits by HLT.
#[inline(never)]
pub(super) fn timer_asleep(deadline: u64) -> Result<u64, &'static str> {
    let (after, came): (u64, u64);
    // SAFETY: as in `ipi_to_self`.
    unsafe {
        asm!("lea r12, [rip + 3f]", "sti", "2: hlt", "jmp 2b", "3:", out("rax") after, out("rdx") _, out("r12") _,
            out("r13") came)
    };
    took(came, clock::VECTOR)?;
    Ok(after.saturating_sub(deadline) + 1)
}

/// Sets the timer; gives when it goes off. No interrupt is taken until the round waits for it.
pub(super) fn deadline(ahead: u64) -> u64 {
    mask_interrupts();
    clock::go_off(timer::now() + ahead)
}

/// A round of [`wake_and_wait`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Woken {
    /// When ICR was written.
    pub(super) written: u64,
    /// When the handler of the interrupt that ended the wait came to its third instruction.
    pub(super) woken: u64,
}

/// Writes `command` to ICR, at `address`, which wakes another CPU, and waits by HLT to be woken.
#[inline(never)]
pub(super) fn wake_and_wait(address: usize, command: u32) -> Result<Woken, &'static str> {
    let (before, after, came): (u64, u64, u64);
    // SAFETY: as in `ipi_to_self`.
    unsafe {
        asm!("lea r12, [rip + 3f]", "call {clock}", "mov r8, rax", "mov [rsi], edi", "2: hlt", "jmp 2b", "3:",
            clock = sym bench_clock, in("rsi") address, in("edi") command, out("r8") before, out("rax") after, out("rdx") _,
            out("r12") _, out("r13") came)
    };
    took(came, IPI)?;
    Ok(Woken { written: before + WRITE, woken: after })
}

/// Waits by HLT to be woken.
#[inline(never)]
pub(super) fn wait() -> Verdict {
    let came: u64;
    // SAFETY: as in `ipi_to_self`.
    unsafe {
        asm!("lea r12, [rip + 3f]", "2: hlt", "jmp 2b", "3:", out("rax") _, out("rdx") _, out("r12") _, out("r13") came)
    };
    took(came, IPI)
}

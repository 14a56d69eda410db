//! One round of each kind: the clock, the operation, the clock.

use super::clock::{EMPTY, PER_TICK, bench_clock};
use core::arch::asm;
use guest_runtime::Verdict;

/// A round of an operation that comes back: `$operation` has `$x` in x0 and x20, and 0x2e in x22. Gives the time between
/// two looks at the clock around it.
macro_rules! between {
    ($x:expr, $operation:literal) => {{
        let (before, after): (u64, u64);
        // SAFETY: the clock changes x0 to x15 and the link register, an operation what a call may change (a guest's
        // exits change nothing else that Rust knows of).
        unsafe {
            asm!("bl {clock}", "mov x21, x0", "mov x0, x20", $operation, "bl {clock}", clock = sym bench_clock,
                in("x20") $x, out("x21") before, in("x22") u64::from(b'.'), lateout("x0") after, clobber_abi("C"))
        };
        after.wrapping_sub(before)
    }};
}

/// As a round, of nothing.
#[inline(never)]
pub(super) fn empty() -> u64 {
    between!(0_u64, "")
}

/// The operation alone: what was between the looks less what is always there.
fn alone(between: u64) -> Result<u64, &'static str> {
    between.checked_sub(EMPTY).ok_or("the clock went backwards")
}

/// `hvc #0`, for `function` of no arguments.
#[inline(never)]
pub(super) fn hvc(function: u64) -> Result<u64, &'static str> {
    alone(between!(function, "hvc #0"))
}

/// `smc #0`, for `function` of no arguments.
#[inline(never)]
pub(super) fn smc(function: u64) -> Result<u64, &'static str> {
    alone(between!(function, "smc #0"))
}

/// A load of a device's register.
#[inline(never)]
pub(super) fn load(address: usize) -> Result<u64, &'static str> {
    alone(between!(address, "ldr w0, [x20]"))
}

/// A store of a full stop to a device's register.
#[inline(never)]
pub(super) fn store(address: usize) -> Result<u64, &'static str> {
    alone(between!(address, "str w22, [x20]"))
}

/// A read of an ID register.
#[inline(never)]
pub(super) fn id_register() -> Result<u64, &'static str> {
    alone(between!(0_u64, "mrs x0, id_aa64pfr0_el1"))
}

/// From the look at the clock to the write of ICC_SGI1R_EL1: it stands where the second call of the clock does in an
/// empty round, which is its last instruction.
const WRITE: u64 = EMPTY - 1;

fn took(intid: u64, expected: u32) -> Verdict {
    if intid == u64::from(expected) { Ok(()) } else { Err("another interrupt came") }
}

/// From the write of ICC_SGI1R_EL1 to the third instruction of the handler of `intid`, both included.
#[inline(never)]
pub(super) fn sgi_to_self(value: u64, intid: u32) -> Result<u64, &'static str> {
    let (before, after, came): (u64, u64, u64);
    // SAFETY: as in `between!`; the interrupt's handler goes on at x22 and changes what the clock changes, and x24.
    unsafe {
        asm!("adr x22, 3f", "bl {clock}", "mov x21, x0", "mov x0, x20", "msr icc_sgi1r_el1, x20", "2: b 2b", "3:",
            clock = sym bench_clock, in("x20") value, out("x21") before, out("x22") _, out("x24") came,
            lateout("x0") after, clobber_abi("C"))
    };
    took(came, intid)?;
    Ok(after.saturating_sub(before + WRITE) + 1)
}

/// From the expiry of the virtual timer at `deadline`, while the program spins, to the handler's third instruction.
#[inline(never)]
pub(super) fn timer_awake(deadline: u64, intid: u32) -> Result<u64, &'static str> {
    let (after, came): (u64, u64);
    // SAFETY: as in `sgi_to_self`.
    unsafe {
        asm!("adr x22, 3f", "msr cntv_cval_el0, x20", "mov x1, #1", "msr cntv_ctl_el0, x1", "isb", "2: b 2b", "3:",
            in("x20") deadline, out("x22") _, out("x24") came, lateout("x0") after, clobber_abi("C"))
    };
    took(came, intid)?;
    Ok(after.saturating_sub(deadline * PER_TICK) + 1)
}

/// The same, while the program waits by WFI.
#[inline(never)]
pub(super) fn timer_asleep(deadline: u64, intid: u32) -> Result<u64, &'static str> {
    let (after, came): (u64, u64);
    // SAFETY: as in `sgi_to_self`.
    unsafe {
        asm!("adr x22, 3f", "msr cntv_cval_el0, x20", "mov x1, #1", "msr cntv_ctl_el0, x1", "isb", "2: wfi", "b 2b",
            "3:", in("x20") deadline, out("x22") _, out("x24") came, lateout("x0") after, clobber_abi("C"))
    };
    took(came, intid)?;
    Ok(after.saturating_sub(deadline * PER_TICK) + 1)
}

/// A round of [`wake_and_wait`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Woken {
    /// When ICC_SGI1R_EL1 was written.
    pub(super) written: u64,
    /// When the handler of the interrupt that ended the wait came to its third instruction.
    pub(super) woken: u64,
}

/// Writes `value` to ICC_SGI1R_EL1, which wakes another CPU, and waits by WFI to be woken.
#[inline(never)]
pub(super) fn wake_and_wait(value: u64, intid: u32) -> Result<Woken, &'static str> {
    let (before, after, came): (u64, u64, u64);
    // SAFETY: as in `sgi_to_self`.
    unsafe {
        asm!("adr x22, 3f", "bl {clock}", "mov x21, x0", "mov x0, x20", "msr icc_sgi1r_el1, x20", "2: wfi", "b 2b", "3:",
            clock = sym bench_clock, in("x20") value, out("x21") before, out("x22") _, out("x24") came,
            lateout("x0") after, clobber_abi("C"))
    };
    took(came, intid)?;
    Ok(Woken { written: before + WRITE, woken: after })
}

/// Waits by WFI to be woken.
#[inline(never)]
pub(super) fn wait(intid: u32) -> Verdict {
    let came: u64;
    // SAFETY: as in `sgi_to_self`.
    unsafe { asm!("adr x22, 3f", "2: wfi", "b 2b", "3:", out("x22") _, out("x24") came, clobber_abi("C")) };
    took(came, intid)
}

//! The instructions that may go wrong. To be called within `attempt`.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use guest_runtime::mmio::*;
use guest_runtime::read_register;

/// What is stored, as much of it as the width takes.
const VALUE: u64 = 0x0123_4567_89ab_cdef;

/// One register's load of `width` bytes.
pub(super) fn load(address: u64, width: u64) -> u64 {
    let address = address as usize;
    match width {
        1 => read8(address).into(),
        2 => read16(address).into(),
        4 => read32(address).into(),
        _ => read64(address),
    }
}

/// One register's store of `width` bytes.
pub(super) fn store(address: u64, width: u64) {
    let address = address as usize;
    match width {
        1 => write8(address, VALUE as u8),
        2 => write16(address, VALUE as u16),
        4 => write32(address, VALUE as u32),
        _ => write64(address, VALUE),
    }
}

/// A load of two registers: an abort has no syndrome for it (DDI 0487, ISS encoding of data aborts, ISV).
pub(super) fn pair(address: u64) -> [u64; 2] {
    let (mut first, mut second) = (0u64, 0u64);
    // SAFETY: a load; the address is nobody's or memory that nobody changes meanwhile. Zeros stay if it does not happen.
    unsafe {
        asm!("ldp {}, {}, [{}]", inout(reg) first, inout(reg) second, in(reg) address,
            options(nostack, preserves_flags));
    }
    [first, second]
}

/// A call of code at `address`. If the fetch faults, the handler returns to the caller.
pub(super) fn fetch(address: u64) {
    // SAFETY: where there is no code, the exception returns here as a function would. A command line that names code
    // gets what it asked for.
    unsafe { asm!("blr {}", in(reg) address, clobber_abi("C")) };
}

/// An implementation-defined register that no CPU of QEMU's has: HCR_EL2.TIDCP traps it where that is implemented.
pub(super) fn register() -> u64 {
    read_register!("S3_3_C15_C2_7")
}

static RAN_ON: AtomicBool = AtomicBool::new(false);

/// `hvc` with an immediate that means nothing. Notes whether the instruction after it was executed.
pub(super) fn instruction() {
    let mut ran_on: u64 = 0;
    // SAFETY: a call that nobody knows changes nothing; x0 to x17 are given up all the same (DEN 0028, 2.6).
    unsafe { asm!("hvc #1", "mov x18, #1", inout("x18") ran_on, clobber_abi("C")) };
    RAN_ON.store(ran_on == 1, Relaxed);
}

/// Whether the instruction after [`instruction`]'s was executed.
pub(super) fn ran_on() -> bool {
    RAN_ON.load(Relaxed)
}

/// An endless loop that nothing but the hypervisor gets through.
pub(in crate::guest) fn spin() -> ! {
    // SAFETY: masks all exceptions that can be masked, and stays here.
    unsafe { asm!("msr daifset, #0xf", "1: b 1b", options(noreturn)) }
}

//! Model-specific registers, ports and CPUID: what is reached by a number.
//!
//! What a write does is its register's matter, so the caller of an unsafe function states why the value is right there.

use core::sync::atomic::{Ordering, compiler_fence};

use x86_64::instructions::port::{PortRead, PortWrite};
use x86_64::registers::model_specific::Msr;

/// The 64 bits of model-specific register `number`. It has to exist: another one is a #GP (APM volume 3, RDMSR).
#[inline]
pub(crate) fn read_msr(number: u32) -> u64 {
    // SAFETY: reading a register has no effect on memory or control flow.
    unsafe { Msr::new(number).read() }
}

/// Writes model-specific register `number`.
///
/// # Safety
/// The register exists, and `value` in it harms nothing that Rust relies on.
#[inline]
pub(crate) unsafe fn write_msr(number: u32, value: u64) {
    // SAFETY: the caller's promise.
    unsafe { Msr::new(number).write(value) };
}

/// What is at `port`: a byte, a word or a double word.
#[inline]
pub(crate) fn read_port<T: PortRead>(port: u16) -> T {
    // SAFETY: devices behind ports that we read reach no memory.
    unsafe { T::read_from_port(port) }
}

/// Writes a byte, a word or a double word to `port`.
///
/// # Safety
/// What is behind the port may be told this, and reaches no memory that is somebody's.
#[inline]
pub(crate) unsafe fn write_port<T: PortWrite>(port: u16, value: T) {
    // The crate tells the compiler that OUT has nothing to do with memory. A reset has: what was to outlive it is stored by then.
    compiler_fence(Ordering::SeqCst);
    // SAFETY: the caller's promise.
    unsafe { T::write_to_port(port, value) };
}

/// What the CPU says of itself in `leaf`: eax, ebx, ecx, edx; all zero if it has no such leaf (an Intel CPU would answer with
/// another one's values: APM volume 3, CPUID; SDM volume 2, CPUID).
pub(crate) fn cpuid(leaf: u32, subleaf: u32) -> [u32; 4] {
    let last = core::arch::x86_64::__cpuid(leaf & 0xffff_0000).eax;
    if !(leaf & 0xffff_0000..=last).contains(&leaf) {
        return [0; 4];
    }
    let found = core::arch::x86_64::__cpuid_count(leaf, subleaf);
    [found.eax, found.ebx, found.ecx, found.edx]
}

//! Model-specific registers, ports and CPUID: one function for each instruction.
//!
//! What a write does is its register's matter, so the caller of an unsafe function states why the value is right there.

use core::arch::asm;

/// The 64 bits of model-specific register `number`. It has to exist: another one is a #GP (APM volume 3, RDMSR).
#[inline]
pub(crate) fn read_msr(number: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading a register has no effect on memory or control flow.
    unsafe {
        asm!("rdmsr", in("ecx") number, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags))
    };
    u64::from(high) << 32 | u64::from(low)
}

/// Writes model-specific register `number`.
///
/// # Safety
/// The register exists, and `value` in it harms nothing that Rust relies on.
#[inline]
pub(crate) unsafe fn write_msr(number: u32, value: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!("wrmsr", in("ecx") number, in("eax") value as u32, in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags));
    }
}

/// The byte at `port`.
#[inline]
pub(crate) fn read_port8(port: u16) -> u8 {
    let value: u8;
    // SAFETY: devices behind ports that we read reach no memory.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// The word at `port`.
#[inline]
pub(crate) fn read_port16(port: u16) -> u16 {
    let value: u16;
    // SAFETY: as `read_port8`.
    unsafe { asm!("in ax, dx", in("dx") port, out("ax") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// The double word at `port`.
#[inline]
pub(crate) fn read_port32(port: u16) -> u32 {
    let value: u32;
    // SAFETY: as `read_port8`.
    unsafe { asm!("in eax, dx", in("dx") port, out("eax") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Writes a byte to `port`.
///
/// # Safety
/// What is behind the port may be told this, and reaches no memory that is somebody's.
#[inline]
pub(crate) unsafe fn write_port8(port: u16, value: u8) {
    // SAFETY: the caller's promise.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nostack, preserves_flags)) };
}

/// Writes a word to `port`.
///
/// # Safety
/// As for [`write_port8`].
#[inline]
pub(crate) unsafe fn write_port16(port: u16, value: u16) {
    // SAFETY: the caller's promise.
    unsafe { asm!("out dx, ax", in("dx") port, in("ax") value, options(nostack, preserves_flags)) };
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

//! Instructions that no Rust function stands for.

use core::arch::asm;

/// What CPUID says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the registers' own names")]
pub struct Leaf {
    pub eax: u32,
    pub ebx: u32,
    pub ecx: u32,
    pub edx: u32,
}

/// CPUID.
#[inline]
pub fn cpuid(leaf: u32, subleaf: u32) -> Leaf {
    let core::arch::x86_64::CpuidResult { eax, ebx, ecx, edx } = core::arch::x86_64::__cpuid_count(leaf, subleaf);
    Leaf { eax, ebx, ecx, edx }
}

/// The hypervisor's signature, if there is one (CPUID 1, ECX bit 31; leaf 0x40000000).
pub fn hypervisor() -> Option<[u8; 12]> {
    if cpuid(1, 0).ecx >> 31 == 0 {
        return None;
    }
    let Leaf { ebx, ecx, edx, .. } = cpuid(0x4000_0000, 0);
    let mut text = [0; 12];
    for (part, word) in text.chunks_exact_mut(4).zip([ebx, ecx, edx]) {
        part.copy_from_slice(&word.to_le_bytes());
    }
    Some(text)
}

/// RDMSR of an MSR that is there.
#[inline]
pub fn read_msr(msr: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading the MSRs that guests name has no side effect that Rust knows of.
    unsafe { asm!("rdmsr", in("ecx") msr, out("eax") low, out("edx") high, options(nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// WRMSR of an MSR that is there.
#[inline]
pub fn write_msr(msr: u32, value: u64) {
    // SAFETY: a guest writes only its local APIC's and its timer's state, and nothing that changes how Rust code runs.
    unsafe {
        asm!("wrmsr", in("ecx") msr, in("eax") value as u32, in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags))
    };
}

macro_rules! port {
    ($read:ident $write:ident $type:ty, $register:tt, $in:literal $out:literal) => {
        /// Reads from a port.
        #[inline]
        pub fn $read(port: u16) -> $type {
            let value: $type;
            // SAFETY: devices' registers overlap no Rust object, and guests' devices do no DMA.
            unsafe { asm!($in, out($register) value, in("dx") port, options(nostack, preserves_flags)) };
            value
        }

        /// Writes to a port.
        #[inline]
        pub fn $write(port: u16, value: $type) {
            // SAFETY: as for reads.
            unsafe { asm!($out, in($register) value, in("dx") port, options(nostack, preserves_flags)) };
        }
    };
}

port!(in8 out8 u8, "al", "in al, dx" "out dx, al");
port!(in16 out16 u16, "ax", "in ax, dx" "out dx, ax");
port!(in32 out32 u32, "eax", "in eax, dx" "out dx, eax");

/// The time-stamp counter, after everything before and before everything after.
#[inline]
pub fn time_stamp() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: changes nothing. LFENCE orders RDTSC as it does any instruction (APM volume 3, RDTSC).
    unsafe { asm!("lfence", "rdtsc", "lfence", out("eax") low, out("edx") high, options(nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Control registers by name.
#[macro_export]
macro_rules! read_control {
    ($name:literal) => {{
        let value: u64;
        // SAFETY: reading a control register changes nothing.
        unsafe { core::arch::asm!(concat!("mov {}, ", $name), out(reg) value, options(nostack, preserves_flags)) };
        value
    }};
}

/// XGETBV of XCR0, where CR4.OSXSAVE is set.
pub fn read_xcr0() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading it changes nothing.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// XSETBV of XCR0, with components that CPUID leaf 0xD says are there.
pub fn write_xcr0(components: u64) {
    // SAFETY: guests' Rust code uses none of the state that XCR0 turns on and off.
    unsafe {
        asm!("xsetbv", in("ecx") 0, in("eax") components as u32, in("edx") (components >> 32) as u32,
            options(nostack, preserves_flags))
    };
}

/// RFLAGS.IF: interrupts are taken.
const RFLAGS_IF: u64 = 1 << 9;

/// No interrupt is taken from here on.
pub fn mask_interrupts() {
    // SAFETY: masks interrupts of this CPU. It orders memory accesses, therefore no `nomem`.
    unsafe { asm!("cli", options(nostack)) };
}

/// Interrupts are taken from here on, pending ones at once.
pub fn unmask_interrupts() {
    // SAFETY: the vectors are in place since before the program began, and handlers keep to atomics. STI takes effect after
    // the instruction that follows.
    unsafe { asm!("sti", "nop", options(nostack)) };
}

/// Does something that no interrupt's handler may come between; they are masked or not as before when it is done.
pub(crate) fn undisturbed<R>(what: impl FnOnce() -> R) -> R {
    let flags: u64;
    // SAFETY: one word of the stack, pushed and popped.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags) };
    mask_interrupts();
    let result = what();
    if flags & RFLAGS_IF != 0 {
        unmask_interrupts();
    }
    result
}

/// Sleeps until an interrupt has been taken. Interrupts are masked before and after, but none is missed: STI takes effect
/// only after HLT has begun (APM volume 3, STI).
pub fn wait_for_interrupt() {
    // SAFETY: as for `unmask_interrupts`.
    unsafe { asm!("sti", "hlt", "cli", options(nostack)) };
}

/// Sleeps with interrupts masked.
pub(crate) fn halt() {
    // SAFETY: changes nothing.
    unsafe { asm!("cli", "hlt", options(nostack)) };
}

/// CPUID 1, ECX: XSAVE.
const XSAVE: u32 = 1 << 26;

/// XSAVE where there is one, with all of XCR0 that this program's tests use: x87, SSE, AVX.
pub(crate) fn open_floating_point() {
    // SAFETY: the state is in no use yet.
    unsafe { asm!("fninit", options(nostack)) };
    if cpuid(1, 0).ecx & XSAVE == 0 {
        return;
    }
    let control = read_control!("cr4") | 1 << 18;
    // SAFETY: OSXSAVE turns on instructions, and changes none in use.
    unsafe { asm!("mov cr4, {}", in(reg) control, options(nostack, preserves_flags)) };
    write_xcr0(u64::from(cpuid(0xd, 0).eax) & 7);
}

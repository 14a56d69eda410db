//! System registers and the few instructions that no Rust function stands for.

use core::arch::asm;

/// Reads a system register by name.
macro_rules! read_register {
    ($name:literal) => {{
        let value: u64;
        // SAFETY: reading one of the registers that this program names has no side effect that Rust knows of; the
        // compiler must not move it across others (no `nomem`), because some of them are device state.
        unsafe { core::arch::asm!(concat!("mrs {}, ", $name), out(reg) value, options(nostack, preserves_flags)) };
        value
    }};
}

/// Writes a system register by name and synchronises the context.
macro_rules! write_register {
    ($name:literal, $value:expr) => {{
        let value: u64 = $value;
        // SAFETY: this program writes only its own timer, interrupt-controller and floating-point state; none of it
        // changes how Rust code is executed or what memory means.
        unsafe { core::arch::asm!(concat!("msr ", $name, ", {}"), "isb", in(reg) value, options(nostack, preserves_flags)) };
    }};
}

pub(crate) use read_register;
pub(crate) use write_register;

/// No interrupt is taken from here on.
pub(crate) fn mask_interrupts() {
    // SAFETY: masks interrupts of this CPU.
    unsafe { asm!("msr daifset, #2", options(nostack, preserves_flags)) };
}

/// Interrupts are taken from here on, pending ones at once.
pub(crate) fn unmask_interrupts() {
    // SAFETY: the vectors are in place since before the first Rust instruction, and the handler keeps to atomics.
    unsafe { asm!("msr daifclr, #2", "isb", options(nostack, preserves_flags)) };
}

/// Sleeps until an interrupt is pending.
pub(crate) fn wait_for_interrupt() {
    // SAFETY: WFI changes no state. The barrier lets stores that others wait for be seen before this CPU sleeps.
    unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) };
}

/// Everything stored before is seen by other CPUs and devices before anything after.
pub(crate) fn barrier() {
    // SAFETY: barriers change no state.
    unsafe { asm!("dsb sy", "isb", options(nostack, preserves_flags)) };
}

/// A 32-bit device register.
pub(crate) fn read32(address: usize) -> u32 {
    let value: u32;
    // SAFETY: callers pass registers of devices that the device tree names, which overlap no Rust object. One
    // load without writeback, because only such a one can be emulated from the syndrome (DDI 0487, ISS for data aborts).
    unsafe { asm!("ldr {:w}, [{}]", out(reg) value, in(reg) address, options(nostack, preserves_flags)) };
    value
}

/// As [`read32`], a store.
pub(crate) fn write32(address: usize, value: u32) {
    // SAFETY: as for `read32`.
    unsafe { asm!("str {:w}, [{}]", in(reg) value, in(reg) address, options(nostack, preserves_flags)) };
}

/// A 64-bit device register.
pub(crate) fn read64(address: usize) -> u64 {
    let value: u64;
    // SAFETY: as for `read32`.
    unsafe { asm!("ldr {}, [{}]", out(reg) value, in(reg) address, options(nostack, preserves_flags)) };
    value
}

/// A 64-bit store.
pub(crate) fn write64(address: usize, value: u64) {
    // SAFETY: as for `read32`.
    unsafe { asm!("str {}, [{}]", in(reg) value, in(reg) address, options(nostack, preserves_flags)) };
}

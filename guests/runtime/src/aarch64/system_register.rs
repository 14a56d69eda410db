//! System registers and the few instructions that no Rust function stands for.

use core::arch::asm;

/// Reads a system register by name; zero if an exception kept it from being read.
#[macro_export]
macro_rules! read_register {
    ($name:literal) => {{
        let mut value: u64 = 0;
        // SAFETY: reading one of the registers that a guest names has no side effect that Rust knows of; the compiler
        // must not move it across others (no `nomem`), because some of them are device state.
        unsafe { core::arch::asm!(concat!("mrs {}, ", $name), inout(reg) value, options(nostack, preserves_flags)) };
        value
    }};
}

/// Writes a system register by name and synchronises the context.
#[macro_export]
macro_rules! write_register {
    ($name:literal, $value:expr) => {{
        let value: u64 = $value;
        // SAFETY: a guest writes only its own timer, interrupt-controller and floating-point state, and translation
        // that maps all memory in use where it was; none of it changes how Rust code is executed.
        unsafe { core::arch::asm!(concat!("msr ", $name, ", {}"), "isb", in(reg) value, options(nostack, preserves_flags)) };
    }};
}

/// No interrupt is taken from here on.
pub fn mask_interrupts() {
    // SAFETY: masks interrupts of this CPU.
    unsafe { asm!("msr daifset, #2", options(nostack, preserves_flags)) };
}

/// Interrupts are taken from here on, pending ones at once.
pub fn unmask_interrupts() {
    // SAFETY: the vectors are in place since before the first Rust instruction, and handlers keep to atomics.
    unsafe { asm!("msr daifclr, #2", "isb", options(nostack, preserves_flags)) };
}

/// Sleeps until an interrupt is pending.
pub fn wait_for_interrupt() {
    // SAFETY: WFI changes no state. The barrier lets stores that others wait for be seen before this CPU sleeps.
    unsafe { asm!("dsb sy", "wfi", options(nostack, preserves_flags)) };
}

/// Sleeps until an event: another CPU's [`send_event`], or an interrupt. One since the last sleep ends it at once.
pub fn wait_for_event() {
    // SAFETY: WFE changes no state but the event register.
    unsafe { asm!("wfe", options(nostack, preserves_flags)) };
}

/// Wakes all CPUs that sleep in [`wait_for_event`], to what was stored before.
pub fn send_event() {
    // SAFETY: SEV changes no state but the event registers.
    unsafe { asm!("dsb sy", "sev", options(nostack, preserves_flags)) };
}

/// Everything stored before is seen by other CPUs and devices before anything after.
pub fn barrier() {
    // SAFETY: barriers change no state.
    unsafe { asm!("dsb sy", "isb", options(nostack, preserves_flags)) };
}

//! Reading and writing system registers by name.
//!
//! For registers that `aarch64-cpu` knows, its typed form is used; these two macros serve the rest (the ICH_* file,
//! registers that only newer CPUs have) and whole-register switches, where a field has no meaning of its own.

/// Reads a system register by the name the assembler knows it by.
macro_rules! read {
    ($($name:tt)+) => {{
        let value: u64;
        // SAFETY: `mrs` of a readable register has no effect on memory or control flow.
        unsafe { core::arch::asm!(concat!("mrs {}, ", $($name)+), out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }};
}

/// Writes a system register by the name the assembler knows it by. The caller states in its own `unsafe` block why
/// the value is right for that register.
macro_rules! write {
    (concat!($($part:tt)*), $value:expr) => {{
        let value: u64 = $value;
        core::arch::asm!(concat!("msr ", $($part)*, ", {}"), in(reg) value, options(nostack, preserves_flags))
    }};
    ($name:literal, $value:expr) => {{
        let value: u64 = $value;
        core::arch::asm!(concat!("msr ", $name, ", {}"), in(reg) value, options(nostack, preserves_flags))
    }};
}

pub(crate) use {read, write};

//! What the bare-metal guests share: from the first instruction to a console, interrupts, time and power-off.
//!
//! A guest is a [`Program`], given to [`program!`]. It finds its machine in what the boot protocol hands it, the device tree
//! of arm64 or the ACPI tables of x86_64, and takes nothing else for granted. So the same ELF runs as a guest of Ostler and
//! bare on QEMU, which tells a mistake in the guest from one in the hypervisor.
//!
//! What is of the CPU is in a folder of its name, and chosen here, once. Beside what only programs for that CPU use, each has
//! `machine`, `uart` and `clock`, `cpus` and `ipi`, what ends the machine, and what masks interrupts and waits for them.
//!
//! There are no locks: what an interrupt handler or another CPU shares is in atomics that are only loaded and stored, and
//! each has one that stores. (arm64's guests run with the MMU off: all memory is Device memory, DDI 0487, D8.2.10, which has
//! no exclusives.)
//!
//! On a host target this crate is empty.
#![cfg(target_os = "none")]
#![no_std]

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

mod command_line;
pub mod console;
mod list;
mod program;
pub mod timer;
pub mod wait;

pub use list::List;
pub use machine::Machine;
pub use program::{Program, fail};

/// A test that fails ends the program with its name.
pub type Verdict = Result<(), &'static str>;

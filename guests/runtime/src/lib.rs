//! What the bare-metal guests share: from the first instruction to a console, interrupts, time and PSCI.
//!
//! A guest is a [`Program`], given to [`program!`]. It runs at EL1 with the MMU off, finds its devices in the device
//! tree, and needs nothing but a GICv2 or GICv3, the architecture's timers, a PL011 and PSCI. So the same ELF runs as a guest of
//! Ostler and bare on QEMU's `virt` machine, which tells a mistake in the guest from one in the hypervisor.
//!
//! With the MMU off all memory is Device memory (DDI 0487, D8.2.10): no exclusives, hence no locks. What an interrupt
//! handler or another CPU shares is in atomics that are only loaded and stored, and each has one that stores.
//!
//! On a host target this crate is empty.
#![cfg(target_os = "none")]
#![no_std]

mod boot;
pub mod console;
pub mod exceptions;
pub mod gic;
mod list;
pub mod machine;
pub mod mmio;
mod program;
pub mod psci;
pub mod system_register;
pub mod timer;
pub mod uart;
pub mod wait;

pub use boot::program_extent;
pub use list::List;
pub use machine::Machine;
pub use program::{Program, fail};

/// A test that fails ends the program with its name.
pub type Verdict = Result<(), &'static str>;

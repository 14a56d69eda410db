//! x86_64: long mode on page tables of its own, on the local and the I/O APIC, a 16550 and ACPI.

mod acpi;
pub mod apic;
mod boot;
pub mod clock;
pub mod cpu;
pub mod cpus;
mod description;
pub mod exceptions;
pub mod fp;
pub mod io_apic;
pub mod ipi;
pub mod machine;
pub mod mmio;
pub mod pit;
pub mod power;
pub mod uart;

pub use boot::{program_extent, started};
pub use cpu::{mask_interrupts, unmask_interrupts, wait_for_interrupt};
pub use power::{system_off, system_reset};

//! arm64: EL1 with the MMU off, on a GICv2 or GICv3, the architecture's timers, a PL011 and PSCI.

mod boot;
pub(crate) mod clock;
pub mod cpus;
pub mod exceptions;
pub mod gic;
pub mod ipi;
pub mod machine;
pub mod mmio;
pub mod psci;
pub mod system_register;
pub mod uart;

pub use boot::program_extent;
pub use psci::{system_off, system_reset};
pub use system_register::{mask_interrupts, unmask_interrupts, wait_for_interrupt};

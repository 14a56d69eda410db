//! Virtual devices, behind small traits.
//!
//! A device here is plain state with [`Registers`]: the hypervisor's bus finds it by address, takes its lock, calls
//! `read` or `write`, then samples `line` and tells the virtual interrupt controller if it changed. Devices know
//! neither VMs nor CPUs nor the board, so every one of them is tested on the host as it runs on the target.
//!
//! Ports are registers too. A device that has ports in several places has them one after the other in its frame, and of an
//! access that is wider than the device's registers it serves the first one: what the ISA bus makes of such an access is the
//! business of whoever brings it here.
//!
//! A device that waits for something is [`Timed`]: it is told the guest's time, and says until when nobody has to ask.
//!
//! Serial devices end in an [`Endpoint`]: a pair of rings that the console mux joins to the board's one UART.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod acpi_power;
mod clock;
mod endpoint;
mod fifo;
mod hpet;
mod i8042;
mod i8254;
mod ib700;
mod mc146818;
mod ns16550;
mod pci_host;
mod pl011;
mod pl061;
mod registers;
mod reset_register;
mod ring;
mod sp805;

pub use acpi_power::AcpiPower;
pub use endpoint::Endpoint;
pub use hpet::Hpet;
pub use i8042::I8042;
pub use i8254::I8254;
pub use ib700::Ib700;
pub use mc146818::Mc146818;
pub use ns16550::Ns16550;
pub use pci_host::PciHost;
pub use pl011::Pl011;
pub use pl061::Pl061;
pub use registers::{Registers, Request, Signals, Timed, Uart, Width};
pub use reset_register::ResetRegister;
pub use ring::Ring;
pub use sp805::Sp805;

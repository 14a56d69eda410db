//! Virtual devices, behind small traits.
//!
//! A device here is plain state with [`Registers`]: the hypervisor's bus finds it by address, takes its lock, calls
//! `read` or `write`, then samples `line` and tells the virtual interrupt controller if it changed. Devices know
//! neither VMs nor CPUs nor the board, so every one of them is tested on the host as it runs on the target.
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

mod endpoint;
mod pl011;
mod registers;
mod ring;

pub use endpoint::Endpoint;
pub use pl011::Pl011;
pub use registers::{Registers, Width};
pub use ring::Ring;

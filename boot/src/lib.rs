//! Reset to the first Rust line, and what the board says of itself.
//!
//! The boot loader enters at the first instruction of `head` with the MMU or paging off. A few instructions and `early` build
//! tables that map the image at its link address, and the rest of Ostler runs there. What the board says of itself (a device
//! tree, or ACPI and a memory map) is read in one pass and boiled down to [`Facts`]; the hypervisor compares them with what
//! it was assembled for.
//!
//! Each CPU has a folder, with the same names inside; the choice between them is made here. A host has no boot: there the
//! readers of both compile and are tested, and `Facts` are arm64's, as `arch` is.
#![cfg_attr(not(test), no_std)]
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

#[cfg(not(all(target_os = "none", target_arch = "x86_64")))]
pub mod aarch64;
mod facts;
#[cfg(any(test, all(target_os = "none", target_arch = "x86_64")))]
pub mod x86_64;

#[cfg(not(all(target_os = "none", target_arch = "x86_64")))]
pub use aarch64::*;
#[cfg(all(target_os = "none", target_arch = "x86_64"))]
pub use x86_64::*;

pub use facts::{MAX_CPUS, MAX_MEMORY, MAX_NOTES, MAX_RESERVED, MAX_SEED_BYTES, Region, Reserved};

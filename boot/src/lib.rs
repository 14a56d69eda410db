//! Reset to the first Rust line: the arm64 `Image` header, entry at EL2, secondary CPUs, and what the board says of itself.
//!
//! The boot loader enters at [`head`]'s first instruction with the MMU off. A few instructions and [`early`] build
//! tables that map the image at its link address, and the rest of Ostler runs there. [`tree`] reads the board's own
//! device tree in one pass; the hypervisor compares the result with what it was assembled for.
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

#[cfg(target_os = "none")]
pub mod early;
#[cfg(target_os = "none")]
pub mod head;
pub mod tree;

//! The program on the bare board: VMs, the vCPU loop, host memory, the console.
//!
//! This library is everything that a host can compile and test; `main.rs` adds what only exists on the board.
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

pub mod memory;

//! Everything that knows x86_64: entry and exit of a vCPU, nested page tables, model-specific registers, the APICs, timers.
//!
//! The pure modules compile and are tested on any host. The rest is instructions and registers, and exists on the bare target
//! only.
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

pub mod decode;
pub mod vapic;

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

pub mod backtrace;
pub mod board;
pub mod clock;
pub mod exception;
pub mod interrupts;
pub mod paging;

#[cfg(target_os = "none")]
pub mod alarm;
#[cfg(target_os = "none")]
pub mod controller;
#[cfg(target_os = "none")]
pub mod cpu;
#[cfg(target_os = "none")]
pub mod entry;
#[cfg(target_os = "none")]
pub mod fault;
#[cfg(target_os = "none")]
pub mod firmware;
#[cfg(target_os = "none")]
pub mod fitness;
#[cfg(target_os = "none")]
mod gdt;
#[cfg(target_os = "none")]
mod registers;
#[cfg(target_os = "none")]
pub mod tsc;
#[cfg(target_os = "none")]
pub mod uart;

pub use arch_common::{in_hand, mailbox};

/// The interrupt controller, the board's and its guests' alike.
pub const CONTROLLER: model::Controller = model::Controller::Apic;

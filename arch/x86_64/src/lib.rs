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
pub mod context;
pub mod control;
pub mod coverage;
pub mod cpuid;
pub mod decode;
pub mod exception;
pub mod exit;
pub mod inject;
pub mod interrupts;
pub mod msr;
pub mod nmi;
pub mod paging;
pub mod pvclock;
pub mod recorder;
pub mod segment;
pub mod start;
pub mod svm;
pub mod vapic;
pub mod walk;

#[cfg(target_os = "none")]
pub mod alarm;
#[cfg(any(test, target_os = "none"))]
mod calendar;
#[cfg(target_os = "none")]
pub mod clock;
#[cfg(target_os = "none")]
pub mod complaint;
#[cfg(target_os = "none")]
pub mod controller;
#[cfg(target_os = "none")]
pub mod cpu;
#[cfg(target_os = "none")]
pub mod dump;
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
mod guest;
#[cfg(any(test, target_os = "none"))]
mod line;
#[cfg(target_os = "none")]
mod machine_check;
#[cfg(target_os = "none")]
mod memory;
#[cfg(target_os = "none")]
pub mod random;
#[cfg(target_os = "none")]
mod registers;
#[cfg(target_os = "none")]
pub mod tsc;
#[cfg(target_os = "none")]
pub mod uart;
#[cfg(target_os = "none")]
mod vcpu;
#[cfg(target_os = "none")]
mod xstate;

pub use arch_common::doorbell::Doorbell;
pub use arch_common::ends::Ends;
pub use arch_common::latches::Latches;
pub use arch_common::place::Place;
pub use arch_common::{bits, in_hand, kick, mailbox};
pub use exit::{Access, At, Exit, Kind, Outcome, Unsupported};
#[cfg(target_os = "none")]
pub use guest::Guest;
#[cfg(target_os = "none")]
pub use svm::{gpa_bits, init_cpu};
#[cfg(target_os = "none")]
pub use vcpu::{Glimpse, Vcpu};

/// The interrupt controller, the board's and its guests' alike.
pub const CONTROLLER: model::Controller = model::Controller::Apic;

/// Whether what guests are told of their machine has places for random bytes: ACPI's tables have none, and the CPU gives them.
pub const TELLS_SEEDS: bool = false;

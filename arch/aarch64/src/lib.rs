//! Everything that knows arm64: entry and exit of a vCPU, second-stage tables, system registers, the interrupt
//! controller, timers, power.
//!
//! The pure modules (tables, syndromes, injection, the virtual GIC, PSCI) compile and are tested on any host. The rest
//! is instructions and registers, and exists on the bare target only.
//!
//! ```text
//! Vcpu::run ─▶ entry ─▶ guest ─▶ entry's vectors ─▶ vcpu's quick handlers ─▶ guest again, or an Exit for the loop
//!                                                        │
//!                                                        └─ syndrome, sysreg, vgic, inject
//! ```
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
pub mod clock;
pub mod complaint;
pub mod context;
pub mod coverage;
pub mod deadline;
pub mod disassemble;
pub mod exit;
pub mod inject;
pub mod interrupts;
pub mod intid;
pub mod paging;
pub mod psci;
pub mod recorder;
pub mod smccc;
pub mod syndrome;
pub mod sysreg;
pub mod vgic;

pub use arch_common::doorbell::Doorbell;
pub use arch_common::ends::Ends;
pub use arch_common::latches::Latches;
pub use arch_common::place::Place;
pub use arch_common::{bits, in_hand, kick, mailbox};
pub use exit::{Access, At, Exit, Kind, Outcome, Unsupported};

/// Architecture of the interrupt controller, the board's and its guests' alike: chosen by the feature `gicv2`, so that
/// neither pays for the other.
pub const CONTROLLER: model::Controller = model::Controller::Gic(GIC);

/// Whether what guests are told of their machine has places for random bytes: device trees have.
pub const TELLS_SEEDS: bool = true;

/// The GIC's version in [`CONTROLLER`].
pub(crate) const GIC: model::GicVersion =
    if cfg!(feature = "gicv2") { model::GicVersion::V2 } else { model::GicVersion::V3 };

#[cfg(target_os = "none")]
pub mod alarm;
#[cfg(target_os = "none")]
mod control;
#[cfg(target_os = "none")]
pub mod controller;
#[cfg(target_os = "none")]
pub mod cpu;
#[cfg(target_os = "none")]
mod debug;
#[cfg(target_os = "none")]
pub mod dump;
#[cfg(target_os = "none")]
mod el1;
#[cfg(target_os = "none")]
pub mod entry;
#[cfg(target_os = "none")]
pub mod fault;
#[cfg(target_os = "none")]
pub mod firmware;
#[cfg(target_os = "none")]
mod fp;
#[cfg(target_os = "none")]
pub mod gic;
#[cfg(target_os = "none")]
mod guest;
#[cfg(target_os = "none")]
mod memory;
#[cfg(target_os = "none")]
mod registers;
#[cfg(target_os = "none")]
pub mod uart;
#[cfg(target_os = "none")]
mod vcpu;

#[cfg(target_os = "none")]
pub use control::{gpa_bits, init_cpu};
#[cfg(target_os = "none")]
pub use guest::Guest;
#[cfg(target_os = "none")]
pub use vcpu::{Glimpse, Vcpu};

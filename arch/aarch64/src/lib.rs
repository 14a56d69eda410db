//! Placeholder.
#![cfg_attr(not(test), no_std)]

pub mod paging;
pub mod syndrome;
pub mod psci;
pub mod smccc;
pub mod vgic;
pub mod inject;

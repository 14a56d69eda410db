//! x86's translation tables over the walker that both CPUs share: four levels of long mode's format with pages of 4 KiB (APM
//! volume 2, 5.3).
//!
//! Entries only go from not present to present, which needs no invalidation (5.5.3); the caller owes nothing before the first use.

mod stage1;
mod stage2;
#[cfg(test)]
mod tests;

pub use arch_common::paging::*;
pub use stage1::Stage1;
pub use stage2::{Stage2, gpa_bits};

/// Present.
const PRESENT: u64 = 1 << 0;
/// Stores are allowed, if all levels say so.
const WRITABLE: u64 = 1 << 1;
/// The CPU sets it in what it has used: set already, so that nobody else writes to tables of ours.
const ACCESSED: u64 = 1 << 5;
/// As above, in leaves that were written by.
const DIRTY: u64 = 1 << 6;
/// A leaf of 1 GiB or 2 MiB.
const LARGE: u64 = 1 << 7;
/// No instruction fetches (EFER.NXE is set).
const NO_EXECUTE: u64 = 1 << 63;
/// An output address.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

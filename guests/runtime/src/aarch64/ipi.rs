//! Interrupts from CPU to CPU: the GIC's SGIs, of which there are 16.

pub use super::gic::{open, open_cpu, send};

/// The first one's number.
pub const FIRST: u32 = 0;

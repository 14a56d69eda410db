//! The board's own interrupt controller, as this pCPU and the virtual GIC use it: a driver for each architecture with the
//! same names, of which the feature `gicv2` chooses one.

mod v3;

pub use v3::*;

//! arm64: the `Image` header, entry at EL2, secondary CPUs by PSCI, the board's device tree.

#[cfg(target_os = "none")]
pub mod controller;
#[cfg(target_os = "none")]
mod early;
mod fitness;
#[cfg(target_os = "none")]
mod hand_over;
#[cfg(target_os = "none")]
pub mod head;
pub mod tree;

pub use fitness::{Misfit, fits, installed_bytes};
#[cfg(target_os = "none")]
pub use hand_over::{Refusal, begin, refusal};
pub use tree::{Facts, Uart};

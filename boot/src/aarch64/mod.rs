//! arm64: the `Image` header, entry at EL2, secondary CPUs by PSCI, the board's device tree.

#[cfg(target_os = "none")]
mod early;
#[cfg(target_os = "none")]
pub mod head;
pub mod tree;

pub use tree::Facts;

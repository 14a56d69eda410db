//! The one place that chooses a CPU architecture: everything above says `arch::…` and reads the same on all of them.
//!
//! Host builds (tests, lints) get arm64's pure modules; instructions and registers exist on the bare target only.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(not(all(target_os = "none", target_arch = "x86_64")))]
pub use arch_aarch64::*;
#[cfg(all(target_os = "none", target_arch = "x86_64"))]
pub use arch_x86_64::*;

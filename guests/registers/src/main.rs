//! A bare-metal x86 guest that sees whether the registers which change hands with the CPU stay its own: x87, SSE and AVX with their
//! control registers, XCR0, the breakpoints' addresses, CR2, and the MSRs that no hypervisor has to look at.
//!
//! The command line takes `seed=N`, which makes its values other ones than another guest's, `rounds=N`, and `narrow`: it then turns AVX
//! off. In each round it sleeps, works without a pause for longer than a slice, and compares. On other targets there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(all(target_os = "none", target_arch = "x86_64"))]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

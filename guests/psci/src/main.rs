//! A bare-metal arm64 guest that tests PSCI 1.1 whole (Arm DEN 0022): what there is and what is not, every refusal, what a
//! started CPU finds in its registers, starts that race with each other and with the target's end, suspension.
//!
//! It needs three vCPUs for the races and tests less with fewer. It is strict: QEMU's own PSCI would not pass. The
//! command line takes `races=N`, rounds of each race, and one word for the end: none powers the machine off, `cpu-off`
//! switches off the last vCPU, `reset2` resets. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

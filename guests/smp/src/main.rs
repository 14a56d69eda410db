//! A bare-metal arm64 guest that tests what lies between vCPUs: their start, SGIs in all forms, events, routed SPIs, and
//! counters that agree. Nothing may be lost: what is, ends the wait for it with an alarm, and that is a failure.
//!
//! The command line takes `rounds=N`, the SGIs that each of the first two vCPUs sends the other, and `turns=N`, how often a
//! token that is passed on by SEV comes to each vCPU. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

//! A bare-metal arm64 guest that tests the machine it runs on and then says that it is alive.
//!
//! What it needs is guest-runtime's, so it also runs bare on QEMU's `virt` machine; the tests that only a machine of
//! Ostler's can pass are then left out:
//!
//! ```text
//! qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a57 -smp 2 -nographic -kernel hello -append beats=2
//! ```
//!
//! The command line takes `beats=N` (heartbeats before it powers off; 0, the default: for ever) and `period-ms=N`.
//! `q` on the console powers it off at once. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(any(test, target_os = "none"))]
mod options;

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

//! A bare-metal arm64 guest that tests the machine it runs on and then says that it is alive.
//!
//! It runs at EL1 with the MMU off, finds its devices in the device tree, and needs nothing but a GICv3, a virtual
//! timer, a PL011 and PSCI. So the same ELF runs as a guest of Ostler and bare on QEMU's `virt` machine, which tells
//! a mistake in the guest from one in the hypervisor:
//!
//! ```text
//! qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a57 -smp 2 -nographic -kernel hello -append beats=2
//! ```
//!
//! The command line takes `beats=N` (heartbeats before it powers off; 0, the default: for ever) and `period-ms=N`.
//! On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(any(test, target_os = "none"))]
mod options;

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

//! A bare-metal guest that attacks its hypervisor: a class of attacks in order or at random, as its command line says
//! ([`options`]), each attack followed by a look at whether this CPU is still as the architecture says.
//!
//! What there is to attack with is the CPU's own. Its `attack` makes instructions out of random numbers: it knows no machine, so
//! that the same seed is the same sequence on any of them, and a host can test it. Its `guest` executes them in batches, takes
//! the exceptions, and counts.
//!
//! ```text
//! seed ─▶ Random ─▶ attack::Class ─▶ Code (64 attacks) ─▶ batch executes ─▶ counts, registers as they have to be
//! ```
//!
//! It ends with a line of counts and by powering off. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(any(test, all(target_os = "none", target_arch = "aarch64")))]
mod aarch64;
#[cfg(all(target_os = "none", target_arch = "aarch64"))]
use aarch64 as cpu;
#[cfg(any(test, all(target_os = "none", target_arch = "x86_64")))]
mod x86_64;
#[cfg(all(target_os = "none", target_arch = "x86_64"))]
use x86_64 as cpu;

#[cfg(target_os = "none")]
mod guest;
#[cfg(any(test, target_os = "none"))]
mod options;
#[cfg(any(test, target_os = "none"))]
mod random;

#[cfg(not(target_os = "none"))]
fn main() {}

//! A bare-metal arm64 guest that attacks its hypervisor: a class of attacks in order or at random, as its command line says
//! ([`options`]), each attack followed by a look at whether this CPU is still as the architecture says.
//!
//! [`attack`] makes instructions out of random numbers: it knows no machine, so that the same seed is the same sequence on
//! any of them, and a host can test it. `guest` executes them in batches, takes the exceptions, and counts.
//!
//! ```text
//! seed ─▶ Random ─▶ attack::Class ─▶ Code (64 attacks) ─▶ guest::batch executes ─▶ counts, registers as they have to be
//! ```
//!
//! It ends with a line of counts and by powering off. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(any(test, target_os = "none"))]
mod attack;
#[cfg(any(test, target_os = "none"))]
mod options;

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

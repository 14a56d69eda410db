//! A bare-metal guest that runs under its own page tables, with every page size that its CPU has: 4, 16 and 64 KiB on arm64, 4 KiB, 2 MiB and 1 GiB on x86.
//!
//! On arm64, in each range of its memory, and with each size, it makes a copy of itself, maps that in the upper half of the address
//! space, and continues there, with caches on: takes an interrupt and a fault, changes live mappings, executes what it has
//! just written. On x86 it maps each range in the upper half, takes faults, changes live mappings, and executes what it has written. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

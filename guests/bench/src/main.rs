//! A bare-metal arm64 guest that counts what its exits cost, in instructions, and says it in lines for a program to read.
//!
//! It runs unchanged under Ostler, under Xen and on a bare machine, on one CPU of QEMU with `-icount shift=0`; anywhere
//! else it refuses. What it counts is in `guest/rows.rs`. Words of the command line: names of rows, to run only these;
//! `rounds=N`; `idle` or `spin`, to be a neighbour that does nothing, asleep or awake.
//!
//! ```text
//! bench: start COUNT                            its own first instruction, since the board's reset
//! bench: row NAME ROUNDS LEAST TOTAL MOST       instructions
//! bench: end
//! ```
//! On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

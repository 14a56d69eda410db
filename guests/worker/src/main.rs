//! A bare-metal guest that counts how much it gets done, and (on arm64) what time was stolen from it: for tests of who runs when
//! vCPUs share a CPU.
//!
//! With `set counter-offset 0` all such guests of a board read the same counter, so all work in the same window of time:
//! `from=SECONDS until=SECONDS` of the counter, or `from-ms=MILLISECONDS`. Until then each sleeps. A worker that has begun too late says so, because
//! nothing could be told from its count.
//!
//! In the window it works without a pause; with `pulse-ms=N` it does one piece of work every N ms, `pulses=N` times at most, sleeps in
//! between, and says how late it woke at worst; with `storm` a piece of work is a call of the hypervisor. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

//! A bare-metal guest that tests what lies between vCPUs: their start, interrupts in all forms, events, routed lines, and
//! counters that agree. Nothing may be lost: what is, ends the wait for it with an alarm, and that is a failure.
//!
//! The command line takes `rounds=N`, the interrupts that each of the first two vCPUs sends the other; `turns=N`, how often a
//! token that is passed on comes to each vCPU; `lives=N`, how often all come before they stay; and on x86 `shots=N`, the shoot-downs. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

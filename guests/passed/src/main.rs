//! A bare-metal x86 guest that has devices of the board for itself, and drives them by their interrupts.
//!
//! Each word of its command line is a test, in order. `com2` writes a line by the second UART's transmit interrupts, whose edges come at line
//! 3; `rtc` counts periods of the clock, edges at line 8; `hpet` counts alarms of the event timers, a level at line 20. `storm` lets that
//! level stay high for a while, `edges` makes the UART interrupt without end, and `reset` resets the machine while the level is
//! high. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

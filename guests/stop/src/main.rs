//! A bare-metal arm64 guest that is stopped from outside.
//!
//! With `watchdog` on its command line it feeds its SP805 for a while, in time and at the last moment, then no more: it sees the
//! interrupt of the first time-out, and nothing after the second. With `start` it starts it and never feeds it; with `reset` it starts
//! it and resets the machine. With `key` it watches its power key go down and up, as often as it is pressed, and does not obey.
//! With `alarm` it lets the line of a PL031 stay high for a while, and with `alarm-reset` it resets the machine while it is. With `sleep` it does nothing at all. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

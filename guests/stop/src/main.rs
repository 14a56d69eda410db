//! A bare-metal guest that is stopped from outside.
//!
//! With `watchdog` on its command line it feeds its watchdog for a while, then no more (arm64's SP805 interrupts before it bites, and is
//! fed by that, too; x86's IB700 is stopped for a while in between). With `start` it starts it and never feeds it; with `reset` it starts
//! it and resets the machine. With `key` it watches its power key, as often as it is pressed, and does not obey. With `sleep` it does
//! nothing at all. On arm64, with `alarm` it lets the line of a PL031 stay high for a while, and with `alarm-reset` it resets the machine
//! while it is. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

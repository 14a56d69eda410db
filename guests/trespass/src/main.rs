//! A bare-metal guest that does what it must not, as its command line says, and says what came of it.
//!
//! Every word of the command line is a step ([`steps`]); they are done in order, and then it powers off. It lives on
//! whatever comes: an exception that a step provokes is caught and told. What it cannot survive is the hypervisor's
//! decision to stop it. On a host target there is nothing to build.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(any(test, target_os = "none"))]
mod steps;

#[cfg(target_os = "none")]
mod guest;

#[cfg(not(target_os = "none"))]
fn main() {}

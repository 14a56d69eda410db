//! Without a header: started as Linux is.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
use loaded as _;

#[cfg(not(target_os = "none"))]
fn main() {}

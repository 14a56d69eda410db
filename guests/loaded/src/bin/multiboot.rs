//! With a Multiboot header that has no addresses (0.6.96, section 3.1).
#![cfg_attr(target_os = "none", no_std, no_main)]

// Magic, flags (modules on pages, sizes of memory), checksum.
#[cfg(target_os = "none")]
core::arch::global_asm!(
    r#"
    .section .header, "a"
    .balign 4
    .long 0x1badb002, 3, -(0x1badb002 + 3)
    "#
);

#[cfg(target_os = "none")]
use loaded as _;

#[cfg(not(target_os = "none"))]
fn main() {}

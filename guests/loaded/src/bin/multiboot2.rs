//! With a Multiboot2 header that wants its modules on pages (2.0, section 3.1).
#![cfg_attr(target_os = "none", no_std, no_main)]

// Magic, protected mode, length, checksum; a tag for modules on pages, and the tag that ends the tags.
#[cfg(target_os = "none")]
core::arch::global_asm!(
    r#"
    .section .header, "a"
    .balign 8
    .long 0xe85250d6, 0, 32, 0x100000000 - (0xe85250d6 + 32)
    .short 6, 0
    .long 8
    .short 0, 0
    .long 8
    "#
);

#[cfg(target_os = "none")]
use loaded as _;

#[cfg(not(target_os = "none"))]
fn main() {}

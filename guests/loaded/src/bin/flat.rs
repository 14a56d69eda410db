//! With a Multiboot header that has addresses (0.6.96, section 3.1.3): what the file is besides counts no more.
#![cfg_attr(target_os = "none", no_std, no_main)]

// Magic, flags (modules on pages, sizes of memory, addresses), checksum; the header's own address, load_addr, load_end_addr,
// bss_end_addr, entry_addr.
#[cfg(target_os = "none")]
core::arch::global_asm!(
    r#"
    .section .header, "ax"
    .balign 4
    header:
    .long 0x1badb002, 0x10003, -(0x1badb002 + 0x10003)
    .long header, __program_start, __data_end, __program_end, _start
    "#
);

#[cfg(target_os = "none")]
use loaded as _;

#[cfg(not(target_os = "none"))]
fn main() {}

//! The bootable program: the compiled-in configuration, handed to the library at the boot room's hand-over.
//!
//! On a host this is an empty program, so that the workspace builds and lints as a whole.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod system {
    //! The configuration, as `build.rs` compiled it in.
    include!(concat!(env!("OUT_DIR"), "/system.rs"));
}

/// `cargo xtask` sets the feature `gicv2` by the board.
#[cfg(target_os = "none")]
const _: () = {
    use model::Controller::{Apic, Gic};
    use model::GicVersion::{V2, V3};
    let model::System { board, vms, .. } = &system::SYSTEM;
    let fits = matches!((board.controller, arch::CONTROLLER), (Gic(V2), Gic(V2)) | (Gic(V3), Gic(V3)) | (Apic, Apic));
    assert!(vms.is_empty() || fits, "the board has another GIC than the one compiled in: see the feature `gicv2`");
};

/// The boot CPU, on the boot stack, with the early tables (see `boot::head`): what the boot loader left (`boot::begin`), and between
/// the two the image and `.bss` by their physical addresses.
#[cfg(target_os = "none")]
#[unsafe(no_mangle)]
extern "C" fn ostler_entry(from: u64, load: u64, bss: u64, how: u64) -> ! {
    hypervisor::bring_up::boot(&system::SYSTEM, from, hypervisor::address_space::Image { load, bss }, how)
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("Ostler runs on a bare board: build it with `cargo xtask build`, start it with `cargo xtask run`.");
    std::process::exit(1);
}

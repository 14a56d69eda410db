//! The systems for x86's board.

use super::System;

/// Debian alone on one pCPU; it powers off by itself.
pub const LINUX_X86_64: System =
    System::of_pc("linux-x86_64", &["qemu-tests/systems/linux-x86_64.qvmconf"]).with_cpus(1).with_self_test();
/// The bare-metal guest alone on two pCPUs; it powers off by itself.
pub const HELLO_X86_64: System =
    System::of_pc("hello-x86_64", &["qemu-tests/systems/hello-x86_64.qvmconf"]).with_cpus(2).with_self_test();

/// All of them.
pub(super) const SYSTEMS: &[System] = &[LINUX_X86_64, HELLO_X86_64];

//! The systems for x86's board.

use super::System;

/// Debian alone on one pCPU; it powers off by itself.
pub const LINUX_X86_64: System =
    System::of_pc("linux-x86_64", &["qemu-tests/systems/linux-x86_64.qvmconf"]).with_cpus(1).with_self_test();
/// The bare-metal guest alone on two pCPUs; it powers off by itself.
pub const HELLO_X86_64: System =
    System::of_pc("hello-x86_64", &["qemu-tests/systems/hello-x86_64.qvmconf"]).with_cpus(2).with_self_test();
/// Debian alone on four pCPUs; it powers off by itself.
pub const LINUX_4_X86_64: System = System::of_pc("linux-4-x86_64", &["qemu-tests/systems/linux-4-x86_64.qvmconf"]);
/// Two Debian guests and two bare-metal guests on four pCPUs.
pub const FULL_4_X86_64: System = System::of_pc(
    "full-4-x86_64",
    &[
        "qemu-tests/systems/linux-load-1-x86_64.qvmconf",
        "qemu-tests/systems/linux-load-2-x86_64.qvmconf",
        "qemu-tests/systems/full-hello-x86_64.qvmconf",
        "qemu-tests/systems/full-beats-x86_64.qvmconf",
    ],
);
/// The same on two pCPUs.
pub const FULL_2_X86_64: System = System::of_pc("full-2-x86_64", FULL_4_X86_64.files).with_cpus(2).with_self_test();
/// Debian that reboots for ever, on two pCPUs.
pub const REBOOT_X86_64: System =
    System::of_pc("reboot-x86_64", &["qemu-tests/systems/linux-reboots-x86_64.qvmconf"]).with_cpus(2);

/// All of them.
pub(super) const SYSTEMS: &[System] =
    &[LINUX_X86_64, HELLO_X86_64, LINUX_4_X86_64, FULL_4_X86_64, FULL_2_X86_64, REBOOT_X86_64];

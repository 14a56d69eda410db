//! The systems for x86's board.

use super::System;

/// Debian alone on one pCPU; it powers off by itself.
pub const LINUX_X86_64: System =
    System::of_pc("linux-x86_64", &["qemu-tests/systems/linux-x86_64.qvmconf"]).with_cpus(1).with_self_test();
/// The bare-metal guest alone on two pCPUs; it powers off by itself.
pub const HELLO_X86_64: System = System::of_pc("hello-x86_64", &["qemu-tests/systems/hello-x86_64.qvmconf"])
    .with_cpus(2)
    .with_self_test()
    .with_disc();
/// Programs that tell how they were started, one for each way, and each in a VM of its own.
pub const LOADED: System = System::of_pc(
    "loaded",
    &[
        "qemu-tests/systems/loaded-multiboot.qvmconf",
        "qemu-tests/systems/loaded-multiboot2.qvmconf",
        "qemu-tests/systems/loaded-flat.qvmconf",
        "qemu-tests/systems/loaded-flat-elf.qvmconf",
        "qemu-tests/systems/loaded-elf64.qvmconf",
        "qemu-tests/systems/loaded-raw.qvmconf",
        "qemu-tests/systems/loaded-real.qvmconf",
    ],
);
/// Debian alone on one pCPU, by its uncompressed kernel; it powers off by itself.
pub const VMLINUX: System = System::of_pc("vmlinux", &["qemu-tests/systems/linux-vmlinux-x86_64.qvmconf"]).with_cpus(1);
/// Debian's memtest86+, entered in 64-bit mode.
pub const MEMTEST: System = System::of_pc("memtest", &["guests/memtest/memtest-x86_64.qvmconf"]).with_cpus(1);
/// The same of 32 bits, entered in 32-bit mode.
pub const MEMTEST_IA32: System =
    System::of_pc("memtest-ia32", &["qemu-tests/systems/memtest-ia32.qvmconf"]).with_cpus(1);

/// All of them.
pub(super) const SYSTEMS: &[System] = &[LINUX_X86_64, HELLO_X86_64, LOADED, VMLINUX, MEMTEST, MEMTEST_IA32];

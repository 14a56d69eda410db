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
/// Programs that tell how they were started, one for each way, and each in a VM of its own.
pub const LOADED: System = System::of_pc(
    "loaded",
    &[
        "qemu-tests/systems/loaded-multiboot.qvmconf",
        "qemu-tests/systems/loaded-multiboot2.qvmconf",
        "qemu-tests/systems/loaded-flat.qvmconf",
        "qemu-tests/systems/loaded-flat-elf.qvmconf",
        "qemu-tests/systems/loaded-elf64.qvmconf",
        "qemu-tests/systems/loaded-elf32.qvmconf",
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

/// The hostile guest as the console says, with a neighbour that looks at its own memory.
pub const HOSTILE_X86_64: System =
    System::of_pc("hostile-x86_64", &["qemu-tests/systems/hostile-x86_64.qvmconf", NEIGHBOUR])
        .with_cpus(2)
        .with_coverage()
        .with_self_test();
/// The same where what cannot be emulated is passed over.
pub const HOSTILE_IGNORE_X86_64: System = System {
    name: "hostile-ignore-x86_64",
    files: &["qemu-tests/systems/hostile-ignore-x86_64.qvmconf", NEIGHBOUR],
    ..HOSTILE_X86_64
};
/// The same where it takes a fault.
pub const HOSTILE_FAIL_X86_64: System = System {
    name: "hostile-fail-x86_64",
    files: &["qemu-tests/systems/hostile-fail-x86_64.qvmconf", NEIGHBOUR],
    ..HOSTILE_X86_64
};
/// The same where it stops the VM.
pub const HOSTILE_ABORT_X86_64: System = System {
    name: "hostile-abort-x86_64",
    files: &["qemu-tests/systems/hostile-abort-x86_64.qvmconf", NEIGHBOUR],
    ..HOSTILE_X86_64
};
const NEIGHBOUR: &str = "qemu-tests/systems/hostile-neighbour-x86_64.qvmconf";
/// On one pCPU: the hostile guest as the console says, one that resets itself for ever, one that shuts down for ever, and one of higher
/// priority that measures how late it wakes.
pub const VICTIM_X86_64: System = System::of_pc(
    "victim-x86_64",
    &[
        "qemu-tests/systems/hostile-alone-x86_64.qvmconf",
        "qemu-tests/systems/hostile-resets-x86_64.qvmconf",
        "qemu-tests/systems/victim-fails-x86_64.qvmconf",
        "qemu-tests/systems/victim-x86_64.qvmconf",
    ],
)
.with_cpus(1);

/// All of them.
pub(super) const SYSTEMS: &[System] = &[
    LINUX_X86_64,
    HELLO_X86_64,
    LINUX_4_X86_64,
    FULL_4_X86_64,
    FULL_2_X86_64,
    REBOOT_X86_64,
    HOSTILE_X86_64,
    HOSTILE_IGNORE_X86_64,
    HOSTILE_FAIL_X86_64,
    HOSTILE_ABORT_X86_64,
    VICTIM_X86_64,
    LOADED,
    VMLINUX,
    MEMTEST,
    MEMTEST_IA32,
];

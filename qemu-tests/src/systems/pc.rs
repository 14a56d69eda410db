//! The systems for x86's board.

use super::System;

/// Debian alone on one pCPU; it powers off by itself.
pub const LINUX_X86_64: System =
    System::of_pc("linux-x86_64", &["qemu-tests/systems/linux-x86_64.qvmconf"]).with_cpus(1).with_self_test();
/// The bare-metal guest alone on two pCPUs; it powers off by itself.
pub const HELLO_X86_64: System =
    System::of_pc("hello-x86_64", &["qemu-tests/systems/hello-x86_64.qvmconf"]).with_cpus(2).with_self_test();

/// A VM that resets itself for ever, beside one that looks at its own memory.
pub const RESTART_X86_64: System = System::of_pc(
    "restart-x86_64",
    &["qemu-tests/systems/x86_64/restart-noise.qvmconf", "qemu-tests/systems/x86_64/restart-hello.qvmconf"],
);
/// The same with four vCPUs that the board's CPUs share.
pub const RESTART_4_X86_64: System = System::of_pc(
    "restart-4-x86_64",
    &["qemu-tests/systems/x86_64/restart-noise-4.qvmconf", "qemu-tests/systems/x86_64/restart-hello.qvmconf"],
)
.with_cpus(2);
/// One VM for each way in which an end leads on, and for the progress watch.
pub const ENDS_X86_64: System = System::of_pc(
    "ends-x86_64",
    &[
        "qemu-tests/systems/x86_64/life-reset-never.qvmconf",
        "qemu-tests/systems/x86_64/life-off-on-failure.qvmconf",
        "qemu-tests/systems/x86_64/life-fails-on-failure.qvmconf",
        "qemu-tests/systems/x86_64/life-off-always.qvmconf",
        "qemu-tests/systems/x86_64/life-fails-default.qvmconf",
        "qemu-tests/systems/x86_64/life-spins.qvmconf",
        "qemu-tests/systems/x86_64/life-watched.qvmconf",
    ],
);
/// A VM whose CPU shuts down.
pub const TRIPLE: System = System::of_pc("triple", &["qemu-tests/systems/x86_64/life-triple.qvmconf"]).with_cpus(2);
/// Two VMs that restart together.
pub const GROUP_X86_64: System = System::of_pc(
    "group-x86_64",
    &["qemu-tests/systems/x86_64/life-group-fails.qvmconf", "qemu-tests/systems/x86_64/life-group-beats.qvmconf"],
);
/// A VM that the board ends with, well, beside some that would go on.
pub const BOARD_WELL_X86_64: System = System::of_pc(
    "board-well-x86_64",
    &[
        "qemu-tests/systems/x86_64/life-board-waits.qvmconf",
        "qemu-tests/systems/x86_64/life-board-resets.qvmconf",
        "qemu-tests/systems/x86_64/life-paused.qvmconf",
        "qemu-tests/systems/x86_64/life-board-well.qvmconf",
    ],
);
/// The same, badly.
pub const BOARD_BADLY_X86_64: System = System::of_pc(
    "board-badly-x86_64",
    &["qemu-tests/systems/x86_64/life-board-resets.qvmconf", "qemu-tests/systems/x86_64/life-board-badly.qvmconf"],
);

/// Three guests with different values in their registers on one pCPU.
pub const REGISTERS: System = System::of_pc(
    "registers",
    &[
        "qemu-tests/systems/x86_64/registers-1.qvmconf",
        "qemu-tests/systems/x86_64/registers-2.qvmconf",
        "qemu-tests/systems/x86_64/registers-3.qvmconf",
    ],
)
.with_cpus(1);

/// All of them.
pub(super) const SYSTEMS: &[System] = &[
    LINUX_X86_64,
    HELLO_X86_64,
    RESTART_X86_64,
    RESTART_4_X86_64,
    ENDS_X86_64,
    TRIPLE,
    GROUP_X86_64,
    BOARD_WELL_X86_64,
    BOARD_BADLY_X86_64,
    REGISTERS,
];

//! The systems for x86's board.

use config::assemble::OnFailure;

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
        .with_cpus(3)
        .with_coverage()
        .with_self_test()
        .with_threads();
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

/// A VM that resets itself for ever, four vCPUs on two pCPUs, beside one that looks at its own memory.
pub const RESTART_X86_64: System = System::of_pc(
    "restart-x86_64",
    &["qemu-tests/systems/x86_64/restart-noise.qvmconf", "qemu-tests/systems/x86_64/restart-hello.qvmconf"],
)
.with_cpus(3)
.with_threads();
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

/// A bare guest with the board's second UART, its clock and its event timers.
pub const PC_PASS: System =
    System::of_pc("pc-pass", &["qemu-tests/systems/pc-pass.qvmconf"]).with_cpus(2).with_self_test();
/// A guest that does not serve its event timer, whose line stays high.
pub const PC_PASS_STORM: System =
    System::of_pc("pc-pass-storm", &["qemu-tests/systems/pc-pass-storm.qvmconf"]).with_cpus(1);
/// A guest whose UART interrupts without end.
pub const PC_PASS_EDGES: System =
    System::of_pc("pc-pass-edges", &["qemu-tests/systems/pc-pass-edges.qvmconf"]).with_cpus(1);
/// A guest that resets itself for ever while it handles an interrupt of the board's.
pub const PC_PASS_AGAIN: System =
    System::of_pc("pc-pass-again", &["qemu-tests/systems/pc-pass-again.qvmconf"]).with_cpus(1);
/// Debian whose console is the board's second UART.
pub const PC_PASS_LINUX: System =
    System::of_pc("pc-pass-linux", &["qemu-tests/systems/pc-pass-linux.qvmconf"]).with_cpus(1);

/// A VM that spins on the boot CPU beside one that beats on others, and keys that make the hypervisor fail.
pub const FAILURE_X86_64: System = System::of_pc(
    "failure-x86_64",
    &["qemu-tests/systems/x86_64/failure-spin.qvmconf", "qemu-tests/systems/x86_64/failure-beats.qvmconf"],
)
.with_failures(OnFailure::Reset)
.with_self_test()
.with_threads();
/// The same on a board that halts.
pub const FAILURE_HALT_X86_64: System =
    System::of_pc("failure-halt-x86_64", FAILURE_X86_64.files).with_failures(OnFailure::Halt).with_threads();

/// Two VMs that beat, for one to be paused.
pub const PAUSE_X86_64: System = System::of_pc(
    "pause-x86_64",
    &["qemu-tests/systems/x86_64/life-paused.qvmconf", "qemu-tests/systems/x86_64/life-beside.qvmconf"],
);
/// One to be paused whose watchdog is on.
pub const PAUSE_WATCHDOG_X86_64: System = System::of_pc(
    "pause-watchdog-x86_64",
    &["qemu-tests/systems/x86_64/life-beside.qvmconf", "qemu-tests/systems/x86_64/life-bitten.qvmconf"],
);
/// A guest that no longer feeds its watchdog.
pub const WATCHDOG_X86_64: System =
    System::of_pc("watchdog-x86_64", &["qemu-tests/systems/x86_64/watchdog.qvmconf"]).with_cpus(2);
/// A guest that resets itself for ever, each time with its watchdog on.
pub const WATCHDOG_RESET_X86_64: System =
    System::of_pc("watchdog-reset-x86_64", &["qemu-tests/systems/x86_64/watchdog-reset.qvmconf"]).with_cpus(2);
/// Guests that do not power off when they are asked to: one that is asked for a second, and one for a day.
pub const POWER_KEY_X86_64: System = System::of_pc(
    "power-key-x86_64",
    &[
        "qemu-tests/systems/x86_64/power-key-silent.qvmconf",
        "qemu-tests/systems/x86_64/power-key.qvmconf",
        "qemu-tests/systems/x86_64/power-key-patient.qvmconf",
    ],
)
.with_cpus(2);

/// What lies between two vCPUs, each on a pCPU of its own.
pub const SMP_2_X86_64: System =
    System::of_pc("smp-2-x86_64", &["qemu-tests/systems/x86_64/smp-2.qvmconf"]).with_cpus(3).with_threads();
/// The same between four.
pub const SMP_4_X86_64: System =
    System::of_pc("smp-4-x86_64", &["qemu-tests/systems/x86_64/smp-4.qvmconf"]).with_cpus(5).with_threads();
/// Four vCPUs on two pCPUs.
pub const SMP_4_SHARED_X86_64: System =
    System::of_pc("smp-4-shared-x86_64", &["qemu-tests/systems/x86_64/smp-4-shared.qvmconf"])
        .with_cpus(3)
        .with_threads();
/// Thirty-two vCPUs on four pCPUs.
pub const SMP_32_X86_64: System =
    System::of_pc("smp-32-x86_64", &["qemu-tests/systems/x86_64/smp-32.qvmconf"]).with_cpus(5).with_threads();

/// Four workers of equal priority on one pCPU.
pub const FAIR_X86_64: System = System::of_pc(
    "fair-x86_64",
    &[
        "qemu-tests/systems/x86_64/fair-1.qvmconf",
        "qemu-tests/systems/x86_64/fair-2.qvmconf",
        "qemu-tests/systems/x86_64/fair-3.qvmconf",
        "qemu-tests/systems/x86_64/fair-4.qvmconf",
    ],
)
.with_cpus(1);
/// Workers of different priorities, and in FIFO order, two at a time, on one pCPU.
pub const PRIORITY_X86_64: System = System::of_pc(
    "priority-x86_64",
    &[
        "qemu-tests/systems/x86_64/priority-high.qvmconf",
        "qemu-tests/systems/x86_64/priority-low.qvmconf",
        "qemu-tests/systems/x86_64/priority-pulse.qvmconf",
        "qemu-tests/systems/x86_64/priority-filler.qvmconf",
        "qemu-tests/systems/x86_64/fifo-first.qvmconf",
        "qemu-tests/systems/x86_64/fifo-second.qvmconf",
    ],
)
.with_cpus(1);
/// A VM that exits all the time and has a budget, and one of lower priority, on one pCPU.
pub const STORM_HELD_X86_64: System = System::of_pc(
    "storm-held-x86_64",
    &["qemu-tests/systems/x86_64/storm-held.qvmconf", "qemu-tests/systems/x86_64/storm-victim.qvmconf"],
)
.with_cpus(1);

/// A guest with page tables of its own, in several ranges of memory.
pub const PAGES_X86_64: System =
    System::of_pc("pages-x86_64", &["qemu-tests/systems/x86_64/pages.qvmconf"]).with_cpus(1);
/// The guest that does what it must not, with qvm's default policies.
pub const TRESPASS_X86_64: System =
    System::of_pc("trespass-x86_64", &["qemu-tests/systems/x86_64/trespass.qvmconf"]).with_cpus(1);
/// The same guest four times, with policies that are not the defaults.
pub const POLICIES_X86_64: System = System::of_pc(
    "policies-x86_64",
    &[
        "qemu-tests/systems/x86_64/abort-reference.qvmconf",
        "qemu-tests/systems/x86_64/abort-instruction.qvmconf",
        "qemu-tests/systems/x86_64/fail-reference.qvmconf",
        "qemu-tests/systems/x86_64/ignore-instruction.qvmconf",
    ],
);
/// A guest that never gives its pCPU back, beside one that works.
pub const SPIN_X86_64: System = System::of_pc(
    "spin-x86_64",
    &["qemu-tests/systems/x86_64/spin.qvmconf", "qemu-tests/systems/hello-x86_64.qvmconf"],
)
.with_threads();

/// Debian that feeds its watchdog, and crashes when it is told to.
pub const LINUX_WATCHDOG_X86_64: System =
    System::of_pc("linux-watchdog-x86_64", &["qemu-tests/systems/x86_64/linux-watchdog.qvmconf"]).with_cpus(1);
/// Debian that listens to its power button.
pub const LINUX_POWER_KEY_X86_64: System =
    System::of_pc("linux-power-key-x86_64", &["qemu-tests/systems/x86_64/linux-power-key.qvmconf"]).with_cpus(1);

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
    RESTART_X86_64,
    ENDS_X86_64,
    TRIPLE,
    GROUP_X86_64,
    BOARD_WELL_X86_64,
    BOARD_BADLY_X86_64,
    REGISTERS,
    PC_PASS,
    PC_PASS_STORM,
    PC_PASS_EDGES,
    PC_PASS_AGAIN,
    PC_PASS_LINUX,
    FAILURE_X86_64,
    FAILURE_HALT_X86_64,
    PAUSE_X86_64,
    PAUSE_WATCHDOG_X86_64,
    WATCHDOG_X86_64,
    WATCHDOG_RESET_X86_64,
    POWER_KEY_X86_64,
    SMP_2_X86_64,
    SMP_4_X86_64,
    SMP_4_SHARED_X86_64,
    SMP_32_X86_64,
    FAIR_X86_64,
    PRIORITY_X86_64,
    STORM_HELD_X86_64,
    PAGES_X86_64,
    TRESPASS_X86_64,
    POLICIES_X86_64,
    SPIN_X86_64,
    LINUX_WATCHDOG_X86_64,
    LINUX_POWER_KEY_X86_64,
];

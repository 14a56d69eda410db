//! The systems for arm64's board, by what they show.

use config::assemble::{GicVersion, OnFailure};

use super::System;

/// The demo, as `cargo xtask run` starts it.
pub const DEMO: System = System::of("demo", &["guests/linux/linux.qvmconf", "guests/hello/hello.qvmconf"]);
/// Debian alone on four pCPUs; it powers off by itself.
pub const LINUX_4: System = System::of("linux-4", &["qemu-tests/systems/linux-4.qvmconf"]);
/// The same on a board with a GICv2.
pub const LINUX_4_GICV2: System = System::of("linux-4-gicv2", LINUX_4.files).with_gic(GicVersion::V2);
/// Two Debian guests and two bare-metal guests on four pCPUs.
pub const FULL_4: System = System::of(
    "full-4",
    &[
        "qemu-tests/systems/linux-load-1.qvmconf",
        "qemu-tests/systems/linux-load-2.qvmconf",
        "qemu-tests/systems/restart-hello.qvmconf",
        "qemu-tests/systems/full-beats.qvmconf",
    ],
);
/// The same on two pCPUs.
pub const FULL_2: System = System::of("full-2", FULL_4.files).with_cpus(2).with_self_test();
/// The same on four pCPUs with a GICv2.
pub const FULL_4_GICV2: System = System::of("full-4-gicv2", FULL_4.files).with_gic(GicVersion::V2);
/// The same on two pCPUs with a GICv2.
pub const FULL_2_GICV2: System =
    System::of("full-2-gicv2", FULL_4.files).with_cpus(2).with_gic(GicVersion::V2).with_self_test();
/// Debian from files that use what the language has.
pub const LANGUAGE: System = System::of("language", &["qemu-tests/systems/language/system.toml"]).with_self_test();
/// The bare-metal guest alone; it powers off by itself.
pub const HELLO: System = System::of("hello", &["qemu-tests/systems/hello-beats.qvmconf"]);
/// Three times Debian, each reading what it does not own, with three policies.
pub const LINUX_TRESPASS: System = System::of(
    "linux-trespass",
    &[
        "qemu-tests/systems/linux-ignore.qvmconf",
        "qemu-tests/systems/linux-fail.qvmconf",
        "qemu-tests/systems/linux-abort.qvmconf",
    ],
);
/// The guest that does what it must not, with qvm's default policies.
pub const TRESPASS: System = System::of("trespass", &["guests/trespass/trespass.qvmconf"]).with_self_test();
/// The same guest four times, with policies that are not the defaults.
pub const POLICIES: System = System::of(
    "policies",
    &[
        "qemu-tests/systems/abort-reference.qvmconf",
        "qemu-tests/systems/abort-instruction.qvmconf",
        "qemu-tests/systems/fail-reference.qvmconf",
        "qemu-tests/systems/ignore-instruction.qvmconf",
    ],
);
/// A guest that never gives its pCPU back, beside one that works.
pub const SPIN: System =
    System::of("spin", &["qemu-tests/systems/spin.qvmconf", "qemu-tests/systems/hello-beats.qvmconf"]);

/// A VM that resets itself for ever, beside one that looks at its own memory.
pub const RESTART: System =
    System::of("restart", &["qemu-tests/systems/restart-noise.qvmconf", "qemu-tests/systems/restart-hello.qvmconf"]);
/// Debian that reboots for ever.
pub const REBOOT: System = System::of("reboot", &["qemu-tests/systems/linux-reboots.qvmconf"]);

/// One VM for each way in which an end leads on, and for the progress watch.
pub const ENDS: System = System::of(
    "ends",
    &[
        "qemu-tests/systems/life-reset-never.qvmconf",
        "qemu-tests/systems/life-off-on-failure.qvmconf",
        "qemu-tests/systems/life-fails-on-failure.qvmconf",
        "qemu-tests/systems/life-off-always.qvmconf",
        "qemu-tests/systems/life-fails-default.qvmconf",
        "qemu-tests/systems/life-spins.qvmconf",
        "qemu-tests/systems/life-watched.qvmconf",
    ],
);
/// Two VMs that restart together.
pub const GROUP: System = System::of(
    "group",
    &["qemu-tests/systems/life-group-fails.qvmconf", "qemu-tests/systems/life-group-beats.qvmconf"],
);
/// A VM that the board ends with, well, beside some that would go on.
pub const BOARD_WELL: System = System::of(
    "board-well",
    &[
        "qemu-tests/systems/life-board-waits.qvmconf",
        "qemu-tests/systems/life-board-resets.qvmconf",
        "qemu-tests/systems/life-paused.qvmconf",
        "qemu-tests/systems/life-board-well.qvmconf",
    ],
);
/// The same, badly.
pub const BOARD_BADLY: System = System::of(
    "board-badly",
    &["qemu-tests/systems/life-board-resets.qvmconf", "qemu-tests/systems/life-board-badly.qvmconf"],
);
/// Two VMs that beat, for one to be paused.
pub const PAUSE: System =
    System::of("pause", &["qemu-tests/systems/life-paused.qvmconf", "qemu-tests/systems/life-beside.qvmconf"])
        .with_cpus(2);
/// One to be paused whose watchdog is on.
pub const PAUSE_WATCHDOG: System =
    System::of("pause-watchdog", &["qemu-tests/systems/life-beside.qvmconf", "qemu-tests/systems/life-bitten.qvmconf"])
        .with_cpus(2);

/// What lies between two vCPUs, each on a pCPU of its own.
pub const SMP_2: System = System::of("smp-2", &["qemu-tests/systems/smp-2.qvmconf"]);
/// The same, with a million events instead of few.
pub const SMP_2_LONG: System = System::of("smp-2-long", &["qemu-tests/systems/smp-2-long.qvmconf"]);
/// The same between four.
pub const SMP_4: System = System::of("smp-4", &["qemu-tests/systems/smp-4.qvmconf"]);
/// Four vCPUs on two pCPUs.
pub const SMP_4_SHARED: System = System::of("smp-4-shared", &["qemu-tests/systems/smp-4.qvmconf"]).with_cpus(2);
/// Thirty-two vCPUs on four pCPUs.
pub const SMP_32: System = System::of("smp-32", &["qemu-tests/systems/smp-32.qvmconf"]);
/// PSCI whole, with races.
pub const PSCI: System = System::of("psci", &["qemu-tests/systems/psci.qvmconf"]);
/// A VM that switches its last vCPU off, beside one that resets itself by SYSTEM_RESET2 for ever.
pub const PSCI_ENDS: System =
    System::of("psci-ends", &["qemu-tests/systems/psci-cpu-off.qvmconf", "qemu-tests/systems/psci-reset2.qvmconf"])
        .with_self_test();
/// A guest with page tables of its own, in several ranges of memory.
pub const PAGES: System = System::of("pages", &["qemu-tests/systems/pages.qvmconf"]);
/// The same on a board with a GICv2.
pub const PAGES_GICV2: System = System::of("pages-gicv2", PAGES.files).with_gic(GicVersion::V2);
/// The bare-metal guest at a thousand ticks a second, on a board with a GICv2.
pub const TICKS_GICV2: System =
    System::of("ticks-gicv2", &["qemu-tests/systems/hello-ticks.qvmconf"]).with_gic(GicVersion::V2);
/// Eight vCPUs, as many as a GICv2 has, on four pCPUs.
pub const SMP_8_GICV2: System =
    System::of("smp-8-gicv2", &["qemu-tests/systems/smp-8.qvmconf"]).with_gic(GicVersion::V2);
/// A VM that spins on the boot CPU beside one that beats on others, and keys that make the hypervisor fail.
pub const FAILURE: System =
    System::of("failure", &["qemu-tests/systems/failure-spin.qvmconf", "qemu-tests/systems/failure-beats.qvmconf"])
        .with_failures(OnFailure::Reset)
        .with_self_test();
/// The same on a board with a GICv2 that halts.
pub const FAILURE_HALT: System =
    System::of("failure-halt", FAILURE.files).with_gic(GicVersion::V2).with_failures(OnFailure::Halt).with_self_test();
/// Eight workers of equal priority on two pCPUs.
pub const FAIR: System = System::of(
    "fair",
    &[
        "qemu-tests/systems/fair-1.qvmconf",
        "qemu-tests/systems/fair-2.qvmconf",
        "qemu-tests/systems/fair-3.qvmconf",
        "qemu-tests/systems/fair-4.qvmconf",
        "qemu-tests/systems/fair-5.qvmconf",
        "qemu-tests/systems/fair-6.qvmconf",
        "qemu-tests/systems/fair-7.qvmconf",
        "qemu-tests/systems/fair-8.qvmconf",
    ],
)
.with_cpus(2);
/// Workers of different priorities, and in FIFO order, two on each pCPU.
pub const PRIORITY: System = System::of(
    "priority",
    &[
        "qemu-tests/systems/priority-high.qvmconf",
        "qemu-tests/systems/priority-low.qvmconf",
        "qemu-tests/systems/priority-pulse.qvmconf",
        "qemu-tests/systems/priority-filler.qvmconf",
        "qemu-tests/systems/fifo-first.qvmconf",
        "qemu-tests/systems/fifo-second.qvmconf",
    ],
);
/// A guest that no longer feeds its watchdog.
pub const WATCHDOG: System = System::of("watchdog", &["qemu-tests/systems/watchdog.qvmconf"]);
/// A guest that resets itself for ever, each time with its watchdog on.
pub const WATCHDOG_RESET: System = System::of("watchdog-reset", &["qemu-tests/systems/watchdog-reset.qvmconf"]);
/// Guests that do not power off when they are asked to: one that cannot be asked, one for a second, and one for a day.
pub const POWER_KEY: System = System::of(
    "power-key",
    &[
        "qemu-tests/systems/power-keyless.qvmconf",
        "qemu-tests/systems/power-key.qvmconf",
        "qemu-tests/systems/power-key-patient.qvmconf",
    ],
);
/// Debian that feeds its watchdog, and crashes when it is told to.
pub const LINUX_WATCHDOG: System = System::of("linux-watchdog", &["qemu-tests/systems/linux-watchdog.qvmconf"]);
/// Debian that listens to its power key.
pub const LINUX_POWER_KEY: System = System::of("linux-power-key", &["qemu-tests/systems/linux-power-key.qvmconf"]);

/// Debian that crashes and comes back, and a heartbeat of higher priority, on one pCPU.
pub const COMES_BACK: System =
    System::of("comes-back", &["qemu-tests/systems/linux-comes-back.qvmconf", "qemu-tests/systems/heartbeat.qvmconf"])
        .with_cpus(1);
/// A VM that exits all the time and has a budget, and one of lower priority, on one pCPU.
pub const STORM_HELD: System =
    System::of("storm-held", &["qemu-tests/systems/storm-held.qvmconf", "qemu-tests/systems/storm-victim.qvmconf"])
        .with_cpus(1);

/// The hostile guest as the console says, with a neighbour that looks at its own memory.
pub const HOSTILE: System =
    System::of("hostile", &["qemu-tests/systems/hostile.qvmconf", NEIGHBOUR]).with_cpus(2).with_coverage();
/// The same on a board with a GICv2.
pub const HOSTILE_GICV2: System = System { name: "hostile-gicv2", ..HOSTILE }.with_gic(GicVersion::V2);
/// The same where what cannot be emulated is passed over.
pub const HOSTILE_IGNORE: System =
    System { name: "hostile-ignore", files: &["qemu-tests/systems/hostile-ignore.qvmconf", NEIGHBOUR], ..HOSTILE };
/// The same where it takes a fault.
pub const HOSTILE_FAIL: System =
    System { name: "hostile-fail", files: &["qemu-tests/systems/hostile-fail.qvmconf", NEIGHBOUR], ..HOSTILE };
/// The same where it stops the VM.
pub const HOSTILE_ABORT: System =
    System { name: "hostile-abort", files: &["qemu-tests/systems/hostile-abort.qvmconf", NEIGHBOUR], ..HOSTILE };
const NEIGHBOUR: &str = "qemu-tests/systems/hostile-neighbour.qvmconf";
/// On one pCPU: the hostile guest as the console says, one that resets itself for ever, and one of higher priority that measures how
/// late it wakes.
pub const VICTIM: System = System::of(
    "victim",
    &[
        "qemu-tests/systems/hostile-alone.qvmconf",
        "qemu-tests/systems/hostile-resets.qvmconf",
        "qemu-tests/systems/victim-fails.qvmconf",
        "qemu-tests/systems/victim.qvmconf",
    ],
)
.with_cpus(1);

/// Debian with the board's own clock and GPIO, by the nodes of the board's tree.
pub const PASS_NODES: System =
    System::of("pass-nodes", &["qemu-tests/systems/pass-nodes.qvmconf"]).with_cpus(2).with_self_test();
/// The same on a board with a GICv2.
pub const PASS_NODES_GICV2: System =
    System::of("pass-nodes-gicv2", PASS_NODES.files).with_cpus(2).with_gic(GicVersion::V2);
/// The same at other addresses and on other lines, with a tree of the user's.
pub const PASS_MEMORY: System = System::of("pass-memory", &["qemu-tests/systems/pass-memory.qvmconf"]).with_cpus(2);
/// A bare guest with the board's GPIO and the key that is on it.
pub const PASS_KEY: System = System::of("pass-key", &["qemu-tests/systems/pass-key.qvmconf"]).with_self_test();
/// The same on a board with a GICv2.
pub const PASS_KEY_GICV2: System =
    System::of("pass-key-gicv2", PASS_KEY.files).with_gic(GicVersion::V2).with_self_test();
/// A guest that does not serve its device, whose line stays high, and a victim of higher priority on the same pCPU.
pub const PASS_STORM: System =
    System::of("pass-storm", &["qemu-tests/systems/pass-storm.qvmconf", "qemu-tests/systems/pass-victim.qvmconf"])
        .with_cpus(1);
/// The same on a board with a GICv2.
pub const PASS_STORM_GICV2: System = System { name: "pass-storm-gicv2", ..PASS_STORM }.with_gic(GicVersion::V2);
/// A guest that resets itself for ever while it handles an interrupt of the board's.
pub const PASS_AGAIN: System = System::of("pass-again", &["qemu-tests/systems/pass-again.qvmconf"]).with_cpus(1);
/// The same on a board with a GICv2.
pub const PASS_AGAIN_GICV2: System = System { name: "pass-again-gicv2", ..PASS_AGAIN }.with_gic(GicVersion::V2);

/// All of them.
pub(super) const SYSTEMS: &[System] = &[
    DEMO,
    LINUX_4,
    LINUX_4_GICV2,
    FULL_4,
    FULL_2,
    FULL_4_GICV2,
    FULL_2_GICV2,
    LANGUAGE,
    HELLO,
    LINUX_TRESPASS,
    TRESPASS,
    POLICIES,
    SPIN,
    RESTART,
    REBOOT,
    ENDS,
    GROUP,
    BOARD_WELL,
    BOARD_BADLY,
    PAUSE,
    PAUSE_WATCHDOG,
    SMP_2,
    SMP_2_LONG,
    SMP_4,
    SMP_4_SHARED,
    SMP_32,
    PSCI,
    PSCI_ENDS,
    PAGES,
    PAGES_GICV2,
    TICKS_GICV2,
    SMP_8_GICV2,
    FAILURE,
    FAILURE_HALT,
    FAIR,
    PRIORITY,
    STORM_HELD,
    COMES_BACK,
    WATCHDOG,
    WATCHDOG_RESET,
    POWER_KEY,
    LINUX_WATCHDOG,
    LINUX_POWER_KEY,
    HOSTILE,
    HOSTILE_GICV2,
    HOSTILE_IGNORE,
    HOSTILE_FAIL,
    HOSTILE_ABORT,
    VICTIM,
    PASS_NODES,
    PASS_NODES_GICV2,
    PASS_MEMORY,
    PASS_KEY,
    PASS_KEY_GICV2,
    PASS_STORM,
    PASS_STORM_GICV2,
    PASS_AGAIN,
    PASS_AGAIN_GICV2,
];

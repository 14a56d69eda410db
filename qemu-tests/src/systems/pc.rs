//! The systems for x86's board.

use super::System;

/// Debian alone on one pCPU; it powers off by itself.
pub const LINUX_X86_64: System =
    System::of_pc("linux-x86_64", &["qemu-tests/systems/linux-x86_64.qvmconf"]).with_cpus(1).with_self_test();
/// The bare-metal guest alone on two pCPUs; it powers off by itself.
pub const HELLO_X86_64: System =
    System::of_pc("hello-x86_64", &["qemu-tests/systems/hello-x86_64.qvmconf"]).with_cpus(2).with_self_test();

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

/// All of them.
pub(super) const SYSTEMS: &[System] =
    &[LINUX_X86_64, HELLO_X86_64, PC_PASS, PC_PASS_STORM, PC_PASS_EDGES, PC_PASS_AGAIN, PC_PASS_LINUX];

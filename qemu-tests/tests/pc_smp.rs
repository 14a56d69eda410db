//! What lies between the vCPUs of a VM on x86's board: start and end, interrupts, lines, TLB shoot-downs, counters. The guest finds what
//! is lost by its own alarm, and says so.

use qemu_tests::courses::vcpus_work_together;
use qemu_tests::{Result, SMP_2_X86_64, SMP_4_SHARED_X86_64, SMP_4_X86_64, SMP_32_X86_64, System, enabled, long};

fn passes(system: System) -> Result<()> {
    let lines = [
        "smp: all vCPUs came",
        "rounds of ping-pong with the second vCPU, none lost",
        "times by stores, and the counter never backwards",
        "smp: interrupts in 5 forms, each to whom it was for",
        "smp: 10 times a line to each vCPU, by its route",
        " shoot-downs, each obeyed by all",
    ];
    if enabled() { vcpus_work_together(&system.machine(), &lines) } else { Ok(()) }
}

/// An exit takes 15 us of QEMU's, so a million of anything is for `--long`.
#[test]
fn two_vcpus_wake_each_other_a_million_times_on_x86() -> Result<()> {
    if long() { passes(SMP_2_X86_64) } else { Ok(()) }
}

#[test]
fn four_vcpus_on_x86() -> Result<()> {
    passes(SMP_4_X86_64)
}

#[test]
fn four_vcpus_on_two_pcpus_on_x86() -> Result<()> {
    passes(SMP_4_SHARED_X86_64)
}

#[test]
fn thirty_two_vcpus_on_four_pcpus_on_x86() -> Result<()> {
    passes(SMP_32_X86_64)
}

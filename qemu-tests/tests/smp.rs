//! What lies between the vCPUs of a VM: start, SGIs, events, routed SPIs, counters. The guest finds what is lost by its own
//! alarm, and says so.

use qemu_tests::courses::vcpus_work_together;
use qemu_tests::{Machine, Result, SMP_2, SMP_2_LONG, SMP_4, SMP_4_SHARED, SMP_8_GICV2, SMP_32, System, enabled, long};

fn passes(system: System, cpu: &str) -> Result<()> {
    let lines = [
        "smp: all vCPUs came",
        "rounds of ping-pong with the second vCPU, none lost",
        "times by SEV, and the counter never backwards",
        "smp: SGIs in 8 forms, each to whom it was for",
        "smp: 50 times 40 SPIs, each to the vCPU of its route",
        "smp: 50 times 40 SPIs to any vCPU, each taken once",
        "smp: 40 SPIs pending at once for one vCPU came by their priorities",
    ];
    let machine = Machine { cpu: cpu.into(), ..system.machine() };
    if enabled() { vcpus_work_together(&machine, &lines) } else { Ok(()) }
}

#[test]
fn two_vcpus_wake_each_other_by_a_million_sgis() -> Result<()> {
    passes(SMP_2, "cortex-a57")
}

#[test]
fn two_vcpus_wake_each_other_by_a_million_events() -> Result<()> {
    if long() { passes(SMP_2_LONG, "cortex-a57") } else { Ok(()) }
}

#[test]
fn four_vcpus() -> Result<()> {
    passes(SMP_4, "neoverse-n1")
}

#[test]
fn four_vcpus_on_two_pcpus() -> Result<()> {
    passes(SMP_4_SHARED, "cortex-a72")
}

#[test]
fn thirty_two_vcpus_on_four_pcpus() -> Result<()> {
    passes(SMP_32, "max")
}

#[test]
fn eight_vcpus_with_a_gicv2_on_four_pcpus() -> Result<()> {
    passes(SMP_8_GICV2, "cortex-a53")
}

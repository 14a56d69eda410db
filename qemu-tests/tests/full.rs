//! A full house: two Debian guests under load and two bare-metal guests share the pCPUs of a board.
//!
//! With `linux.rs` each CPU type meets each interrupt controller and each system, pair by pair.

use std::time::Duration;

use qemu_tests::courses::full_house;
use qemu_tests::{FULL_2, FULL_2_GICV2, FULL_4, FULL_4_GICV2, Machine, Result, System, enabled, long};

fn works(system: System, cpu: &str, seconds: u32) -> Result<()> {
    let machine = Machine { cpu: cpu.into(), ..system.machine() };
    full_house(&machine, Duration::from_secs(120 + 2 * u64::from(seconds)), seconds)?;
    Ok(())
}

fn works_a_while(system: System, cpu: &str) -> Result<()> {
    if enabled() { works(system, cpu, 5) } else { Ok(()) }
}

#[test]
fn two_cortex_a53_with_gicv3() -> Result<()> {
    works_a_while(FULL_2, "cortex-a53")
}

#[test]
fn two_cortex_a57_with_gicv2() -> Result<()> {
    works_a_while(FULL_2_GICV2, "cortex-a57")
}

#[test]
fn two_cortex_a72_with_gicv3() -> Result<()> {
    works_a_while(FULL_2, "cortex-a72")
}

#[test]
fn two_neoverse_n1_with_gicv2() -> Result<()> {
    works_a_while(FULL_2_GICV2, "neoverse-n1")
}

#[test]
fn two_max_with_gicv3() -> Result<()> {
    works_a_while(FULL_2, "max")
}

#[test]
fn four_cortex_a53_with_gicv2() -> Result<()> {
    works_a_while(FULL_4_GICV2, "cortex-a53")
}

#[test]
fn four_cortex_a57_with_gicv3() -> Result<()> {
    works_a_while(FULL_4, "cortex-a57")
}

#[test]
fn four_cortex_a72_with_gicv2() -> Result<()> {
    works_a_while(FULL_4_GICV2, "cortex-a72")
}

#[test]
fn four_neoverse_n1_with_gicv3() -> Result<()> {
    works_a_while(FULL_4, "neoverse-n1")
}

#[test]
fn four_max_with_gicv2() -> Result<()> {
    works_a_while(FULL_4_GICV2, "max")
}

/// Ten minutes on shared pCPUs, with each interrupt controller: no kernel complains of its clock, or of anything.
#[test]
fn long_ten_minutes_with_gicv3() -> Result<()> {
    if long() { works(FULL_2, "cortex-a57", 600) } else { Ok(()) }
}

#[test]
fn long_ten_minutes_with_gicv2() -> Result<()> {
    if long() { works(FULL_2_GICV2, "cortex-a72", 600) } else { Ok(()) }
}

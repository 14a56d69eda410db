//! A full house: two Debian guests under load and two bare-metal guests share the pCPUs of a board.
//!
//! With `linux.rs` each CPU type meets each interrupt controller and each system, pair by pair.

use std::time::Duration;

use qemu_tests::{Board, FULL_2, FULL_2_GICV2, FULL_4, FULL_4_GICV2, Machine, Result, System, Verdict, enabled, long};

/// Lets the Debian guests work for so many seconds of theirs.
fn works(system: System, cpu: &str, seconds: u32) -> Result<()> {
    let (mut board, mut console) = Board::with_console(&Machine { cpu: cpu.into(), ..system.machine() }, None)?;
    console.set_patience(Duration::from_secs(120 + 2 * u64::from(seconds)));
    // With hello in focus the others speak in whole lines.
    console.send("\x1d3")?;
    for _ in 0..2 {
        console.expect("] linux: for how many seconds?")?;
    }
    console.send(&format!("\x1d1{seconds}\n\x1d2{seconds}\n\x1d3"))?;
    for _ in 0..2 {
        console.expect("] linux: no complaint")?;
    }
    // hello has looked at its own memory with every beat, and would have said what is wrong with it.
    console.send("q")?;
    console.expect("hello: told to go")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    let transcript = console.transcript();
    for name in ["linux1", "linux2", "hello", "beats"] {
        let end = format!("\x1e[ostler] {name}: stopped: the guest powered off (code 0)");
        assert!(transcript.contains(&end), "{name} has no good end in\n{transcript}");
    }
    assert!(transcript.contains("[beats] hello: all passed"), "{transcript}");
    assert!(!transcript.contains("FAILED"), "{transcript}");
    if system.cpus == 2 {
        assert_eq!(transcript.matches("linux: time was stolen").count(), 2, "{transcript}");
    }
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

//! An unmodified Debian kernel to user space and to power-off, on all pCPUs of the board, alone on it.
//!
//! With `full.rs` each CPU type meets each interrupt controller and each system, pair by pair.

use qemu_tests::{Board, LINUX_4, LINUX_4_GICV2, Machine, Result, System, Verdict, enabled};

fn boots(system: System, cpu: &str) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = Board::with_console(&Machine { cpu: cpu.into(), ..system.machine() }, None)?;
    console.expect("linux: user space on 6.")?;
    console.expect(", 4 CPUs")?;
    console.expect("linux: 32-bit user program says armv8l")?;
    console.expect("linux: powering off")?;
    console.expect("\x1e[ostler] linux: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn debian_boots_on_cortex_a53_with_gicv2() -> Result<()> {
    boots(LINUX_4_GICV2, "cortex-a53")
}

#[test]
fn debian_boots_on_cortex_a57_with_gicv3() -> Result<()> {
    boots(LINUX_4, "cortex-a57")
}

#[test]
fn debian_boots_on_cortex_a72_with_gicv2() -> Result<()> {
    boots(LINUX_4_GICV2, "cortex-a72")
}

#[test]
fn debian_boots_on_neoverse_n1_with_gicv3() -> Result<()> {
    boots(LINUX_4, "neoverse-n1")
}

#[test]
fn debian_boots_on_max_with_gicv2() -> Result<()> {
    boots(LINUX_4_GICV2, "max")
}

//! An unmodified Debian kernel to user space and to power-off, alone on the board.

use qemu_tests::{Board, LINUX, Machine, Result, Verdict, enabled};

fn boots_on(cpu: &str) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = Board::with_console(&Machine { cpu: cpu.into(), ..LINUX.machine() }, None)?;
    console.expect("linux: user space on 6.")?;
    console.expect(", 2 CPUs")?;
    console.expect("linux: 32-bit user program says armv8l")?;
    console.expect("linux: powering off")?;
    console.expect("\x1e[ostler] linux: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn debian_boots_on_cortex_a53() -> Result<()> {
    boots_on("cortex-a53")
}

#[test]
fn debian_boots_on_cortex_a72() -> Result<()> {
    boots_on("cortex-a72")
}

#[test]
fn debian_boots_on_max() -> Result<()> {
    boots_on("max")
}

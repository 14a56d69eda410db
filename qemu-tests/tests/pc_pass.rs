//! What of x86's board is a guest's own: ports, registers, interrupts, and what the latter may cost others.

use std::path::PathBuf;
use std::time::Duration;

use qemu_tests::{
    Board, COUNTED, Console, Machine, PC_PASS, PC_PASS_AGAIN, PC_PASS_EDGES, PC_PASS_LINUX, PC_PASS_STORM, Result,
    System, Verdict, enabled,
};

/// Boots `system` on its board with a second UART, which writes to a file; on request with a clock that counts instructions.
fn boot(system: &System, is_counted: bool) -> Result<(Board, Console, PathBuf)> {
    let file = system.folder().join("com2.txt");
    let mut extra = vec!["-serial".to_owned(), format!("file:{}", file.display())];
    extra.extend(COUNTED.map(String::from).into_iter().filter(|_| is_counted));
    let (board, console) = Board::with_console(&Machine { extra, ..system.machine() }, None)?;
    Ok((board, console, file))
}

/// What the second UART has written.
fn written(file: PathBuf) -> String {
    String::from_utf8_lossy(&std::fs::read(file).expect("QEMU writes to it")).into_owned()
}

#[test]
fn a_bare_guest_drives_the_boards_devices() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console, file) = boot(&PC_PASS, false)?;
    console.expect("its own memory and nothing else")?;
    console.expect("passed: wrote a line of 34 by ")?;
    console.expect("passed: 20 periods of the clock, in the year 20")?;
    console.expect("passed: 20 alarms of the event timer")?;
    console.expect("\x1e[ostler] passed: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    assert_eq!(written(file), "passed: a line by the second port\n");
    Ok(())
}

/// Debian finds the second UART and the clock in the DSDT; its user space prints by interrupts.
#[test]
fn debians_console_is_the_boards_second_uart() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console, file) = boot(&PC_PASS_LINUX, true)?;
    console.expect("\x1e[ostler] linux: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    let written = written(file);
    for part in ["linux: user space on 6.", "linux: powering off"] {
        assert!(written.contains(part), "{written}");
    }
    Ok(())
}

/// The number before the end of a line that is said.
fn counted(console: &mut Console) -> Result<u32> {
    let said = console.expect(" interrupts in 100 ms")?;
    let number = said.rsplit(' ').next().and_then(|word| word.parse().ok());
    Ok(number.unwrap_or_else(|| panic!("{said}")))
}

/// Eleven periods of 10 ms may begin in the time in which the guest counts.
fn is_held(console: &mut Console) -> Result<()> {
    for _ in 0..4 {
        let count = counted(console)?;
        assert!((1000..=2200).contains(&count), "{count}");
    }
    Ok(())
}

/// The clock counts instructions, so what a line that never falls costs is Ostler's doing.
#[test]
fn a_level_that_never_falls_is_held_to_a_bound() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console, _) = boot(&PC_PASS_STORM, true)?;
    console.expect("\x1e[ostler] warning: storm: interrupt 20 comes too often: held to 200 in 10 ms")?;
    is_held(&mut console)?;
    console.expect("passed: the line has fallen, and it is quiet")?;
    console.expect("\x1e[ostler] storm: interrupt 20 was held back in ")?;
    Ok(())
}

#[test]
fn edges_without_end_are_held_to_a_bound_and_none_is_missed_after_them() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console, _) = boot(&PC_PASS_EDGES, true)?;
    console.expect("\x1e[ostler] warning: edges: interrupt 3 comes too often: held to 200 in 10 ms")?;
    is_held(&mut console)?;
    console.expect("passed: and not one is missed after it")?;
    console.expect("\x1e[ostler] edges: interrupt 3 was held back in ")?;
    Ok(())
}

/// Each life ends with the interrupt in service and its line high, and the next one needs it.
#[test]
fn each_life_has_its_interrupt() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console, _) = boot(&PC_PASS_AGAIN, false)?;
    console.set_patience(Duration::from_secs(180));
    console.expect("\x1e[ostler] again: restarts (100)")?;
    Ok(())
}

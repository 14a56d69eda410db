//! Boards that are not the one assembled for: a message with both values, and a bad end.

use qemu_tests::{Board, HELLO, Machine, Result, Verdict, enabled};

fn refused(change: impl FnOnce(Machine) -> Machine, message: &str) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = Board::with_console(&change(HELLO.machine()), None)?;
    console.expect(message)?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    assert!(!console.transcript().contains("hello: "), "no guest was started");
    Ok(())
}

#[test]
fn fewer_cpus() -> Result<()> {
    refused(|machine| Machine { cpus: 2, ..machine }, "expected 4 CPUs, found 2")
}

#[test]
fn less_memory() -> Result<()> {
    refused(|machine| Machine { memory_bytes: 1 << 30, ..machine }, "expected 2048 MiB of memory, found 1024 MiB")
}

#[test]
fn another_interrupt_controller() -> Result<()> {
    let machine = "virt,virtualization=on,gic-version=2".to_owned();
    refused(|board| Machine { machine, ..board }, "expected a GICv3, found a GICv2")
}

#[test]
fn no_virtualisation() -> Result<()> {
    let machine = "virt,gic-version=3".to_owned();
    refused(|board| Machine { machine, ..board }, "wrong exception level: expected EL2, found EL1")
}

#[test]
fn more_of_everything_is_no_harm() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let more = Machine { cpus: 6, memory_bytes: 3 << 30, ..HELLO.machine() };
    let (mut board, mut console) = Board::with_console(&more, None)?;
    console.expect("hello: all passed")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn a_secure_world_is_no_harm() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let machine = "virt,virtualization=on,gic-version=3,secure=on".to_owned();
    let (mut board, mut console) = Board::with_console(&Machine { machine, ..HELLO.machine() }, None)?;
    console.expect("hello: all passed")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

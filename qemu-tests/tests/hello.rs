//! The bare-metal guest alone on the board: it tests the machine that it is given.

use qemu_tests::{Board, HELLO, Machine, Result, TICKS_GICV2, Verdict, enabled};

/// How often each CPU is tried: what depends on who comes first between CPUs may go well once.
const BOOTS: u32 = 5;

fn passes_on(cpu: &str) -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    (0..BOOTS).try_for_each(|_| passes_once_on(cpu))
}

fn passes_once_on(cpu: &str) -> Result<()> {
    let (mut board, mut console) = Board::with_console(&Machine { cpu: cpu.into(), ..HELLO.machine() }, None)?;
    console.expect("hello: at EL1")?;
    console.expect("hello: floating point computes")?;
    console.expect("hello: second vCPU came")?;
    console.expect("hello: all passed")?;
    console.expect("hello: alive 3")?;
    console.expect("hello: powers off")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn hello_passes_on_cortex_a53() -> Result<()> {
    passes_on("cortex-a53")
}

#[test]
fn hello_passes_on_cortex_a72() -> Result<()> {
    passes_on("cortex-a72")
}

#[test]
fn hello_passes_on_max() -> Result<()> {
    passes_on("max")
}

#[test]
fn no_tick_is_lost_with_gicv2() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = TICKS_GICV2.boot()?;
    console.expect("hello: alive 1000")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

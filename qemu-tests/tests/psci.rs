//! PSCI 1.1 whole, by a guest that tests it, and the ways in which its calls end a VM.

use qemu_tests::{Board, Machine, PSCI, PSCI_ENDS, Result, Verdict, enabled};

#[test]
fn every_function_every_refusal_and_the_races() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let machine = Machine { cpu: "cortex-a53".into(), ..PSCI.machine() };
    let (mut board, mut console) = Board::with_console(&machine, None)?;
    console.expect("psci: PSCI 1.1: 15 functions there, 22 not")?;
    console.expect("psci: refusals, each with its error")?;
    console.expect("psci: a vCPU came, went and came again as new")?;
    console.expect("psci: 1000 times two raced for a third vCPU, and exactly one succeeded")?;
    console.expect("calls of CPU_ON raced with CPU_OFF")?;
    console.expect("psci: CPU_SUSPEND sleeps until an interrupt, in 4 states")?;
    console.expect("psci: powers off")?;
    console.expect("\x1e[ostler] psci: stopped: the guest powered off (code 0)")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    Ok(())
}

#[test]
fn the_last_cpu_off_ends_a_vm_and_system_reset2_restarts_one() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (_board, mut console) = PSCI_ENDS.boot()?;
    console.expect("\x1e[ostler] psci-cpu-off: stopped: the guest powered off (code 0)")?;
    console.expect("\x1e[ostler] psci-reset2: restarts (5)")?;
    let transcript = console.transcript();
    assert!(transcript.contains("psci: switches its last vCPU off"), "{transcript}");
    assert!(transcript.contains("psci: resets by SYSTEM_RESET2"), "{transcript}");
    Ok(())
}

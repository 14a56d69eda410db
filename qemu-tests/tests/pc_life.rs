//! Of the life of a VM, what only a PC has.

use qemu_tests::{REGISTERS, Result, TRIPLE, Verdict, enabled};

/// A triple fault stops the VM with a report of its state, and its policy says what comes then.
#[test]
fn a_cpu_that_shuts_down_is_a_failure_of_its_vm() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = TRIPLE.boot()?;
    for _ in 0..2 {
        console.expect("\x1e[ostler] triple: failed: unsupported: triple fault at 0x")?;
        let report = console.expect("\x1e[ostler] triple: last exits, the newest first:")?;
        // UD2's bytes, and the table that has no handler.
        for text in ["cpl 0: bytes 0f 0b", "cr0 0x80010033 ", " idt 0x0+0x0"] {
            assert!(report.contains(text), "{text:?} in\n{report}");
        }
        console.expect("shutdown")?;
    }
    console.expect("\x1e[ostler] triple: has failed for good: 1 restarts did not help")?;
    console.expect("\x1e[ostler] triple: stopped: unsupported: triple fault at 0x")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}

/// Floating point, breakpoints and MSRs of guests that take turns on one pCPU. One of them has AVX off.
#[test]
fn what_changes_hands_with_the_pcpu_stays_each_guests_own() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = REGISTERS.boot()?;
    assert_eq!(board.verdict(&mut console)?, Verdict::PoweredOff);
    let transcript = console.transcript();
    assert_eq!(transcript.matches("registers: 100 rounds, and all registers were its own").count(), 3, "{transcript}");
    Ok(())
}

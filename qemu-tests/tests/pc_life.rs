//! The life of a VM on x86's board: its ends and restarts as on arm64's, and what only a PC has.

use qemu_tests::{
    BOARD_BADLY_X86_64, BOARD_WELL_X86_64, ENDS_X86_64, GROUP_X86_64, REGISTERS, RESTART_X86_64, Result, TRIPLE,
    Verdict, courses, enabled, long,
};

#[test]
fn each_end_leads_to_what_its_file_says_on_x86() -> Result<()> {
    if enabled() { courses::each_end_leads_on(ENDS_X86_64) } else { Ok(()) }
}

#[test]
fn a_group_starts_again_together_on_x86() -> Result<()> {
    if enabled() { courses::group_starts_again(GROUP_X86_64) } else { Ok(()) }
}

#[test]
fn the_board_ends_with_the_vm_that_it_is_for_on_x86() -> Result<()> {
    if enabled() { courses::board_ends_well(BOARD_WELL_X86_64) } else { Ok(()) }
}

#[test]
fn the_board_ends_badly_with_the_vm_that_it_is_for_on_x86() -> Result<()> {
    if enabled() { courses::board_ends_badly(BOARD_BADLY_X86_64) } else { Ok(()) }
}

#[test]
fn a_thousand_restarts_on_x86() -> Result<()> {
    if enabled() { courses::restarts(RESTART_X86_64, 1_000) } else { Ok(()) }
}

#[test]
fn ten_thousand_restarts_leak_nothing_on_x86() -> Result<()> {
    if long() { courses::restarts(RESTART_X86_64, 10_000) } else { Ok(()) }
}

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

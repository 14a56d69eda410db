//! The hypervisor's own failures on x86, provoked while a VM runs: what is told, how the board ends, and what the next boot knows. And
//! what the board complains of: NMIs, and machine checks.

use qemu_tests::courses::failure::{self, Telling, has, runs};
use qemu_tests::{Board, FAILURE_HALT_X86_64, FAILURE_X86_64, RESTART_X86_64, Result, Verdict, enabled};

const PC: Telling = Telling { exit: "vCPU 0 pc 0x", register: " r15 ", stack: "rsp", pc: "RIP=", code: "ffffffff80" };

/// What was told of the failure by `key`; `None` without a board.
fn told(key: char) -> Result<Option<String>> {
    if enabled() { failure::told(FAILURE_X86_64, &PC, key).map(Some) } else { Ok(None) }
}

#[test]
fn a_panic_is_told_with_its_message_and_calls() -> Result<()> {
    if enabled() { failure::panics(FAILURE_X86_64, &PC) } else { Ok(()) }
}

#[test]
fn a_page_fault_names_the_address_and_the_function() -> Result<()> {
    let Some(told) = told('R')? else { return Ok(()) };
    assert!(told.starts_with("load from 0x404000000000: nothing is mapped there, rip 0xffffffff80"), "{told}");
    has(&told, " hypervisor::provoke::reads_nowhere+");
    has(&told, "cr2 0x404000000000");
    Ok(())
}

#[test]
fn data_is_not_executed() -> Result<()> {
    let Some(told) = told('X')? else { return Ok(()) };
    assert!(told.starts_with("instruction fetch from 0xffffffff80"), "{told}");
    has(&told, ": what is mapped there forbids it, rip 0xffffffff80");
    Ok(())
}

#[test]
fn an_invalid_opcode_is_named() -> Result<()> {
    let Some(told) = told('U')? else { return Ok(()) };
    assert!(told.starts_with("invalid opcode (vector 6), rip 0xffffffff80"), "{told}");
    has(&told, " hypervisor::provoke::executes_nonsense+");
    Ok(())
}

#[test]
fn a_stack_overflow_is_called_one() -> Result<()> {
    if enabled() { failure::overflows(FAILURE_X86_64, &PC, "store to") } else { Ok(()) }
}

#[test]
fn a_failure_while_telling_ends_at_once() -> Result<()> {
    if enabled() { failure::fails_while_telling(FAILURE_X86_64) } else { Ok(()) }
}

#[test]
fn the_next_boot_says_once_how_the_last_run_ended() -> Result<()> {
    if enabled() { failure::next_boot_tells(FAILURE_X86_64) } else { Ok(()) }
}

#[test]
fn a_board_that_halts_runs_no_guest_any_more() -> Result<()> {
    if enabled() { failure::halts(FAILURE_HALT_X86_64, &PC) } else { Ok(()) }
}

/// NMIs strike a guest that never lets go, and harm nobody.
#[test]
fn nmis_in_a_guest_are_told_of_and_harm_nobody() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = FAILURE_X86_64.boot()?;
    runs(&mut console)?;
    for count in 1..=20 {
        board.qmp().execute("inject-nmi")?;
        console
            .expect(&format!("\x1e[ostler] error: NMI from the board, {count} so far: the chipset names no cause"))?;
    }
    runs(&mut console)?;
    // The board fails as ever, and the guest's last exits have the NMIs.
    console.send("\x1dP")?;
    console.expect("the last exits on this pCPU")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    Ok(())
}

/// They strike the hypervisor, too: beside a guest that is made anew all the time, at any place of it.
#[test]
fn nmis_in_the_hypervisor_are_told_of_and_harm_nobody() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = RESTART_X86_64.boot()?;
    console.expect("\x1e[ostler] noise: restarts (1)")?;
    for count in 1..=200 {
        board.qmp().execute("inject-nmi")?;
        console.expect(&format!("\x1e[ostler] error: NMI from the board, {count} so far"))?;
    }
    console.expect("\x1e[ostler] noise: restarts (")?;
    console.expect("hello: alive")?;
    console.send("q")?;
    console.expect("\x1e[ostler] hello: stopped: the guest powered off (code 0)")?;
    let transcript = console.transcript();
    assert!(!transcript.contains("FAILED"), "{transcript}");
    Ok(())
}

/// A machine check ends the board as a failure does, with what the bank says, and the next boot repeats it.
#[test]
fn a_machine_check_is_told_of_with_its_bank() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    const BANK: &str = ", bank 4 status 0xbe00000000000135 address 0x12345000 misc 0x8c";
    let machine = qemu_tests::Machine { reset_ends: false, ..FAILURE_X86_64.machine() };
    let (mut board, mut console) = Board::with_console(&machine, None)?;
    runs(&mut console)?;
    // Of a CPU that has no guest: QEMU's takes one in a guest by the guest's vectors, whoever intercepts it.
    board.qmp().monitor("mce 3 4 0xbe00000000000135 5 0x12345000 0x8c")?;
    console.expect("\x1e[ostler] failure of the hypervisor on pCPU 3, with no vCPU:")?;
    console.expect("\x1e[ostler] machine check (vector 18), rip 0xffffffff80")?;
    console.expect(BANK)?;
    console.expect("\x1e[ostler] 3 of 3 other pCPUs have stopped")?;
    console.expect("\x1e[ostler] the board's configuration says: reset")?;
    console.expect("\x1e[ostler] warning: the last run ended by a failure of the hypervisor:")?;
    console.expect("pCPU 3, with no vCPU: machine check (vector 18)")?;
    console.expect(BANK)?;
    runs(&mut console)
}

//! The hypervisor's own failures on arm64, provoked while a VM runs: what is told, how the board ends, and what the next boot knows.

use qemu_tests::courses::failure::{self, Telling, has};
use qemu_tests::{FAILURE, FAILURE_HALT, Result, enabled};

const ARM: Telling =
    Telling { exit: "vCPU 0 pc 0x", register: "\x1e[ostler] x28 [", stack: "sp", pc: "PC=", code: "0000c000" };

/// What was told of the failure by `key`; `None` without a board.
fn told(key: char) -> Result<Option<String>> {
    if enabled() { failure::told(FAILURE, &ARM, key).map(Some) } else { Ok(None) }
}

#[test]
fn a_panic_is_told_with_its_message_and_calls() -> Result<()> {
    if enabled() { failure::panics(FAILURE, &ARM) } else { Ok(()) }
}

#[test]
fn a_data_abort_names_the_address_and_the_function() -> Result<()> {
    let Some(told) = told('R')? else { return Ok(()) };
    assert!(told.starts_with("data abort: read of 0x404000000000: nothing is mapped there, pc 0xc000"), "{told}");
    has(&told, " hypervisor::provoke::reads_nowhere+");
    has(&told, "far 0x404000000000");
    Ok(())
}

#[test]
fn data_is_not_executed() -> Result<()> {
    let Some(told) = told('X')? else { return Ok(()) };
    assert!(told.starts_with("instruction abort: fetch from 0xc000"), "{told}");
    has(&told, ": what is mapped there forbids it, pc 0xc000");
    Ok(())
}

#[test]
fn an_undefined_instruction_is_named() -> Result<()> {
    let Some(told) = told('U')? else { return Ok(()) };
    assert!(told.starts_with("undefined instruction, pc 0xc000"), "{told}");
    has(&told, " hypervisor::provoke::executes_nonsense+0x0 (arch/aarch64/src/cpu.rs:");
    Ok(())
}

#[test]
fn a_stack_overflow_is_called_one() -> Result<()> {
    if enabled() { failure::overflows(FAILURE, &ARM, "data abort: write to") } else { Ok(()) }
}

#[test]
fn a_failure_while_telling_ends_at_once() -> Result<()> {
    if enabled() { failure::fails_while_telling(FAILURE) } else { Ok(()) }
}

#[test]
fn the_next_boot_says_once_how_the_last_run_ended() -> Result<()> {
    if enabled() { failure::next_boot_tells(FAILURE) } else { Ok(()) }
}

#[test]
fn a_board_that_halts_runs_no_guest_any_more() -> Result<()> {
    if enabled() { failure::halts(FAILURE_HALT, &ARM) } else { Ok(()) }
}

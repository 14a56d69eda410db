//! The hypervisor's own failures, provoked while a VM runs: what is told, how the board ends, and what the next boot knows.

use std::time::Duration;

use qemu_tests::{Board, Console, FAILURE, FAILURE_HALT, Machine, Result, Symbols, Verdict, enabled};

/// Boots, waits until both VMs run, and types the key that makes the hypervisor fail.
fn provoke(machine: &Machine, key: char) -> Result<(Board, Console)> {
    let (board, mut console) = Board::with_console(machine, None)?;
    runs(&mut console)?;
    console.send(&format!("\x1d{key}"))?;
    Ok((board, console))
}

/// Waits until both VMs run: the one in focus may be interrupted in the middle of its only line, the other is shown by lines.
fn runs(console: &mut Console) -> Result<()> {
    console.expect("[beats] hello: alive").map(drop)
}

/// Who fails: the pCPU that takes the key with what it has in hand. That is the boot CPU, unless the other VM prints just then.
const WHO: [&str; 2] = ["pCPU 0, with vCPU 0 of VM spin:", "pCPU 1, with vCPU 0 of VM beats:"];

/// Waits until somebody has failed; the number of his pCPU, and with it the place of his name in [`WHO`].
fn failed(console: &mut Console) -> Result<usize> {
    console.expect("\x1e[ostler] failure of the hypervisor on ")?;
    console.expect_any(&WHO).map(|(pcpu, _)| pcpu)
}

/// Fails by `key`; returns what was told, with names behind addresses.
fn told(key: char) -> Result<Option<String>> {
    if !enabled() {
        return Ok(None);
    }
    let (mut board, mut console) = provoke(&FAILURE.machine(), key)?;
    let pcpu = failed(&mut console)?;
    console.expect("\r\n\x1e[ostler] ")?;
    let told = console.expect("\x1e[ostler] the board's configuration says: reset")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    assert!(told.contains("\x1e[ostler] 3 of 3 other pCPUs have stopped"), "{told}");
    let symbols = Symbols::read(&FAILURE.folder().join("ostler.elf")).expect("the image's ELF file has symbols");
    let named: String = told.split_inclusive('\n').map(|line| symbols.named(line)).collect();
    println!("{named}");
    let exits = "the last exits on this pCPU, the newest first:\r\n\x1e[ostler]   vCPU 0 pc 0x";
    assert!(told.contains(exits), "{told}");
    // The loop is below everything.
    let calls: Vec<&str> = named.lines().filter(|line| line.contains("  called from 0x")).collect();
    assert!(calls.iter().any(|call| call.contains("hypervisor::pcpu::Pcpu::run+")), "{named}");
    assert!(
        named.contains("\x1e[ostler] x28 [") && named.contains(&format!("\x1e[ostler] sp 0x4080000{pcpu}")),
        "{named}"
    );
    Ok(Some(named))
}

/// `text` stands in `told`.
#[track_caller]
fn has(told: &str, text: &str) {
    assert!(told.contains(text), "{text:?} in\n{told}");
}

#[test]
fn a_panic_is_told_with_its_message_and_calls() -> Result<()> {
    let Some(told) = told('P')? else { return Ok(()) };
    assert!(told.starts_with("panic: provoked at hypervisor/src/provoke.rs:"), "{told}");
    has(&told, " hypervisor::provoke::panics+");
    has(&told, "(hypervisor/src/provoke.rs:");
    has(&told, " hypervisor::terminal::obey+");
    Ok(())
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
    let Some(told) = told('O')? else { return Ok(()) };
    assert!(told.starts_with("stack overflow: data abort: write to 0x4080000"), "{told}");
    // The last page of the stack's guard, in whichever slot: slots have 64 KiB, and a stack is the upper half of one.
    let address = told.split("write to 0x4080000").nth(1).and_then(|rest| rest.get(1..2));
    assert_eq!(address, Some("7"), "{told}");
    has(&told, " hypervisor::provoke::overflows+");
    has(&told, " times)");
    Ok(())
}

#[test]
fn a_failure_while_telling_ends_at_once() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = provoke(&FAILURE.machine(), 'L')?;
    failed(&mut console)?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    let transcript = console.transcript();
    assert!(transcript.ends_with("\x1e[ostler] panic: "), "{transcript}");
    Ok(())
}

#[test]
fn the_next_boot_says_once_how_the_last_run_ended() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    const EPITAPH: &str = "\x1e[ostler] warning: the last run ended by a failure of the hypervisor:";
    let machine = Machine { reset_ends: false, ..FAILURE.machine() };
    let (mut board, mut console) = provoke(&machine, 'P')?;
    let who = failed(&mut console)?;
    console.expect("the board's configuration says: reset")?;
    console.expect("\x1e[ostler] Ostler ")?;
    console.expect(EPITAPH)?;
    console.expect(&format!("  {} panic: provoked at hypervisor/src/provoke.rs:", WHO[who]))?;
    let calls = console.expect("\x1e[ostler] spin: 1 vCPUs")?;
    let symbols = Symbols::read(&FAILURE.folder().join("ostler.elf")).expect("the image's ELF file has symbols");
    has(&symbols.named(&calls[calls.find("called from").unwrap_or(0)..]), " hypervisor::provoke::panics+");
    // The VMs run as if nothing had been. A reset that nobody's failure caused has nothing to tell.
    runs(&mut console)?;
    board.qmp().execute("system_reset")?;
    console.expect("\x1e[ostler] Ostler ")?;
    runs(&mut console)?;
    let transcript = console.transcript();
    assert_eq!(transcript.matches(EPITAPH).count(), 1, "{transcript}");
    // A failure that could not be told of leaves who failed.
    console.send("\x1dL")?;
    let who = failed(&mut console)?;
    console.expect(EPITAPH)?;
    console.expect(&format!("  {}", WHO[who]))?;
    Ok(())
}

#[test]
fn a_board_that_halts_runs_no_guest_any_more() -> Result<()> {
    if !enabled() {
        return Ok(());
    }
    let (mut board, mut console) = provoke(&FAILURE_HALT.machine(), 'R')?;
    failed(&mut console)?;
    console.expect("\x1e[ostler] 3 of 3 other pCPUs have stopped")?;
    console.expect("\x1e[ostler] the board's configuration says: halt")?;
    let registers = board.qmp().monitor("info registers -a")?;
    let pcs: Vec<&str> = registers.lines().filter_map(|line| line.trim().strip_prefix("PC=")).collect();
    assert_eq!(pcs.len(), 4, "{registers}");
    for pc in pcs {
        assert!(pc.starts_with("0000c000"), "a CPU is not in the hypervisor: PC {pc} in\n{registers}");
    }
    assert!(board.wait(Some(Duration::ZERO)).is_none(), "the board has not ended");
    Ok(())
}

//! The hypervisor's own failures, provoked while two VMs run, one of which spins: what is told, how the board ends, and what the next
//! boot knows.

use std::time::Duration;

use crate::{Board, Console, Machine, Result, Symbols, System, Verdict};

/// How a kind of CPU tells of itself.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// How the last exits begin.
    pub exit: &'static str,
    /// The name of its last register, as a row of them has it.
    pub register: &'static str,
    /// The name of its stack pointer.
    pub stack: &'static str,
    /// What QEMU writes before a program counter.
    pub pc: &'static str,
    /// How all addresses of the hypervisor's code begin, in 16 digits.
    pub code: &'static str,
}

/// Boots, waits until both VMs run, and types the key that makes the hypervisor fail.
pub fn provoke(machine: &Machine, key: char) -> Result<(Board, Console)> {
    let (board, mut console) = Board::with_console(machine, None)?;
    runs(&mut console)?;
    console.send(&format!("\x1d{key}"))?;
    Ok((board, console))
}

/// Waits until both VMs run: the one in focus may be interrupted in the middle of its only line, the other is shown by lines.
pub fn runs(console: &mut Console) -> Result<()> {
    console.expect("[beats] hello: alive").map(drop)
}

/// Who fails: the pCPU that takes the key with what it has in hand. That is the boot CPU, unless the other VM prints just then.
const WHO: [&str; 2] = ["pCPU 0, with vCPU 0 of VM spin:", "pCPU 1, with vCPU 0 of VM beats:"];

/// Waits until somebody has failed; the number of his pCPU, and with it the place of his name in [`WHO`].
fn failed(console: &mut Console) -> Result<usize> {
    console.expect("\x1e[ostler] failure of the hypervisor on ")?;
    console.expect_any(&WHO).map(|(pcpu, _)| pcpu)
}

fn symbols(system: System) -> Symbols {
    Symbols::read(&system.folder().join("ostler.elf")).expect("the image's ELF file has symbols")
}

/// `system` fails by `key`; what was told, with names behind addresses.
pub fn told(system: System, telling: &Telling, key: char) -> Result<String> {
    let (mut board, mut console) = provoke(&system.machine(), key)?;
    let pcpu = failed(&mut console)?;
    console.expect("\r\n\x1e[ostler] ")?;
    let told = console.expect("\x1e[ostler] the board's configuration says: reset")?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    has(&told, "\x1e[ostler] 3 of 3 other pCPUs have stopped");
    let symbols = symbols(system);
    let named: String = told.split_inclusive('\n').map(|line| symbols.named(line)).collect();
    println!("{named}");
    let Telling { exit, register, stack, .. } = telling;
    has(&told, &format!("the last exits on this pCPU, the newest first:\r\n\x1e[ostler]   {exit}"));
    // The loop is below everything.
    let calls: Vec<&str> = named.lines().filter(|line| line.contains("  called from 0x")).collect();
    assert!(calls.iter().any(|call| call.contains("hypervisor::pcpu::Pcpu::run+")), "{named}");
    has(&named, register);
    has(&named, &format!("\x1e[ostler] {stack} 0x4080000{pcpu}"));
    Ok(named)
}

/// `text` stands in `told`.
#[track_caller]
pub fn has(told: &str, text: &str) {
    assert!(told.contains(text), "{text:?} in\n{told}");
}

/// A panic is told with its message and calls.
pub fn panics(system: System, telling: &Telling) -> Result<()> {
    let told = told(system, telling, 'P')?;
    assert!(told.starts_with("panic: provoked at hypervisor/src/provoke.rs:"), "{told}");
    has(&told, " hypervisor::provoke::panics+");
    has(&told, "(hypervisor/src/provoke.rs:");
    has(&told, " hypervisor::terminal::obey+");
    Ok(())
}

/// A stack overflow is called one: of a write, which `begins` so up to the address's first digits.
pub fn overflows(system: System, telling: &Telling, begins: &str) -> Result<()> {
    let told = told(system, telling, 'O')?;
    assert!(told.starts_with(&format!("stack overflow: {begins} 0x4080000")), "{told}");
    // The last page of the stack's guard, in whichever slot: slots have 64 KiB, and a stack is the upper half of one.
    let address = told.split(&format!("{begins} 0x4080000")).nth(1).and_then(|rest| rest.get(1..2));
    assert_eq!(address, Some("7"), "{told}");
    has(&told, " hypervisor::provoke::overflows+");
    has(&told, " times)");
    Ok(())
}

/// A failure while telling of one ends the board at once.
pub fn fails_while_telling(system: System) -> Result<()> {
    let (mut board, mut console) = provoke(&system.machine(), 'L')?;
    failed(&mut console)?;
    assert_eq!(board.verdict(&mut console)?, Verdict::BadEnd("guest-reset".into()));
    let transcript = console.transcript();
    assert!(transcript.ends_with("\x1e[ostler] panic: "), "{transcript}");
    Ok(())
}

/// The next boot says once how the last run ended.
pub fn next_boot_tells(system: System) -> Result<()> {
    const EPITAPH: &str = "\x1e[ostler] warning: the last run ended by a failure of the hypervisor:";
    let machine = Machine { reset_ends: false, ..system.machine() };
    let (mut board, mut console) = provoke(&machine, 'P')?;
    let who = failed(&mut console)?;
    console.expect("the board's configuration says: reset")?;
    console.expect("\x1e[ostler] Ostler ")?;
    console.expect(EPITAPH)?;
    console.expect(&format!("  {} panic: provoked at hypervisor/src/provoke.rs:", WHO[who]))?;
    let calls = console.expect("\x1e[ostler] spin: 1 vCPUs")?;
    has(&symbols(system).named(&calls[calls.find("called from").unwrap_or(0)..]), " hypervisor::provoke::panics+");
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

/// A board that halts runs no guest any more.
pub fn halts(system: System, telling: &Telling) -> Result<()> {
    let (mut board, mut console) = provoke(&system.machine(), 'R')?;
    failed(&mut console)?;
    console.expect("\x1e[ostler] 3 of 3 other pCPUs have stopped")?;
    console.expect("\x1e[ostler] the board's configuration says: halt")?;
    let registers = board.qmp().monitor("info registers -a")?;
    let words = registers.split_whitespace();
    let pcs: Vec<&str> = words.filter_map(|word| word.strip_prefix(telling.pc)).collect();
    assert_eq!(pcs.len(), 4, "{registers}");
    for pc in pcs {
        assert!(pc.starts_with(telling.code), "a CPU is not in the hypervisor: {pc} in\n{registers}");
    }
    assert!(board.wait(Some(Duration::ZERO)).is_none(), "the board has not ended");
    Ok(())
}

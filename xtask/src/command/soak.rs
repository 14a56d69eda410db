//! `cargo xtask test --soak`: the hostile guest at its work for long.

use std::time::{Duration, SystemTime};

use qemu_tests::System;
use qemu_tests::attack::{self, Attack};

use crate::failure::{Failure, Result, status};

/// How long nothing may be heard of a guest that tells of every million of its operations: a limit for hangs.
const PATIENCE: Duration = Duration::from_secs(900);

/// A seed as it is printed.
pub(crate) fn seed(text: &str) -> std::result::Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "a seed is a number, hexadecimal after 0x".into())
}

/// The hostile guest for a board.
pub(crate) fn system(board: &str) -> Result<System> {
    let mut all = [qemu_tests::HOSTILE, qemu_tests::HOSTILE_X86_64].into_iter();
    let none = || Failure::new(format!("no attacks are known for the board `{board}`"));
    all.find(|system| system.board == board).ok_or_else(none)
}

/// Attacks with every class, or one, and prints what came of it. Everything that a class has to reach is to be reached.
pub(crate) fn run(
    system: System,
    seed: Option<u64>,
    class: Option<&str>,
    operations: u64,
    cpu: Option<&str>,
) -> Result<()> {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
    let seed = seed.unwrap_or(clock);
    eprintln!("seed {seed:#x}");
    let classes = attack::classes(&system);
    let chosen: Vec<_> = classes.iter().filter(|(name, _)| class.is_none_or(|class| class == *name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = classes.iter().map(|(name, _)| *name).collect();
        return Err(Failure::new("no such class of attacks").hint(format!("there are {}", names.join(", "))));
    }
    println!("| class | operations | seconds | ways reached | exceptions | verdict |\n|---|--:|--:|--:|---|---|");
    let mut failed = 0;
    for (class, ways) in chosen {
        let attack = Attack { class, seed: Some(seed), operations };
        let outcome = attack.run(system, cpu, PATIENCE, |done| eprint!("\r{class}: {done} of {operations} "));
        eprint!("\r\x1b[K");
        let verdict = match &outcome {
            Err(error) => {
                eprintln!("{error}");
                "FAILED".into()
            }
            Ok(outcome) => match outcome.missing(ways)[..] {
                [] if outcome.operations >= operations => "held".to_owned(),
                [] => "FAILED: stopped early".to_owned(),
                ref missing => format!("FAILED: did not reach {}", missing.join(", ")),
            },
        };
        if verdict != "held" {
            failed += 1;
            let cpu = cpu.map_or(String::new(), |cpu| format!(" --cpu {cpu}"));
            let board = system.board;
            eprintln!(
                "again: cargo xtask test --soak --board {board} --class {class} --seed {seed:#x} --operations {operations}{cpu}"
            );
        }
        let (done, seconds, reached, taken) = outcome.map_or((0, 0, 0, String::new()), |outcome| {
            let taken = outcome.done.split_once(", ").map_or("", |(_, taken)| taken).to_owned();
            (outcome.operations, outcome.time.as_secs(), outcome.ways(), taken)
        });
        println!("| {class} | {done} | {seconds} | {reached} | {taken} | {verdict} |");
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::new(format!("{failed} classes of attacks failed")).status(status::FAILED)),
    }
}

//! A board whose clock counts instructions, and what the guest `bench` says on its console.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use qemu_tests::{Board, COUNTED, Machine};

use crate::failure::{Failure, Result};
use crate::host::interrupt::ChildGuard;
use crate::image;
use config::Request;

/// How long a board may take: a limit for hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// The keys that make the console list what it has: Ctrl-] and a question mark.
const SUMMARY: &str = "\x1d?";

/// What one row's rounds took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub rounds: u64,
    pub least: u64,
    pub total: u64,
    pub most: u64,
}

impl Counts {
    /// The average, rounded.
    pub(crate) fn mean(self) -> u64 {
        (self.total + self.rounds / 2) / self.rounds.max(1)
    }
}

/// What the guest said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Instructions from the board's reset to the guest's first.
    pub start: Option<u64>,
    /// Its rows by name.
    pub rows: BTreeMap<String, Counts>,
    /// Memory that the board has left, in bytes, if it was asked.
    pub free_bytes: Option<u64>,
}

impl Said {
    /// Reads the guest's lines among all that a console showed.
    fn read(console: &str) -> Said {
        let mut said = Said::default();
        for words in console.lines().filter_map(|line| line.split_once("bench: ")).map(|(_, words)| words) {
            let words: Vec<&str> = words.split_whitespace().collect();
            let number = |index: usize| words.get(index).and_then(|word| word.parse().ok());
            match words[..] {
                ["start", _] => said.start = number(1),
                ["row", name, ..] => {
                    if let (Some(rounds), Some(least), Some(total), Some(most)) =
                        (number(2), number(3), number(4), number(5))
                    {
                        said.rows.insert(name.to_owned(), Counts { rounds, least, total, most });
                    }
                }
                _ => {}
            }
        }
        said
    }
}

/// The machine that `request` is for, counting. It has one CPU.
pub(super) fn machine(request: &Request, image: &Path) -> Result<Machine> {
    Ok(Machine { extra: COUNTED.map(String::from).to_vec(), ..image::machine(request, image)? })
}

/// Runs `machine` until the guest `bench` on it is done.
pub(super) fn run(machine: &Machine) -> Result<Said> {
    converse(machine, false)
}

/// The same on a board that goes on when the guest is done; it is asked how much memory it has left.
pub(super) fn run_and_ask(machine: &Machine) -> Result<Said> {
    converse(machine, true)
}

fn converse(machine: &Machine, ask: bool) -> Result<Said> {
    let (board, mut console) = Board::with_console(machine, None).map_err(Failure::new)?;
    let _guard = ChildGuard::new(board.pid());
    console.set_patience(PATIENCE);
    let (end, _) = console.expect_any(&["bench: end", "FAILED"]).map_err(Failure::new)?;
    match end {
        0 => {
            let mut said = Said::read(&console.transcript());
            if ask {
                console.send(SUMMARY).and_then(|()| console.expect("free memory: ")).map_err(Failure::new)?;
                let kibibytes = console.expect(" KiB").map_err(Failure::new)?;
                said.free_bytes = kibibytes.parse().ok().map(|kibibytes: u64| kibibytes << 10);
            }
            Ok(said)
        }
        _ => {
            // The reason follows on the same line.
            let _ = console.expect("\n");
            Err(Failure::new(format!("the guest `bench` failed\n{}", console.transcript())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_among_others() {
        let console =
            "[ostler] x\r\n(XEN) DOM1: bench: start 12\r\nbench: row a 2 3 7 4\r\nbench: row b 1 2\r\nbench: end";
        let a = Counts { rounds: 2, least: 3, total: 7, most: 4 };
        assert_eq!(Said::read(console), Said { start: Some(12), rows: [("a".into(), a)].into(), free_bytes: None });
        assert_eq!(a.mean(), 4, "3.5, rounded");
    }
}

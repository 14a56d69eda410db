//! Where a row's instructions are spent: by QEMU's log of every instruction, and the hypervisor's debug information.
//!
//! The guest counts two rounds of the row. Its functions and the hypervisor's are logged one instruction a line; a round
//! lasts from the first instruction of the guest's function for it to its last look at the clock.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use addr2line::Loader;
use elf::ElfBytes;
use elf::endian::LittleEndian;
use qemu_tests::Machine;
use serde_json::{Value, json};

use crate::bench::rows::{self, ROWS};
use crate::bench::systems::System;
use crate::failure::{Failure, Result};
use crate::host::{files, paths, process};

/// The hypervisor is linked from here on (`linker/aarch64.ld`).
const HYPERVISOR: u64 = 0xc000_0000_0000;
/// Its code is at most so long.
const HYPERVISOR_BYTES: u64 = 0x20_0000;
/// The IRQ vector in the guest's table, and its third instruction.
const VECTOR_IRQ: u64 = 0x280;
const THIRD: u64 = 8;

/// A run of instructions in one function.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    function: String,
    place: String,
    instructions: u64,
}

/// Where one round's instructions went.
#[derive(Debug)]
pub(crate) struct Profile {
    row: &'static str,
    /// In the order of execution.
    steps: Vec<Step>,
}

/// Profiles the row of this name.
pub(crate) fn of(name: &str) -> Result<Profile> {
    let row = rows::find(name).and_then(|row| row.round.map(|round| (row, round)));
    let (row, round) = row.ok_or_else(|| {
        let names: Vec<_> = ROWS.iter().filter(|row| row.round.is_some()).map(|row| row.name).collect();
        Failure::new(format!("there is no such row: {name}")).hint(format!("rows with a profile: {}", names.join(", ")))
    })?;
    let (image, machine) = System::of_row(row.name)?.build()?;
    let guest = paths::guest("bench").join("bench.elf");
    let window = Window::find(&files::read(&guest)?, round)
        .ok_or_else(|| Failure::new(format!("no function `{round}` in {}", paths::shown(&guest))))?;
    let path = trace(&machine, &window)?;
    Ok(Profile { row: row.name, steps: steps(&image.elf, &path)? })
}

/// The guest's addresses that a round is known by.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// First instruction of the round's function.
    begin: u64,
    /// The look at the clock: a round that comes back ends with its second.
    clock: u64,
    /// The third instruction of the handler, where the others end.
    handler: u64,
}

impl Window {
    fn find(guest: &[u8], round: &str) -> Option<Window> {
        let elf = ElfBytes::<LittleEndian>::minimal_parse(guest).ok()?;
        let (symbols, names) = elf.symbol_table().ok()??;
        // Part of the name as rustc mangles it: `bench::guest::round::ROUND`.
        let (clock, handler) = ("bench_clock".to_owned(), "bench_vectors".to_owned());
        let part = format!("5round{}{round}", round.len());
        let address = |is_it: &dyn Fn(&str) -> bool| {
            symbols.iter().find(|symbol| names.get(symbol.st_name as usize).is_ok_and(is_it)).map(|it| it.st_value)
        };
        Some(Window {
            begin: address(&|name| name.contains(&part))?,
            clock: address(&|name| name == clock)?,
            handler: address(&|name| name == handler)? + VECTOR_IRQ + THIRD,
        })
    }
}

/// Follows the instructions of rounds.
#[derive(Debug)]
struct Rounds {
    window: Window,
    looks: u32,
    current: Vec<u64>,
    finished: Vec<Vec<u64>>,
}

impl Rounds {
    fn executed(&mut self, pc: u64) {
        if pc >= HYPERVISOR {
            self.current.push(pc);
        } else if pc == self.window.begin {
            self.current.clear();
            self.looks = 0;
        } else if pc == self.window.clock {
            self.looks += 1;
            if self.looks == 2 {
                self.finish();
            }
        } else if pc == self.window.handler {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.finished.push(std::mem::take(&mut self.current));
        // What follows up to the next round's beginning belongs to none.
        self.looks = 2;
    }
}

/// Runs the board until two rounds are over, after the one that warms up; gives the last one's instructions.
fn trace(machine: &Machine, window: &Window) -> Result<Vec<u64>> {
    let guest = window.begin.min(window.clock).min(window.handler) & !0xfff;
    let ranges = format!("{HYPERVISOR:#x}+{HYPERVISOR_BYTES:#x},{guest:#x}+0x10000");
    let mut command = Command::new(&machine.binary);
    command.args(["-machine", &machine.machine, "-cpu", &machine.cpu, "-smp", "1"]);
    command.args(["-m", &format!("{}M", machine.memory_bytes >> 20), "-no-reboot", "-nodefaults", "-display", "none"]);
    command.args(["-serial", "null", "-singlestep", "-d", "exec,nochain", "-dfilter", &ranges]);
    command.args(&machine.extra).arg("-kernel").arg(&machine.kernel).stdin(Stdio::null()).stderr(Stdio::piped());
    let (mut child, _guard) = process::spawn(&mut command)?;
    let log = child.stderr.take().ok_or_else(|| Failure::new("QEMU has no log"))?;
    let mut rounds = Rounds { window: *window, looks: 0, current: Vec::new(), finished: Vec::new() };
    for line in BufReader::new(log).lines().map_while(std::io::Result::ok) {
        if let Some(pc) = pc(&line) {
            rounds.executed(pc);
        }
        if rounds.finished.len() == 3 {
            break;
        }
    }
    // A neighbour may run for ever.
    let _ = child.kill();
    let _ = child.wait();
    rounds.finished.pop().ok_or_else(|| Failure::new("no round was seen in QEMU's log"))
}

/// The program counter in a line of the log: `Trace 0: HOST [CS_BASE/PC/FLAGS/CFLAGS] SYMBOL`.
fn pc(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("Trace ")?;
    let (_, inside) = rest.split_once('[')?;
    u64::from_str_radix(inside.split('/').nth(1)?, 16).ok()
}

/// The functions that the instructions belong to, inlined ones by their own names.
fn steps(elf: &Path, path: &[u64]) -> Result<Vec<Step>> {
    let loader = Loader::new(elf).map_err(|why| Failure::new(format!("{}: {why}", paths::shown(elf))))?;
    let symbols = symbols(&files::read(elf)?).unwrap_or_default();
    let mut known: BTreeMap<u64, (String, String)> = BTreeMap::new();
    let mut steps: Vec<Step> = Vec::new();
    for &pc in path {
        let (function, place) = known.entry(pc).or_insert_with(|| name(&loader, &symbols, pc)).clone();
        match steps.last_mut() {
            Some(step) if step.function == function => step.instructions += 1,
            _ => steps.push(Step { function, place, instructions: 1 }),
        }
    }
    Ok(steps)
}

/// The innermost function at `pc`, and its file.
fn name(loader: &Loader, symbols: &BTreeMap<u64, String>, pc: u64) -> (String, String) {
    let frame = loader.find_frames(pc).ok().and_then(|mut frames| frames.next().ok().flatten());
    let file = frame.as_ref().and_then(|frame| Some(frame.location.as_ref()?.file?.to_owned())).unwrap_or_default();
    let function = frame.and_then(|frame| Some(frame.function?.demangle().ok()?.into_owned()));
    // Assembly has symbols, but no functions.
    let function = function.or_else(|| symbols.range(..=pc).next_back().map(|(_, name)| name.clone()));
    let file = file.rsplit("/ostler/").next().unwrap_or_default().to_owned();
    (function.unwrap_or_else(|| format!("{pc:#x}")), file)
}

/// The hypervisor's symbols by address, but for the linker script's marks of where sections end.
fn symbols(elf: &[u8]) -> Option<BTreeMap<u64, String>> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(elf).ok()?;
    let (symbols, names) = elf.symbol_table().ok()??;
    let named = symbols.iter().filter_map(|symbol| Some((symbol.st_value, names.get(symbol.st_name as usize).ok()?)));
    // Assembly has marks of its own that say where data begins and code does.
    let of_code = named.filter(|(_, name)| !name.is_empty() && !name.starts_with('$') && !name.ends_with("_end"));
    Some(of_code.map(|(address, name)| (address, name.to_owned())).collect())
}

impl Profile {
    fn total(&self) -> u64 {
        self.steps.iter().map(|step| step.instructions).sum()
    }

    /// The functions with all of their instructions, the most expensive first.
    fn functions(&self) -> Vec<(&Step, u64)> {
        let mut sums: Vec<(&Step, u64)> = Vec::new();
        for step in &self.steps {
            match sums.iter_mut().find(|(known, _)| known.function == step.function) {
                Some((_, sum)) => *sum += step.instructions,
                None => sums.push((step, step.instructions)),
            }
        }
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
        sums
    }

    /// For people: the functions by cost, then the way through them.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}: {} instructions at EL2 in one round\n\nby function\n", self.row, self.total());
        for (step, sum) in self.functions() {
            text += &format!("{sum:6}  {}  {}\n", step.function, step.place);
        }
        text + "\nin order\n" + &self.way()
    }

    /// The functions in the order of execution.
    pub(crate) fn way(&self) -> String {
        self.steps.iter().map(|step| format!("{:6}  {}\n", step.instructions, step.function)).collect()
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let step =
            |step: &Step| json!({ "function": step.function, "file": step.place, "instructions": step.instructions });
        json!({ "row": self.row, "instructions": self.total(), "steps": self.steps.iter().map(step).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_told_apart() {
        let window = Window { begin: 1, clock: 2, handler: 3 };
        let mut rounds = Rounds { window, looks: 0, current: vec![], finished: vec![] };
        let [a, b, c] = [HYPERVISOR, HYPERVISOR + 4, HYPERVISOR + 8];
        // Noise, a round that comes back, noise, one that a handler ends.
        for pc in [c, 1, 2, 9, a, b, 2, c, 1, 2, b, 3, c] {
            rounds.executed(pc);
        }
        assert_eq!(rounds.finished, [vec![a, b], vec![b]]);
    }

    #[test]
    fn the_program_counter_is_found() {
        let line = "Trace 0: 0x7f6a340109c0 [0000000000000000/0000c00000001480/00000214/ff004601] ostler_quick_sync";
        assert_eq!(pc(line), Some(0xc000_0000_1480));
        assert_eq!(pc("Stopped execution of TB chain before 0x7f6a [0000c00000001480] x"), None);
    }
}

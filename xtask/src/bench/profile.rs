//! Where a row's instructions are spent: by QEMU's log of every instruction, and the hypervisor's debug information.
//!
//! The guest counts two rounds of the row, logged one instruction a line: a round lasts from the first instruction of the
//! guest's function for it, which may be the way to sleep, to its last look at the clock. Of the boot it is everything before the guest.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use elf::ElfBytes;
use elf::endian::LittleEndian;
use qemu_tests::{Machine, Symbols};
use serde_json::{Value, json};

use crate::bench::linux;
use crate::bench::rows;
use crate::bench::systems::System;
use crate::bench::target::{Code, Target};
use crate::failure::{Failure, Result};
use crate::host::{files, paths, process};

/// The hypervisor's code is at most so long.
const HYPERVISOR_BYTES: u64 = 0x20_0000;
/// Lines of a list of functions.
const SHOWN: usize = 40;

/// A run of instructions in one function.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    function: String,
    place: String,
    /// The compiled function that it was inlined into; itself, if it was not.
    within: String,
    instructions: u64,
}

/// Where one round's instructions went.
#[derive(Debug)]
pub(crate) struct Profile {
    target: &'static Target,
    row: &'static str,
    /// In the order of execution.
    steps: Vec<Step>,
}

/// Profiles the row of this name.
pub(crate) fn of(target: &'static Target, name: &str) -> Result<Profile> {
    let row = target.row(name).and_then(|row| row.round.map(|round| (row, round)));
    let (row, round) = row.ok_or_else(|| {
        let names: Vec<_> = target.rows.iter().filter(|row| row.round.is_some()).map(|row| row.name).collect();
        Failure::new(format!("there is no such row: {name}")).hint(format!("rows with a profile: {}", names.join(", ")))
    })?;
    if round == rows::LINUX {
        let exits = linux::exits(target)?;
        return Ok(Profile { target, row: row.name, steps: steps(&exits.elf, &exits.path)? });
    }
    let (image, machine) = System::of_row(target, row)?.build()?;
    let guest = files::read(&target.elf())?;
    let lacks = |what: &str| Failure::new(format!("the guest `bench` has no `{what}`"));
    let path = if round == rows::BOOT {
        let name = target.guest.entry;
        let entry = symbol(&guest, |symbol| symbol == name).ok_or_else(|| lacks(name))?;
        let mut boot = Boot { code: target.code, entry, is_mapped: false, path: Vec::new() };
        let mut ranges = hypervisor(target, &image.elf)?;
        ranges.extend([range(target.code.loaded), format!("{entry:#x}+1")]);
        trace(&machine, &ranges, |pc| boot.executed(pc))?;
        boot.path
    } else {
        let window = Window::find(target, &guest, round).ok_or_else(|| lacks(round))?;
        let ranges = [hypervisor(target, &image.elf)?, window.ranges()].concat();
        let mut rounds = Rounds { window, looks: None, current: Vec::new(), finished: Vec::new() };
        trace(&machine, &ranges, |pc| rounds.executed(pc))?;
        rounds.finished.pop().ok_or_else(|| Failure::new("no round was seen in QEMU's log"))?
    };
    Ok(Profile { target, row: row.name, steps: steps(&image.elf, &path)? })
}

/// The guest's addresses that a round is known by.
#[derive(Clone, Debug)]
struct Window {
    /// The hypervisor's first address.
    hypervisor: u64,
    /// First instruction of the round's function.
    begin: u64,
    /// The look at the clock: a round that comes back ends with its second.
    clock: u64,
    /// The third instructions of handlers, where the others end.
    handlers: Vec<u64>,
}

impl Window {
    fn find(target: &Target, guest: &[u8], round: &str) -> Option<Window> {
        // Part of the name as rustc mangles it: `bench::guest::round::ROUND`.
        let part = format!("5round{}{round}", round.len());
        let third = |(name, offset): &(&str, u64)| Some(symbol(guest, |symbol| symbol == *name)? + offset);
        Some(Window {
            hypervisor: target.code.linked,
            begin: symbol(guest, |name| name.contains(&part))?,
            clock: symbol(guest, |name| name == "bench_clock")?,
            handlers: target.guest.ends.iter().map(third).collect::<Option<_>>()?,
        })
    }

    /// What is to be logged beside the hypervisor.
    fn ranges(&self) -> Vec<String> {
        let guest = [self.begin, self.clock].into_iter().chain(self.handlers.iter().copied());
        guest.map(|address| format!("{address:#x}+1")).collect()
    }
}

/// The address of the first symbol that `is_it`.
pub(super) fn symbol(elf: &[u8], is_it: impl Fn(&str) -> bool) -> Option<u64> {
    extent(elf, is_it).map(|(address, _)| address)
}

/// Address and length of what the first symbol that `is_it` names.
fn extent(elf: &[u8], is_it: impl Fn(&str) -> bool) -> Option<(u64, u64)> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(elf).ok()?;
    let (symbols, names) = elf.symbol_table().ok()??;
    symbols
        .iter()
        .find(|symbol| names.get(symbol.st_name as usize).is_ok_and(&is_it))
        .map(|it| (it.st_value, it.st_size))
}

/// Follows the instructions from reset to the guest's first.
#[derive(Debug)]
struct Boot {
    code: Code,
    /// The guest's first instruction.
    entry: u64,
    /// The hypervisor runs where it is linked.
    is_mapped: bool,
    path: Vec<u64>,
}

impl Boot {
    /// Whether that was the last.
    fn executed(&mut self, pc: u64) -> bool {
        let Code { linked, loaded, .. } = self.code;
        self.is_mapped |= pc >= linked;
        if pc >= linked {
            self.path.push(pc);
        } else if !self.is_mapped && (loaded..loaded + HYPERVISOR_BYTES).contains(&pc) {
            self.path.push(pc - loaded + linked);
        }
        // Where the hypervisor is loaded the guest may have its own program.
        self.is_mapped && pc == self.entry
    }
}

/// Follows the instructions of rounds.
#[derive(Debug)]
struct Rounds {
    window: Window,
    /// Looks at the clock in this round; none while there is no round.
    looks: Option<u32>,
    current: Vec<u64>,
    finished: Vec<Vec<u64>>,
}

impl Rounds {
    /// Whether that was the last of the last round: there are two, and one before that warms up.
    fn executed(&mut self, pc: u64) -> bool {
        if pc >= self.window.hypervisor {
            self.current.push(pc);
        } else if pc == self.window.begin {
            self.current.clear();
            self.looks = Some(0);
        } else if pc == self.window.clock {
            self.looks = self.looks.map(|looks| looks + 1);
            if self.looks == Some(2) {
                self.finish();
            }
        } else if self.window.handlers.contains(&pc) && self.looks.is_some() {
            self.finish();
        }
        self.finished.len() == 3
    }

    fn finish(&mut self) {
        self.finished.push(std::mem::take(&mut self.current));
        self.looks = None;
    }
}

/// QEMU without a console, which logs `what` of the code in `ranges` (none: of all) to its standard error.
pub(super) fn logging(machine: &Machine, what: &[&str], ranges: &[String]) -> Command {
    let mut command = Command::new(&machine.binary);
    command.args(["-machine", &machine.machine, "-cpu", &machine.cpu, "-smp", "1"]);
    command.args(["-m", &format!("{}M", machine.memory_bytes >> 20), "-no-reboot", "-nodefaults", "-display", "none"]);
    command.args(["-serial", "null", "-d"]).args(what);
    if !ranges.is_empty() {
        command.args(["-dfilter", &ranges.join(",")]);
    }
    command.args(&machine.extra).arg("-kernel").arg(&machine.kernel);
    command
}

/// The ranges of all of the hypervisor's code but what only waits.
fn hypervisor(target: &Target, elf: &Path) -> Result<Vec<String>> {
    let (linked, end) = (target.code.linked, target.code.linked + HYPERVISOR_BYTES);
    let Some(name) = target.code.waits else { return Ok(vec![range(linked)]) };
    let extent = extent(&files::read(elf)?, |symbol| symbol.contains(name));
    let (from, bytes) = extent.ok_or_else(|| Failure::new(format!("the hypervisor has no `{name}`")))?;
    let behind = from + bytes;
    Ok(vec![format!("{linked:#x}+{:#x}", from - linked), format!("{behind:#x}+{:#x}", end - behind)])
}

/// The range of the hypervisor's code that begins at `address`.
pub(super) fn range(address: u64) -> String {
    format!("{address:#x}+{HYPERVISOR_BYTES:#x}")
}

/// Runs the board, hands over the address of each instruction in `ranges` (none: of each) that it executes, until
/// `executed` says that it was the last.
fn trace(machine: &Machine, ranges: &[String], mut executed: impl FnMut(u64) -> bool) -> Result<()> {
    let mut command = logging(machine, &["exec,nochain", "-singlestep"], ranges);
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let (mut child, _guard) = process::spawn(&mut command)?;
    let log = child.stderr.take().ok_or_else(|| Failure::new("QEMU has no log"))?;
    for line in BufReader::new(log).lines().map_while(std::io::Result::ok) {
        if pc(&line).is_some_and(&mut executed) {
            break;
        }
    }
    // It may run for ever.
    let _ = child.kill();
    let _ = child.wait();
    Ok(())
}

/// The program counter in a line of the log: `Trace 0: HOST [CS_BASE/PC/FLAGS/CFLAGS] SYMBOL`.
pub(super) fn pc(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("Trace ")?;
    let (_, inside) = rest.split_once('[')?;
    u64::from_str_radix(inside.split('/').nth(1)?, 16).ok()
}

/// The functions that the instructions belong to, inlined ones by their own names.
fn steps(elf: &Path, path: &[u64]) -> Result<Vec<Step>> {
    let symbols = Symbols::read(elf).map_err(|why| Failure::new(format!("{}: {why}", paths::shown(elf))))?;
    let mut known: BTreeMap<u64, Step> = BTreeMap::new();
    let mut steps: Vec<Step> = Vec::new();
    for &pc in path {
        let here = known.entry(pc).or_insert_with(|| name(&symbols, pc));
        match steps.last_mut() {
            Some(step) if step.function == here.function && step.within == here.within => step.instructions += 1,
            _ => steps.push(here.clone()),
        }
    }
    Ok(steps)
}

/// The instruction at `pc` as a step.
fn name(symbols: &Symbols, pc: u64) -> Step {
    let mut frames = symbols.frames(pc);
    let within = frames.last().map(|frame| frame.function.clone()).unwrap_or_default();
    let innermost = frames.drain(..).next();
    let (function, file) = innermost.map_or((within.clone(), None), |frame| (frame.function, frame.file));
    Step { function, place: file.unwrap_or_default(), within, instructions: 1 }
}

impl Profile {
    fn total(&self) -> u64 {
        self.steps.iter().map(|step| step.instructions).sum()
    }

    /// What `name` names, with all of its instructions, the most expensive first; at most [`SHOWN`].
    fn sums(&self, name: impl Fn(&Step) -> &str) -> String {
        let mut sums: BTreeMap<&str, (u64, &Step)> = BTreeMap::new();
        for step in &self.steps {
            sums.entry(name(step)).or_insert((0, step)).0 += step.instructions;
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(_, (sum, _))| std::cmp::Reverse(*sum));
        sums.truncate(SHOWN);
        sums.iter().map(|(name, (sum, _))| format!("{sum:8}  {name}\n")).collect()
    }

    /// For people: functions by cost, then the way through them.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}: {} instructions {}\n", self.row, self.total(), self.target.level);
        text += &format!("\nby compiled function\n{}", self.sums(|step| &step.within));
        text += &format!("\nby function, inlined ones by themselves\n{}", self.sums(|step| &step.function));
        // The way through a boot is thousands of steps long.
        if self.steps.len() < 1000 { text + "\nin order\n" + &self.way() } else { text }
    }

    /// The functions in the order of execution.
    pub(crate) fn way(&self) -> String {
        self.steps.iter().map(|step| format!("{:6}  {}\n", step.instructions, step.function)).collect()
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let step = |step: &Step| {
            let Step { function, place, within, instructions } = step;
            json!({ "function": function, "file": place, "within": within, "instructions": instructions })
        };
        json!({ "board": self.target.board, "row": self.row, "instructions": self.total(), "steps": self.steps.iter().map(step).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_told_apart() {
        const HYPERVISOR: u64 = 0x1000;
        let window = Window { hypervisor: HYPERVISOR, begin: 1, clock: 2, handlers: vec![3, 4] };
        let mut rounds = Rounds { window, looks: None, current: vec![], finished: vec![] };
        let [a, b, c] = [HYPERVISOR, HYPERVISOR + 4, HYPERVISOR + 8];
        // Noise, a round that comes back, noise, one that a handler ends.
        for pc in [c, 2, 2, 3, 1, 2, 9, a, b, 2, c, 1, 2, b, 3, c] {
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

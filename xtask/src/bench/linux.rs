//! Debian's kernel from its first line to power-off, by its own clock, under Ostler and without a hypervisor.
//!
//! The guest's machine is laid out as the board is, so that the bare board boots the same kernel with the guest's own
//! device tree: it has nothing else to probe, and what differs is the hypervisor. Only the redistributors are elsewhere.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use qemu_tests::{Board, COUNTED, Machine, Verdict};

use crate::bench::board::PATIENCE;
use crate::bench::profile;
use crate::bench::systems::System;
use crate::bench::target::Target;
use crate::failure::{Failure, Result};
use crate::host::interrupt::ChildGuard;
use crate::host::{files, packages, paths, process};

/// What the kernel is told besides `quiet`: KASLR would make each boot another one.
const WORDS: &str = "console=ttyAMA0 nokaslr ostler.test=poweroff";
/// Everything that QEMU gives for random is the same in every run.
const SEED: [&str; 2] = ["-seed", "1"];
/// RAM of the guest.
pub(super) const MEMORY_BYTES: u64 = 128 << 20;

/// How long a boot took by the kernel's clock, in instructions of which each takes a nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Boots {
    pub bare: u64,
    pub ostler: u64,
}

impl Boots {
    /// What the hypervisor adds, in millionths.
    pub(crate) fn overhead_ppm(self) -> u64 {
        self.ostler.saturating_sub(self.bare) * 1_000_000 / self.bare.max(1)
    }
}

/// Boots both ways.
pub(super) fn boots(target: &'static Target, quiet: bool) -> Result<Boots> {
    packages::ensure(&[packages::DTC])?;
    let words = if quiet { format!("quiet {WORDS}") } else { WORDS.into() };
    let system = System::of_linux(target, &words, quiet)?;
    let (image, ostler) = system.build()?;
    let folder = image.image.parent().map(ToOwned::to_owned).unwrap_or_default();
    let [source, tree] = ["bare.dts", "bare.dtb"].map(|name| folder.join(name));
    let text =
        process::output(Command::new("dtc").args(["-q", "-I", "dtb", "-O", "dts"]).arg(folder.join("linux.dtb")))?;
    files::write(&source, (text + BOARD).as_bytes())?;
    process::output(Command::new("dtc").args(["-q", "-I", "dts", "-O", "dtb", "-o"]).arg(&tree).arg(&source))?;

    let guest = paths::guest("linux");
    let mut extra: Vec<String> = COUNTED.iter().chain(&SEED).map(ToString::to_string).collect();
    extra.extend(["-initrd".into(), guest.join("initramfs.cpio.gz").display().to_string()]);
    extra.extend(["-dtb".into(), tree.display().to_string(), "-append".into(), words]);
    let bare =
        Machine { kernel: guest.join("vmlinuz"), memory_bytes: MEMORY_BYTES, extra, ..ostler.clone().without_el2() };
    Ok(Boots { bare: clock_at_end(&bare)?, ostler: clock_at_end(&seeded(ostler))? })
}

/// The redistributors, where QEMU's board has them.
const BOARD: &str = "/ { interrupt-controller@8000000 { reg = <0 0x8000000 0 0x10000 0 0x80a0000 0 0x20000>; }; };\n";

fn seeded(machine: Machine) -> Machine {
    let extra = machine.extra.iter().cloned().chain(SEED.map(String::from)).collect();
    Machine { extra, ..machine }
}

/// Boots until power-off; the kernel's last line has its time.
fn clock_at_end(machine: &Machine) -> Result<u64> {
    let (mut board, mut console) = Board::with_console(machine, None).map_err(Failure::new)?;
    let _guard = ChildGuard::new(board.pid());
    console.set_patience(PATIENCE);
    let verdict = board.verdict(&mut console).map_err(Failure::new)?;
    let transcript = console.transcript();
    match (verdict, power_down(&transcript)) {
        (Verdict::PoweredOff, Some(clock)) => Ok(clock),
        (verdict, _) => Err(Failure::new(format!("Debian did not power off: {verdict}\n{transcript}"))),
    }
}

/// The time of `[    0.829084] reboot: Power down`, in nanoseconds.
fn power_down(console: &str) -> Option<u64> {
    let before = console.split_once("] reboot: Power down")?.0;
    let (seconds, micros) = before.rsplit_once('[')?.1.trim().split_once('.')?;
    Some((seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?) * 1000)
}

/// What a boot does at EL2 after the guest has begun.
#[derive(Debug)]
pub(super) struct Exits {
    /// Exceptions that are taken to EL2.
    pub(super) exceptions: u64,
    /// The addresses of all instructions that are executed there.
    pub(super) path: Vec<u64>,
    /// The hypervisor with symbols.
    pub(super) elf: PathBuf,
}

/// Follows a boot with `quiet` at EL2, by QEMU's log of the blocks that it executes, with how many instructions each has.
pub(super) fn exits(target: &'static Target) -> Result<Exits> {
    let (image, machine) = System::of_linux(target, &format!("quiet {WORDS}"), true)?.build()?;
    let vectors = profile::symbol(&files::read(&image.elf)?, |name| name == "__vectors");
    let vectors = vectors.ok_or_else(|| Failure::new("the hypervisor has no `__vectors`"))?;
    let mut command =
        profile::logging(&seeded(machine), &["exec,in_asm,nochain"], &[profile::range(target.code.linked)]);
    let (mut child, _guard) = process::spawn(command.stdin(Stdio::null()).stderr(Stdio::piped()))?;
    let log = child.stderr.take().ok_or_else(|| Failure::new("QEMU has no log"))?;
    let mut blocks = Blocks { vectors, ..Blocks::default() };
    BufReader::new(log).lines().map_while(std::io::Result::ok).for_each(|line| blocks.line(&line));
    // Ended by the guest's power-off.
    let _ = child.wait();
    blocks.path.truncate(blocks.before);
    Ok(Exits { exceptions: blocks.exceptions.saturating_sub(1), path: blocks.path, elf: image.elf })
}

/// Reads QEMU's log.
#[derive(Debug, Default)]
struct Blocks {
    /// The vector table.
    vectors: u64,
    /// Instructions of a block, by its address, as translated last.
    lengths: BTreeMap<u64, u64>,
    /// The block that is being told.
    told: Option<u64>,
    exceptions: u64,
    path: Vec<u64>,
    /// Length of the path up to the last exception: what follows that is the end of the board.
    before: usize,
}

impl Blocks {
    fn line(&mut self, line: &str) {
        if line.starts_with("IN:") {
            self.told = None;
        } else if let Some((address, _)) = line.strip_prefix("0x").and_then(|rest| rest.split_once(':')) {
            let Ok(address) = u64::from_str_radix(address, 16) else { return };
            let block = *self.told.get_or_insert(address);
            self.lengths.insert(block, (address - block) / 4 + 1);
        } else if let Some(pc) = profile::pc(line) {
            self.executed(pc);
        }
    }

    fn executed(&mut self, pc: u64) {
        // The second half of the table is for exceptions from a lower level (DDI 0487, D1.4.1.5).
        if (self.vectors + 0x400..self.vectors + 0x800).contains(&pc) && pc.is_multiple_of(0x80) {
            self.before = self.path.len();
            self.exceptions += 1;
        }
        if self.exceptions > 0 {
            let length = self.lengths.get(&pc).copied().unwrap_or_default();
            self.path.extend((0..length).map(|index| pc + 4 * index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_last_time_is_found() {
        let console = "[    0.000000] Booting\r\n[ostler] x\r\n[    1.829084] reboot: Power down\r\n[ostler] y\r\n";
        assert_eq!(power_down(console), Some(1_829_084_000));
        assert_eq!(power_down("[    0.0] nothing"), None);
        assert_eq!(Boots { bare: 1_000_000, ostler: 1_002_000 }.overhead_ppm(), 2000);
    }

    #[test]
    fn blocks_are_counted_from_the_first_exception_to_the_last() {
        let mut blocks = Blocks { vectors: 0x1000, ..Blocks::default() };
        let trace = |pc: u64| format!("Trace 0: 0x7f [0/{pc:016x}/0/0] ");
        let asm = |pc: u64| format!("0x{pc:08x}:  d503201f  nop");
        let log = [
            "IN: ".into(),
            asm(0x2000),
            String::new(),
            trace(0x2000),
            "IN: ".into(),
            asm(0x1400),
            asm(0x1404),
            String::new(),
            trace(0x1400),
            trace(0x2000),
            trace(0x1400),
            trace(0x2000),
        ];
        log.iter().for_each(|line| blocks.line(line));
        assert_eq!(blocks.path[..blocks.before], [0x1400, 0x1404, 0x2000]);
        assert_eq!(blocks.exceptions, 2);
    }
}

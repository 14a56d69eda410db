//! A guest on the bare board beside the same guest in its VM: when it gets where, and what it finds.
//!
//! ```text
//! qvm file ─┬─ as a VM ──────── boot, boot with the kernel's own talk about devices ─┐
//!           └─ image::Bare ──── boot, boot with the kernel's own talk about devices ─┴─▶ Compared ─▶ table or JSON
//! ```
//! Both run on a clock that counts instructions, so that the same files give the same figures on every machine. The devices
//! are asked for in boots of their own, because talk takes time.

mod found;
mod log;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use config::assemble::{Architecture, Assembly, Images};
use config::{Request, VmSource};
use qemu_tests::{Board, COUNTED, Machine, Verdict};

use crate::failure::{Failure, Result};
use crate::host::interrupt::ChildGuard;
use crate::host::progress::Progress;
use crate::host::{files, paths};
use crate::image::{self, Bare, Findings};
use found::{Devices, Kind};

/// When a boot is over, unless the board ends before.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    /// The console has shown this.
    pub(crate) until: Option<String>,
    /// The console has shown nothing for so long, by this machine's clock.
    pub(crate) quiet: Duration,
}

/// One boot.
#[derive(Debug, Default)]
pub(crate) struct Boot {
    milestones: Vec<(&'static str, Duration)>,
    /// Lines of the console.
    lines: usize,
    /// The board's bad end, if it came to one.
    bad_end: Option<String>,
    devices: BTreeMap<Kind, Devices>,
}

/// Both boots.
#[derive(Debug)]
pub(crate) struct Compared {
    bare: Boot,
    vm: Boot,
}

impl Compared {
    /// Whether the guest gets as far in its VM as on the bare board.
    pub(crate) fn gets_as_far(&self) -> bool {
        let passed = |name| self.vm.milestones.iter().any(|(passed, _)| *passed == name);
        self.vm.bad_end.is_none() && self.bare.milestones.iter().all(|(name, _)| passed(*name))
    }
}

/// Boots the only VM of `request` both ways.
pub(crate) fn compare(request: &Request, over: &Over) -> Result<Compared> {
    let folder = paths::made().join("compare");
    let first = image::assemble(request, Images::Read, &mut Findings::default())?;
    let board = image::board(request)?;
    let mut bare = Bare::of(&first, &board, request, &folder)?;
    // No more CPUs than it has vCPUs on: each waits for its turn on the counted clock.
    let pcpus = first.vms.iter().flat_map(|vm| &vm.cpus).map(|cpu| cpu.pcpu + 1).max().unwrap_or(1);
    let request = Request { cpus: Some(request.cpus.unwrap_or(pcpus)), ..request.clone() };
    let assembly = again(&request)?;
    let on_board = |bare: &Bare| Ok::<_, Failure>(counted(bare.machine(image::machine(&request, Path::new(""))?)));

    let machine = on_board(&bare)?;
    let mut compared = Compared {
        bare: timed(&console("the guest on the bare board", &machine, over)?),
        vm: timed(&console("the guest in its VM", &vm(&assembly, &request, &folder)?, over)?),
    };
    // Only a Linux kernel can be asked for its devices.
    if !compared.bare.milestones.is_empty() {
        let tree = match board.architecture {
            Architecture::Aarch64 => machine.device_tree(&folder.join("board.dtb")).map_err(Failure::new)?,
            Architecture::X86_64 => Vec::new(),
        };
        bare.append(found::WORDS);
        let (text, _) = console("its devices on the bare board", &on_board(&bare)?, over)?;
        compared.bare.devices = found::devices(&text, &tree);
        let asking = asking(&request, &assembly)?;
        let (text, _) = console("its devices in its VM", &vm(&again(&asking)?, &asking, &folder)?, over)?;
        let tree = assembly.trees.first().map(|(_, tree)| tree.as_slice()).unwrap_or_default();
        compared.vm.devices = found::devices(&text, tree);
    }
    Ok(compared)
}

/// Assembles a variant of what was assembled without errors, and told of, before.
fn again(request: &Request) -> Result<Assembly> {
    let (assembly, diagnostics, sources) = image::assemble_quietly(request);
    assembly.ok_or_else(|| Failure::new(diagnostics.render(&sources, false)))
}

/// The machine with the VM of `request` under Ostler.
fn vm(assembly: &Assembly, request: &Request, folder: &Path) -> Result<Machine> {
    let built = image::build_assembled(assembly, request, &[], &folder.join("vm"))?;
    Ok(counted(image::machine(request, &built.image)?))
}

/// The same VM with a command line that makes the kernel tell of its devices.
fn asking(request: &Request, assembly: &Assembly) -> Result<Request> {
    let old = assembly.vms.first().and_then(|vm| vm.cmdline.clone()).unwrap_or_default();
    let cmdline = format!("{old} {}", found::WORDS);
    let cmdline = cmdline.replace('\\', r"\\").replace('"', r#"\""#).replace('$', r"\$");
    let vms = request.vms.iter().map(|source| match source {
        VmSource::File(file) => {
            let file =
                file.to_str().ok_or_else(|| Failure::new(format!("{}: the path is not plain text", file.display())))?;
            let text = format!("@\"{file}\" cmdline \"{cmdline}\"");
            Ok(VmSource::Words { text, folder: PathBuf::from("/") })
        }
        VmSource::Words { text, folder } => {
            Ok(VmSource::Words { text: format!("{text}\ncmdline \"{cmdline}\""), folder: folder.clone() })
        }
    });
    Ok(Request { vms: vms.collect::<Result<_>>()?, ..request.clone() })
}

fn counted(machine: Machine) -> Machine {
    let extra = COUNTED.iter().map(ToString::to_string).chain(machine.extra).collect();
    Machine { extra, ..machine }
}

fn timed((console, verdict): &(String, Option<Verdict>)) -> Boot {
    let bad_end = verdict.as_ref().filter(|verdict| **verdict != Verdict::PoweredOff).map(ToString::to_string);
    Boot { milestones: log::milestones(console), lines: console.lines().count(), bad_end, devices: BTreeMap::new() }
}

/// Boots until it is over; what the console showed, and how the board ended if it did.
fn console(what: &str, machine: &Machine, over: &Over) -> Result<(String, Option<Verdict>)> {
    let progress = Progress::new(format!("booting {what}"));
    let (mut board, mut console) = Board::with_console(machine, None).map_err(Failure::new)?;
    let _guard = ChildGuard::new(board.pid());
    let mut last = (0, Instant::now());
    let verdict = loop {
        if let Some(verdict) = board.wait(Some(Duration::from_millis(100))) {
            console.drain();
            break Some(verdict);
        }
        let text = console.transcript();
        if over.until.as_ref().is_some_and(|until| text.contains(until)) {
            break None;
        }
        if text.len() != last.0 {
            last = (text.len(), Instant::now());
        } else if last.1.elapsed() >= over.quiet {
            break None;
        }
    };
    let text = console.transcript();
    files::write(&paths::made().join("compare").join(format!("{what}.log").replace(' ', "-")), text.as_bytes())?;
    progress.done(&format!("{} lines", text.lines().count()));
    Ok((text, verdict))
}

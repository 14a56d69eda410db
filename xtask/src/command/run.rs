//! `cargo xtask run`: builds a system and runs its board on QEMU.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use config::assemble::Images;
use qemu_tests::{Board, Machine, Verdict};

use crate::failure::{Failure, Result, status};
use crate::host::interrupt::ChildGuard;
use crate::host::{packages, paths};
use crate::image::{self, Bare, Findings, Image, Selection};

/// Build a system and run it on QEMU, with this terminal as the board's console.
///
/// Without files: the demo, an unmodified Debian guest beside a bare-metal one. Ctrl-A x ends QEMU at once; Ctrl-A h
/// shows QEMU's other keys. Ctrl-C goes to the guest. With `dryrun` in a file, everything is checked, device trees are
/// written where `set fdt-dump-file` says, and nothing runs.
///
/// Exit status: 0 if the board powered itself off; 1 if it came to a bad end or something failed; 65 if the configuration
/// has errors; 124 if --timeout ran out; 130 if you ended it.
#[derive(Args, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    selection: Selection,
    /// The CPU that QEMU emulates, as cortex-a53 or max [default: what boards/NAME/board.toml says].
    #[arg(long, value_name = "MODEL")]
    cpu: Option<String>,
    /// Without Ostler: the guest's own program, command line and RAM disk on the bare board, with as many CPUs and as much
    /// RAM as its VM has unless --smp and --memory say otherwise. For one qvm file.
    #[arg(long, conflicts_with_all = ["self_test", "coverage", "provoke", "on_failure", "gdb"])]
    bare: bool,
    /// Wait for a debugger at the first instruction, and say how to attach one.
    #[arg(long)]
    gdb: bool,
    /// For scripts: no terminal and no input; what the board prints goes to standard output.
    #[arg(long)]
    headless: bool,
    /// End the board after so many seconds, with status 124.
    #[arg(long, value_name = "SECONDS", requires = "headless")]
    timeout: Option<u64>,
    /// Print QEMU's command line.
    #[arg(short, long)]
    verbose: bool,
    /// More arguments for QEMU.
    #[arg(last = true, value_name = "QEMU ARGUMENT")]
    extra: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(options: &Run) -> Result<()> {
    let mut findings = Findings::default();
    let request = options.selection.request(&mut findings)?;
    let assembly = image::assemble(&request, Images::Read, &mut findings)?;
    if assembly.dryrun {
        image::dump_trees(&assembly)?;
        eprintln!("the dry run is complete: nothing is wrong, and nothing was run");
        return Ok(());
    }
    packages::ensure(&[packages::qemu(assembly.board.controller)])?;
    let machine = if options.bare {
        let bare = Bare::of(&assembly, &image::board(&request)?, &request, &paths::made().join("bare"))?;
        eprintln!("{}", bare.describe());
        bare.machine(image::machine(&request, Path::new(""))?)
    } else {
        let features = options.selection.features();
        let image = image::build_assembled(&assembly, &request, &features, &paths::made().join("run"))?;
        if options.gdb {
            explain_gdb(&image);
        }
        image::machine(&request, &image.image)?
    };
    let extra = machine.extra.iter().chain(&options.extra).cloned().collect();
    let cpu = options.cpu.clone().unwrap_or(machine.cpu);
    let machine = Machine { cpu, waits_for_debugger: options.gdb, extra, ..machine };
    match start(options, machine)? {
        Some(Verdict::PoweredOff) => Ok(()),
        Some(verdict @ Verdict::Stopped(_)) => Err(Failure::new(verdict).status(status::INTERRUPTED)),
        Some(verdict) => Err(Failure::new(verdict)),
        None => Err(Failure::new("the board still ran when the time was over").status(status::TIMEOUT)),
    }
}

/// Runs the board to its end; `None` if the time was over before.
fn start(options: &Run, mut machine: Machine) -> Result<Option<Verdict>> {
    if options.gdb {
        // As `-s`, but for this machine only: a debugger may do anything to the board.
        machine.extra.extend(["-gdb", "tcp:127.0.0.1:1234"].map(String::from));
    }
    if options.verbose {
        eprintln!("{machine}");
    }
    if !options.headless {
        eprintln!("(Ctrl-A x ends QEMU)");
        let mut board = Board::on_terminal(&machine).map_err(Failure::new)?;
        let _guard = ChildGuard::new(board.pid());
        return Ok(board.wait(None));
    }
    let (mut board, mut console) =
        Board::with_console(&machine, Some(Box::new(std::io::stdout()))).map_err(Failure::new)?;
    let _guard = ChildGuard::new(board.pid());
    let verdict = board.wait(options.timeout.map(Duration::from_secs));
    drop(board);
    console.drain();
    Ok(verdict)
}

fn explain_gdb(image: &Image) {
    let elf = paths::shown(&image.elf);
    let root = paths::root().display().to_string();
    eprintln!("The board waits. In another terminal:");
    eprintln!("  gdb-multiarch {elf} -ex 'set substitute-path /ostler {root}' -ex 'target remote :1234' -ex continue");
}

//! `cargo xtask check`: the assembler's checks without the build.

use clap::Args;

use crate::failure::Result;
use crate::image::{self, Selection};

/// Check qvm files against a board and against each other.
///
/// Finds every mistake that `build` would find, without compiling. Guest images that the files load from `.ostler/` are
/// made first. Exit status: 0 if nothing is wrong; 65 if the configuration has errors; 1 for everything else.
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    selection: Selection,
}

/// Runs the command.
pub(crate) fn run(options: &Check) -> Result<()> {
    let assembly = image::assemble(&options.selection.request()?)?;
    for vm in &assembly.vms {
        let memory: u64 = vm.memory.iter().map(|memory| memory.size_bytes).sum();
        println!("{}: {} vCPU, {} KiB of memory, {} vdev", vm.name, vm.cpus.len(), memory >> 10, vm.vdevs.len());
    }
    let board = &assembly.board;
    let (name, gic, cpus, mib) = (&board.name, board.gic, board.cpus, board.memory_bytes >> 20);
    println!("good for {name} with a {gic}, {cpus} CPUs and {mib} MiB");
    Ok(())
}

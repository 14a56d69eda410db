//! `cargo xtask symbolize`: a console's log with names for the hypervisor's addresses.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use qemu_tests::Symbols;

use crate::failure::{Failure, OnFile, Result};
use crate::host::paths;

/// Write a console's log again, with a name behind every address of the hypervisor's code.
///
/// A failure of the hypervisor prints addresses; this makes `0xc00000012345 function+0x45 (file:line)` of them. The line is that
/// of the call where an address is one that a call returns to. Line by line, so that it can stand behind a board that
/// runs: `cargo xtask run --headless | cargo xtask symbolize`. Addresses in the log and FILE must be of the same build.
#[derive(Args, Debug)]
pub(crate) struct Symbolize {
    /// The hypervisor with its symbols, as `build` writes it beside the image [default: that of the last `run`].
    #[arg(long, value_name = "FILE")]
    elf: Option<PathBuf>,
    /// The log [default: standard input].
    log: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(options: &Symbolize) -> Result<()> {
    let elf = options.elf.clone().unwrap_or_else(|| paths::made().join("run/ostler.elf"));
    let hint = "name by --elf the `ostler.elf` that lies beside the image which the board ran";
    let symbols = Symbols::read(&elf)
        .map_err(|why| Failure::new(format!("can't read symbols from {}: {why}", paths::shown(&elf))).hint(hint))?;
    match options.log.as_deref().filter(|log| *log != Path::new("-")) {
        Some(log) => copy(&symbols, BufReader::new(File::open(log).on("read", log)?), log),
        None => copy(&symbols, io::stdin().lock(), Path::new("the standard input")),
    }
}

fn copy(symbols: &Symbols, mut log: impl BufRead, name: &Path) -> Result<()> {
    let mut out = io::stdout().lock();
    let mut line = Vec::new();
    while log.read_until(b'\n', &mut line).on("read", name)? > 0 {
        let named = symbols.named(&String::from_utf8_lossy(&line));
        // Whoever closed the pipe has seen enough.
        if out.write_all(named.as_bytes()).and_then(|()| out.flush()).is_err() {
            break;
        }
        line.clear();
    }
    Ok(())
}

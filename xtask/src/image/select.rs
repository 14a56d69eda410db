//! The options that say which system is meant.

use std::path::{Path, PathBuf};

use clap::Args;
use config::assemble::{GicVersion, OnFailure, parse_size};
use config::diagnostic::Diagnostics;
use config::source::Sources;
use config::system::System;
use config::{Request, VmSource};

use super::Findings;
use crate::failure::{Failure, OnFile, Result};
use crate::guests;
use crate::host::paths;

const DEFAULT_BOARD: &str = "qemu-aarch64";

/// Which system: the board, its variant, and the virtual machines.
#[derive(Args, Clone, Debug)]
pub(crate) struct Selection {
    /// The board: a folder under boards/ [default: what a system.toml says, or qemu-aarch64].
    #[arg(long, value_name = "NAME")]
    pub board: Option<String>,
    /// Number of CPUs of the board [default: what boards/NAME/board.toml says].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub smp: Option<u32>,
    /// RAM of the board, as 512M or 2G [default: what boards/NAME/board.toml says].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// Interrupt controller of the board and of its guests: 2 or 3 [default: what boards/NAME/board.toml says].
    #[arg(long, value_name = "VERSION", value_parser = gic)]
    pub gic: Option<GicVersion>,
    /// What the board does after a failure of the hypervisor itself: reset or halt [default: what boards/NAME/board.toml
    /// says].
    #[arg(long, value_name = "ACTION", value_parser = on_failure)]
    pub on_failure: Option<OnFailure>,
    /// Before the first guest runs, walk all translation tables and prove that nobody can reach what is another's.
    #[arg(long)]
    pub self_test: bool,
    /// For tests: Ctrl-] and a capital letter make the hypervisor fail.
    #[arg(long, hide = true)]
    pub provoke: bool,
    /// Count which handlers of exits are reached, and say so at the board's end.
    #[arg(long)]
    pub coverage: bool,
    /// One more virtual machine, in the words of a qvm file: '@linux.qvmconf set fdt-dump-file linux.dtb'. Once for each.
    #[arg(long = "vm", value_name = "WORDS")]
    pub words: Vec<String>,
    /// A qvm file for each virtual machine, or a system.toml for the whole board, whose settings the options override
    /// [default: the board's demo, of guests/linux and guests/hello].
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl Selection {
    /// These files on the default board.
    pub(crate) fn of(files: Vec<PathBuf>) -> Selection {
        Selection {
            board: None,
            smp: None,
            memory: None,
            gic: None,
            on_failure: None,
            self_test: false,
            provoke: false,
            coverage: false,
            words: Vec::new(),
            files,
        }
    }

    /// Features of the hypervisor that are chosen when it is compiled, beside those that the board needs.
    pub(crate) fn features(&self) -> Vec<&'static str> {
        [(self.self_test, "self-test"), (self.provoke, "provoke"), (self.coverage, "coverage")]
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name))
            .collect()
    }

    /// The same for the assembler. What is wrong with a `system.toml` is said to `findings`.
    pub(crate) fn request(&self, findings: &mut Findings) -> Result<Request> {
        let system = self.system(findings)?;
        let of_file = system.request(paths::root(), DEFAULT_BOARD);
        let board = self.board.clone().unwrap_or(of_file.board);
        let vms = self.vms(&of_file.vms, &board)?;
        Ok(Request {
            board,
            cpus: self.smp.or(of_file.cpus),
            memory_bytes: self.memory.or(of_file.memory_bytes),
            gic: self.gic.or(of_file.gic),
            on_failure: self.on_failure.or(of_file.on_failure),
            vms,
            ..of_file
        })
    }

    /// What the `system.toml` among the files says, if there is one.
    fn system(&self, findings: &mut Findings) -> Result<System> {
        let mut pages = self.files.iter().filter(|file| is_system(file));
        let Some(page) = pages.next() else { return Ok(System::default()) };
        if let Some(second) = pages.next() {
            return Err(Failure::new(format!("a board has one system.toml: {} is a second one", second.display())));
        }
        let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
        let path = std::path::absolute(page).on("find", page)?;
        let system = System::read(&path, &mut sources, &mut diagnostics);
        findings.say(&diagnostics, &sources)?;
        match system {
            Some(system) => Ok(system),
            None => findings.verdict().map(|()| System::default()),
        }
    }

    /// Those of the `system.toml`, then the files, absolute because builds run elsewhere, then what is given in words; the
    /// demo of `board` if there is none of these.
    fn vms(&self, of_system: &[VmSource], board: &str) -> Result<Vec<VmSource>> {
        if self.files.is_empty() && self.words.is_empty() {
            let demo = guests::demo(super::board_named(board)?.architecture);
            return Ok(demo.map(|file| VmSource::File(paths::root().join(file))).to_vec());
        }
        let folder = std::env::current_dir().on("find", Path::new("."))?;
        let files = self.files.iter().filter(|file| !is_system(file)).map(|file| VmSource::File(folder.join(file)));
        let words = self.words.iter().map(|text| VmSource::Words { text: text.clone(), folder: folder.clone() });
        Ok(of_system.iter().cloned().chain(files).chain(words).collect())
    }
}

/// Whether an argument names a `system.toml`.
fn is_system(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "toml")
}

fn on_failure(text: &str) -> std::result::Result<OnFailure, String> {
    OnFailure::from_word(text).ok_or_else(|| "after a failure a board does `reset` or `halt`".into())
}

fn size(text: &str) -> std::result::Result<u64, String> {
    parse_size(text).filter(|&bytes| bytes > 0).ok_or_else(|| "a size is a number with K, M or G, as 512M".into())
}

fn gic(text: &str) -> std::result::Result<GicVersion, String> {
    let version = text.parse().ok().and_then(GicVersion::from_number);
    version.ok_or_else(|| "a GIC's version is 2 or 3".into())
}

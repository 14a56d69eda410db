//! The options that say which system is meant.

use std::path::{Path, PathBuf};

use clap::Args;
use config::assemble::{GicVersion, OnFailure, parse_size};
use config::{Request, VmSource};

use crate::failure::{OnFile, Result};
use crate::guests;
use crate::host::paths;

const DEFAULT_BOARD: &str = "qemu-aarch64";

/// Which system: the board, its variant, and the virtual machines.
#[derive(Args, Clone, Debug)]
pub(crate) struct Selection {
    /// The board: a folder under boards/.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_BOARD)]
    pub board: String,
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
    /// A qvm file for each virtual machine [default: the demo, guests/linux and guests/hello].
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl Selection {
    /// These files on the default board.
    pub(crate) fn of(files: Vec<PathBuf>) -> Selection {
        Selection {
            board: DEFAULT_BOARD.into(),
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

    /// The same for the assembler.
    pub(crate) fn request(&self) -> Result<Request> {
        Ok(Request {
            root: paths::root(),
            board: self.board.clone(),
            cpus: self.smp,
            memory_bytes: self.memory,
            gic: self.gic,
            on_failure: self.on_failure,
            consoles: Vec::new(),
            vms: self.vms()?,
        })
    }

    /// The files, absolute because builds run elsewhere, then what is given in words; the demo if there is neither.
    fn vms(&self) -> Result<Vec<VmSource>> {
        if self.files.is_empty() && self.words.is_empty() {
            return Ok(guests::DEMO.map(|file| VmSource::File(paths::root().join(file))).to_vec());
        }
        let folder = std::env::current_dir().on("find", Path::new("."))?;
        let files = self.files.iter().map(|file| VmSource::File(folder.join(file)));
        let words = self.words.iter().map(|text| VmSource::Words { text: text.clone(), folder: folder.clone() });
        Ok(files.chain(words).collect())
    }
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

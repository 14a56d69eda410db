//! The bare-metal guests `guests/NAME`: compiled, and put where their qvm files look for them.

use config::assemble::flatten_elf;

use crate::failure::{Failure, Result};
use crate::host::toolchain::{BARE_ARM64, BARE_X86_64};
use crate::host::{cargo, files, paths};

use super::elf32;

/// Their names on arm64: of the folder, the package, the program and the ELF file.
pub(super) const NAMES: [&str; 9] = ["bench", "hello", "hostile", "pages", "psci", "smp", "stop", "trespass", "worker"];
/// On x86.
pub(super) const NAMES_X86_64: [&str; 11] =
    ["bench", "hello", "hostile", "loaded", "pages", "passed", "registers", "smp", "stop", "trespass", "worker"];
/// The programs of `loaded`, which has one for each way to start.
const LOADED: [&str; 5] = ["plain", "multiboot", "flat", "multiboot2", "real"];

/// A package for one CPU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    name: &'static str,
    target: &'static str,
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = Program> {
    let of = |names: &'static [&'static str], target| names.iter().map(move |&name| Program { name, target });
    of(&NAMES, BARE_ARM64).chain(of(&NAMES_X86_64, BARE_X86_64))
}

impl Program {
    /// Its folder below `.ostler/guests/`.
    pub(super) fn folder(&self) -> String {
        if self.target == BARE_X86_64 { format!("{}-x86_64", self.name) } else { self.name.to_owned() }
    }

    /// Makes sure that `.ostler/guests/FOLDER/NAME.elf` is up to date; for `loaded`, that all its programs are, also as ELF files of
    /// 32 bits, `PROGRAM-32.elf`, and as raw files, `PROGRAM.bin`.
    pub(super) fn ensure(self) -> Result<()> {
        if self.name != "loaded" {
            return self.build(self.name).map(drop);
        }
        for binary in LOADED {
            let elf = self.build(binary)?;
            let flat = flatten_elf(&elf).map_err(|why| Failure::new(format!("{binary}: {why}")))?;
            let small = elf32::of(&elf, &flat).ok_or_else(|| Failure::new(format!("{binary} is above 4 GiB")))?;
            files::write(&paths::guest(&self.folder()).join(format!("{binary}-32.elf")), &small)?;
            files::write(&paths::guest(&self.folder()).join(format!("{binary}.bin")), &flat)?;
        }
        Ok(())
    }

    /// Builds a binary of the package and gives the ELF file's bytes.
    fn build(self, binary: &'static str) -> Result<Vec<u8>> {
        let Program { name: package, target } = self;
        let features = String::new();
        let elf =
            cargo::Bare { package, binary, target, features, strip: true, env: Vec::new(), worker: None }.build()?;
        let elf = files::read(&elf)?;
        files::write(&paths::guest(&self.folder()).join(format!("{binary}.elf")), &elf)?;
        Ok(elf)
    }
}

//! The bare-metal guests `guests/NAME`: compiled, and put where their qvm files look for them.

use crate::failure::Result;
use crate::host::toolchain::{BARE_ARM64, BARE_X86_64};
use crate::host::{cargo, files, paths};

/// Their names on arm64: of the folder, the package, the program and the ELF file.
pub(super) const NAMES: [&str; 9] = ["bench", "hello", "hostile", "pages", "psci", "smp", "stop", "trespass", "worker"];
/// Those that there are for x86, too.
pub(super) const NAMES_X86_64: [&str; 6] = ["bench", "hello", "hostile", "registers", "trespass", "worker"];

/// A program for one CPU.
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

    /// Makes sure that `.ostler/guests/FOLDER/NAME.elf` is up to date.
    pub(super) fn ensure(self) -> Result<()> {
        let Program { name, target } = self;
        let features = String::new();
        let built =
            cargo::Bare { package: name, binary: name, target, features, strip: true, env: Vec::new() }.build()?;
        files::write(&paths::guest(&self.folder()).join(format!("{name}.elf")), &files::read(&built)?)?;
        Ok(())
    }
}

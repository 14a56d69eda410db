//! The bare-metal guests `guests/NAME`: compiled, and put where their qvm files look for them.

use crate::failure::Result;
use crate::host::{cargo, files, paths};

/// Their names: of the folder, the package, the program and the ELF file.
pub(super) const NAMES: [&str; 9] = ["bench", "hello", "hostile", "pages", "psci", "smp", "stop", "trespass", "worker"];

/// Makes sure that `.ostler/guests/NAME/NAME.elf` is up to date.
pub(super) fn ensure(name: &'static str) -> Result<()> {
    let built =
        cargo::Bare { package: name, binary: name, features: String::new(), strip: true, env: Vec::new() }.build()?;
    files::write(&paths::guest(name).join(format!("{name}.elf")), &files::read(&built)?)?;
    Ok(())
}

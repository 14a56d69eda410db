//! The bare-metal guest `guests/hello`: compiled, and put where its qvm file looks for it.

use crate::failure::Result;
use crate::host::{cargo, files, paths};

/// Makes sure that `.ostler/guests/hello/hello.elf` is up to date.
pub(super) fn ensure() -> Result<()> {
    let built = cargo::Bare { package: "hello", binary: "hello", strip: true, env: Vec::new() }.build()?;
    files::write(&paths::guest("hello").join("hello.elf"), &files::read(&built)?)?;
    Ok(())
}

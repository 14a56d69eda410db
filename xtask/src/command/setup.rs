//! `cargo xtask setup`: everything that the other commands would fetch or make on demand.

use clap::Args;

use crate::debian;
use crate::failure::Result;
use crate::host::{packages, paths, toolchain};

/// Options of `setup`.
#[derive(Args, Debug)]
pub struct Setup {}

/// Runs the command.
pub fn run(_: &Setup) -> Result<()> {
    toolchain::ensure_target(toolchain::BARE_ARM64)?;
    packages::ensure(&[packages::QEMU, packages::DTC])?;
    let linux = debian::ensure()?;
    println!("ready: Rust target {}, QEMU, dtc, Debian guest in {}", toolchain::BARE_ARM64, paths::shown(&linux));
    Ok(())
}

//! `cargo xtask setup`: everything that the other commands would fetch or make on demand.

use clap::Args;

use crate::failure::Result;
use crate::guests;
use crate::host::{packages, toolchain};
use crate::image::{Findings, Selection};

/// Fetch and make all that the other commands need.
///
/// They do it themselves when they need it; this is for later work without a network. The Rust target comes by rustup,
/// QEMU and dtc by apt (with sudo if you are not root), Debian's kernel and busybox by a private apt whose state is in
/// `.ostler/`. What is there already is not fetched again.
#[derive(Args, Debug)]
pub(crate) struct Setup {}

/// Runs the command.
pub(crate) fn run(_: &Setup) -> Result<()> {
    toolchain::ensure_target(toolchain::BARE_ARM64)?;
    toolchain::ensure_target(toolchain::BARE_X86_64)?;
    packages::ensure(&[packages::QEMU, packages::QEMU_X86_64, packages::DTC])?;
    guests::ensure(&[Selection::of(Vec::new()).request(&mut Findings::default())?])?;
    println!("ready");
    Ok(())
}

//! The compiler's bare-metal target, added by rustup where it is missing.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::host::{paths, process};

/// What runs on the bare arm64 board. Soft float: neither hypervisor nor guests' stubs touch the FP registers of others.
pub(crate) const BARE_ARM64: &str = "aarch64-unknown-none-softfloat";

/// Makes sure that the toolchain of `rust-toolchain.toml` can compile for `target`.
pub(crate) fn ensure_target(target: &str) -> Result<()> {
    let root = paths::root();
    // Needs no rustup, so it is right for distributions' toolchains too.
    let libraries = process::output(Command::new("rustc").current_dir(&root).args([
        "--print",
        "target-libdir",
        "--target",
        target,
    ]))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    if process::find("rustup").is_none() {
        return Err(Failure::new(format!(
            "the compiler has no libraries for {target}, and there is no rustup to add them"
        ))
        .hint("install Rust by rustup, or your distribution's package with the libraries of this target"));
    }
    eprintln!("adding the target {target} to the Rust toolchain …");
    let status = process::status(Command::new("rustup").current_dir(&root).args(["target", "add", target]))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`rustup target add {target}` failed"))
        .hint("it needs the network; try again when there is one"))
}

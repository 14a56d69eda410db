//! The compiler's bare-metal target, added by rustup where it is missing.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::{Failure, Result};
use crate::host::cargo::cargo;
use crate::host::{paths, process};

/// What runs on the bare arm64 board. Soft float: neither hypervisor nor guests' stubs touch the FP registers of others.
pub(crate) const BARE_ARM64: &str = "aarch64-unknown-none-softfloat";

/// What runs on the bare x86 board. Soft float, as above.
pub(crate) const BARE_X86_64: &str = "x86_64-unknown-none";

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
    let what = format!("the libraries for {target}");
    rustup(&what, &["target", "add", target])
}

/// What the compiler says of itself. It is asked once.
pub(crate) fn compiler() -> Result<&'static str> {
    static SAID: OnceLock<String> = OnceLock::new();
    if let Some(said) = SAID.get() {
        return Ok(said);
    }
    let said = process::output(Command::new("rustc").arg("-vV").current_dir(paths::root()))?;
    Ok(SAID.get_or_init(|| said))
}

/// Makes sure that the toolchain has `component`, which brings `cargo SUBCOMMAND`.
pub(crate) fn ensure_component(component: &str, subcommand: &str) -> Result<()> {
    if process::output(cargo().args([subcommand, "--version"])).is_ok() {
        return Ok(());
    }
    rustup(component, &["component", "add", component])
}

/// Adds something to the toolchain of the project.
fn rustup(what: &str, arguments: &[&str]) -> Result<()> {
    if process::find("rustup").is_none() {
        return Err(Failure::new(format!("the Rust toolchain lacks {what}, and there is no rustup to add it"))
            .hint("install Rust by rustup, or your distribution's package with it"));
    }
    eprintln!("adding {what} to the Rust toolchain …");
    let status = process::status(Command::new("rustup").current_dir(paths::root()).args(arguments))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`rustup {}` failed", arguments.join(" ")))
        .hint("it needs the network; try again when there is one"))
}

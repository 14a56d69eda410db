//! `cargo xtask test --miri`: the tests of what parses files, interpreted by Miri, which sees undefined behaviour.

use std::process::Command;

use crate::failure::{Failure, Result};
use crate::host::{paths, process};

/// Miri is a component of nightly compilers only; this one is known to have it.
const TOOLCHAIN: &str = "nightly-2026-10-30";
/// The rooms that bytes of files reach.
const PACKAGES: [&str; 2] = ["loader", "config"];
/// Parts of the names of tests that are too slow for Miri: it needs a minute for a whole assembly and as long for a page of
/// diagnostics or a walk through a document. What of them reads bytes has tests of its own, beside the code.
const SLOW: [&str; 19] = [
    "assemble::pc::acpi",
    "assemble::tests::agreement",
    "assemble::tests::complaints",
    "assemble::tests::cpus",
    "assemble::tests::explanations",
    "assemble::tests::guests",
    "assemble::tests::merge",
    "assemble::tests::output",
    "assemble::tests::passes",
    "assemble::tests::placement",
    "assemble::tests::protocol",
    "assemble::tests::size",
    "assemble::tests::trees",
    "assemble::tests::x86",
    "explain::tests::every_code_is_explained",
    "language::tests::diagnostics",
    "language::tests::document",
    "language::tests::pulled_in::depth_and_amount_are_bounded",
    "the_document_lists_who_is_known_to_do_dma",
];

/// Runs them; `filter` is a part of a test's name, and what matches it is run however slow it is.
pub(super) fn run(filter: Option<&str>) -> Result<()> {
    ensure()?;
    let mut command = Command::new("rustup");
    command.current_dir(paths::root()).args(["run", TOOLCHAIN, "cargo", "miri", "test", "--no-fail-fast"]);
    command.arg("--lib").args(PACKAGES.iter().flat_map(|package| ["--package", package])).args(filter);
    command.arg("--target-dir").arg(paths::made().join("miri"));
    // The times show which tests should do less here.
    command.args(["--", "-Zunstable-options", "--report-time"]);
    if filter.is_none() {
        command.args(SLOW.iter().flat_map(|name| ["--skip", name]));
    }
    // Tests read files of the project; snapshots are compared and never written; the root is told, since no process can be
    // started to ask for it.
    command
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", "2")
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
        .env("INSTA_UPDATE", "no")
        .env("INSTA_WORKSPACE_ROOT", paths::root());
    // What the cargo that runs us says of itself is not so for that one.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    match process::status(&mut command)?.success() {
        true => Ok(()),
        false => Err(Failure::new("a test failed under Miri")),
    }
}

/// Makes sure that the toolchain is there.
fn ensure() -> Result<()> {
    if process::output(Command::new("rustup").args(["run", TOOLCHAIN, "cargo", "miri", "--version"])).is_ok() {
        return Ok(());
    }
    if process::find("rustup").is_none() {
        return Err(Failure::new("Miri is a part of nightly compilers, and there is no rustup to add one"));
    }
    eprintln!("adding {TOOLCHAIN} with Miri …");
    let install = ["toolchain", "install", TOOLCHAIN, "--profile", "minimal", "--component", "miri,rust-src"];
    match process::status(Command::new("rustup").args(install))?.success() {
        true => Ok(()),
        false => Err(Failure::new(format!("`rustup {}` failed", install.join(" ")))
            .hint("it needs the network; try again when there is one")),
    }
}

//! `cargo xtask test`: everything that must hold before a change is taken.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use qemu_tests::{System, systems};

use crate::command::{bench, images, miri, soak};
use crate::failure::{Failure, OnFile, Result, status};
use crate::guests;
use crate::host::cargo::cargo;
use crate::host::toolchain::{self, BARE_ARM64, BARE_X86_64};
use crate::host::{packages, paths, process};
use crate::image;

/// Run all checks and tests: format, lints, host tests, models of concurrency, reproducible images, boards on QEMU, and instruction budgets.
///
/// With FILTER only tests whose name contains it run, and no format check and no lints. Uses `cargo nextest` where it is
/// installed. A failing step does not stop the others; the summary at the end names them. Exit status: 0 if all is well.
#[derive(Args, Debug)]
pub(crate) struct Test {
    /// Only what runs on this machine: format, lints, host tests.
    #[arg(long)]
    host: bool,
    /// Only what builds images and boots them on QEMU.
    #[arg(long, conflicts_with = "host")]
    qemu: bool,
    /// Only the images of this board, as qemu-x86_64, and the tests that boot them. Of the soak: its board [default: qemu-aarch64].
    #[arg(long, value_name = "NAME", conflicts_with = "host")]
    board: Option<String>,
    /// Also the boards that run for minutes: guests under load, a thousand reboots. About 30 minutes more.
    #[arg(long, conflicts_with = "host")]
    long: bool,
    /// Instead of all this: attacks by the hostile guest, millions of each class, from a seed.
    #[arg(long, conflicts_with_all = ["host", "qemu", "long", "filter"])]
    soak: bool,
    /// Instead of all this: the tests of what parses files under Miri, with a nightly compiler. Takes long.
    #[arg(long, conflicts_with_all = ["host", "qemu", "board", "long", "soak"])]
    miri: bool,
    /// The seed of the attacks [default: another one each time].
    #[arg(long, value_name = "N", value_parser = soak::seed, requires = "soak")]
    seed: Option<u64>,
    /// Only this class of attacks.
    #[arg(long, value_name = "NAME", requires = "soak")]
    class: Option<String>,
    /// Attacks of each class.
    #[arg(long, value_name = "N", requires = "soak", default_value_t = 10_000_000)]
    operations: u64,
    /// The CPU that QEMU emulates for the soak, as cortex-a53 or max.
    #[arg(long, value_name = "MODEL", requires = "soak")]
    cpu: Option<String>,
    /// Part of a test's name.
    filter: Option<String>,
}

/// Runs the command.
pub(crate) fn run(options: &Test) -> Result<()> {
    if options.soak {
        let system = soak::system(options.board.as_deref().unwrap_or(qemu_tests::HOSTILE.board))?;
        packages::ensure(&[packages::QEMU, packages::QEMU_X86_64])?;
        images::prepare(&[&system])?;
        if images::build(&[&system]).iter().any(|image| !image.1) {
            return Err(Failure::new("the soak has no image"));
        }
        return soak::run(system, options.seed, options.class.as_deref(), options.operations, options.cpu.as_deref());
    }
    if options.miri {
        return miri::run(options.filter.as_deref());
    }
    let mut summary = Summary::default();
    let filter = options.filter.as_deref();
    let board = options.board.as_deref();
    let on_board = |name: &str| board.is_none_or(|board| board == name);
    if !systems().any(|system| on_board(system.board)) {
        let hint = "the boards with tests are qemu-aarch64 and qemu-x86_64";
        return Err(Failure::new("there are no tests for this board").hint(hint));
    }
    if !options.qemu && board.is_none() {
        if filter.is_none() {
            toolchain::ensure_component("rustfmt", "fmt")?;
            toolchain::ensure_component("clippy", "clippy")?;
            for target in [BARE_ARM64, BARE_X86_64] {
                toolchain::ensure_target(target)?;
            }
            summary.step("format", || passes(cargo().args(["fmt", "--all", "--check"])));
            summary.step("lints, host", || lints(&["--workspace", "--all-targets"]));
            for (name, target, options) in [
                ("arm64", BARE_ARM64, "gicv2,self-test,provoke,coverage"),
                ("x86", BARE_X86_64, "self-test,provoke,coverage"),
            ] {
                summary.step(&format!("lints, bare {name}"), || lints_bare(target, guests::bare(target), &[]));
                summary.step(&format!("lints, bare {name} with all options"), || {
                    lints_bare(target, &[], &["--features", options])
                });
            }
        }
        summary.step("host tests", || host_tests(filter));
        if filter.is_none() {
            summary.step("models of concurrency", concurrency_models);
        }
    }
    if !options.host {
        packages::ensure(&[packages::QEMU, packages::QEMU_X86_64, packages::OVMF])?;
        let wanted: Vec<&System> = systems().filter(|system| on_board(system.board)).collect();
        let mut built = summary.step("guests of the images", || images::prepare(&wanted).map(|()| true));
        if built {
            let images = images::build(&wanted);
            built = images.iter().all(|image| image.1);
            summary.steps.extend(images);
        }
        let hello = qemu_tests::HELLO;
        if built && filter.is_none() && on_board(hello.board) {
            summary.step("same bytes from another folder", || {
                image::same_bytes_elsewhere(hello.files, &hello.folder().join("ostler.img")).map(|()| true)
            });
        }
        if built {
            summary.step("boards on QEMU", || qemu_tests(filter, board, options.long));
        }
        if filter.is_none() && on_board(qemu_tests::HELLO.board) {
            summary.step("budgets", bench::check);
        }
    }
    summary.end()
}

fn lints(what: &[&str]) -> Result<bool> {
    passes(cargo().arg("clippy").args(what).args(["--", "-D", "warnings"]))
}

/// Lints the hypervisor, and `guests` beside it, as they run on the board.
fn lints_bare(target: &str, guests: &[&str], options: &[&str]) -> Result<bool> {
    let packages = ["hypervisor"].iter().chain(guests).flat_map(|package| ["--package", package]);
    let what: Vec<&str> = packages.chain(options.iter().copied()).chain(["--target", target]).collect();
    lints(&what)
}

fn passes(command: &mut Command) -> Result<bool> {
    Ok(process::status(command)?.success())
}

/// The arguments that run tests of `packages`, with a filter that may match nothing.
fn runner(packages: &[&str], filter: Option<&str>) -> Command {
    let mut command = cargo();
    match process::find("cargo-nextest") {
        Some(_) => command.args(["nextest", "run", "--no-fail-fast", "--no-tests", "pass"]).args(packages).args(filter),
        None => command.args(["test", "--no-fail-fast", "--tests"]).args(packages).args(filter),
    };
    command
}

fn host_tests(filter: Option<&str>) -> Result<bool> {
    let tests = passes(&mut runner(&["--workspace"], filter))?;
    // nextest runs no examples of the documentation.
    Ok(passes(cargo().args(["test", "--workspace", "--doc"]).args(filter))? && tests)
}

/// Runs the modules `model`, in which `loom` tries every order that the memory model allows.
///
/// They are compiled with a flag that changes what everybody's atomics are, in a folder of their own, so that nothing
/// else is compiled anew.
fn concurrency_models() -> Result<bool> {
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let mut command = cargo();
    // nextest fails if there is no such test.
    match process::find("cargo-nextest") {
        Some(_) => command.args(["nextest", "run", "--no-fail-fast"]),
        None => command.args(["test", "--no-fail-fast"]),
    };
    command.args(["--package", "arch-common", "--package", "hypervisor", "--lib", "model::", "--target-dir"]);
    passes(command.arg(paths::target().join("loom")).env("RUSTFLAGS", format!("{flags} --cfg loom")))
}

fn qemu_tests(filter: Option<&str>, board: Option<&str>, long: bool) -> Result<bool> {
    let mut what = vec!["--package".to_owned(), "qemu-tests".into(), "--package".into(), "xtask".into()];
    for name in test_files(board)? {
        what.extend(["--test".into(), name]);
    }
    let mut command = runner(&what.iter().map(String::as_str).collect::<Vec<_>>(), filter);
    if process::find("cargo-nextest").is_none() {
        // Each test is a board with several CPUs; libtest would start one for every CPU of this machine.
        command.args(["--", "--test-threads", "2"]);
    }
    if long {
        command.env("OSTLER_LONG_TESTS", "1");
    }
    passes(command.env("OSTLER_QEMU_TESTS", "1"))
}

/// The files of tests that boot this board, or all: those of the PC begin with `pc`.
fn test_files(board: Option<&str>) -> Result<Vec<String>> {
    let Some(board) = board else { return Ok(vec!["*".into()]) };
    let mut names = Vec::new();
    for package in ["qemu-tests", "xtask"] {
        let folder = paths::root().join(package).join("tests");
        for entry in fs::read_dir(&folder).on("list", &folder)? {
            let name = entry.on("list", &folder)?.file_name();
            names.extend(name.to_str().and_then(|name| name.strip_suffix(".rs")).map(String::from));
        }
    }
    names.retain(|name| name.starts_with("pc") == (board == qemu_tests::HELLO_X86_64.board));
    names.sort();
    Ok(names)
}

/// What was run and how it went.
#[derive(Default)]
struct Summary {
    steps: Vec<(String, bool, Duration)>,
}

impl Summary {
    /// Runs a step; a failure is printed and remembered.
    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<bool>) -> bool {
        eprintln!("\n──── {name}");
        let start = Instant::now();
        let passed = run().unwrap_or_else(|failure| {
            eprintln!("{failure}");
            false
        });
        self.steps.push((name.to_owned(), passed, start.elapsed()));
        passed
    }

    /// Prints the summary.
    fn end(self) -> Result<()> {
        eprintln!("\n──── summary");
        for (name, passed, time) in &self.steps {
            eprintln!("{} {:4} s  {name}", if *passed { "passed" } else { "FAILED" }, time.as_secs());
        }
        match self.steps.iter().filter(|step| !step.1).count() {
            0 => Ok(()),
            failed => {
                Err(Failure::new(format!("{failed} of {} steps failed", self.steps.len())).status(status::FAILED))
            }
        }
    }
}

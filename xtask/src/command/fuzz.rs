//! `cargo xtask fuzz`: searches for bytes that break a parser's promise.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::failure::{Failure, Result, status};
use crate::host::cargo::cargo;
use crate::host::{files, packages, paths, process};

/// Search, with libFuzzer, for bytes that break a promise of a parser: the qvm language, guest images, device trees.
///
/// What it finds is minimised and kept in fuzz/seeds/TARGET, where `cargo xtask test` replays it for ever. What it has learnt
/// so far stays in .ostler/fuzz. Exit status: 0 if nothing was found; 1 if something was.
#[derive(Args, Debug)]
pub(crate) struct Fuzz {
    /// Only this target [default: all, one after the other].
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(fuzz::TARGETS.iter().map(|(name, _)| *name)))]
    target: Option<String>,
    /// Inputs to try with each target.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    runs: u64,
    /// Or until so many seconds are over, for each target.
    #[arg(long, value_name = "S", default_value_t = 7200)]
    seconds: u64,
    /// Where the search begins [default: another place each time].
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
}

/// Runs the command.
pub(crate) fn run(options: &Fuzz) -> Result<()> {
    packages::ensure(&[packages::CXX])?;
    let targets = fuzz::TARGETS.iter().map(|(name, _)| *name);
    for target in targets.filter(|target| options.target.as_ref().is_none_or(|only| only == target)) {
        search(target, options)?;
    }
    Ok(())
}

fn search(target: &str, options: &Fuzz) -> Result<()> {
    let program = build(target)?;
    let folder = paths::made().join("fuzz").join(target);
    let [corpus, found] = ["corpus", "found"].map(|name| folder.join(name));
    files::make_folder(&found)?;
    for (_, bytes) in fuzz::seeds(&paths::root(), target).map_err(|error| Failure::new(format!("seeds: {error}")))? {
        files::write(&corpus.join(files::sha256(&bytes)), &bytes)?;
    }
    let mut command = Command::new(program);
    command.arg(&corpus).arg(format!("-artifact_prefix={}/", found.display()));
    command.args([format!("-runs={}", options.runs), format!("-max_total_time={}", options.seconds)]);
    // The longest input takes 30 ms of a CPU: one that takes seconds is a loop that a file can make long. (The clock is the wall's, and
    // a busy machine lets a fuzzer wait.)
    command.args(["-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1"]);
    command.args(options.seed.map(|seed| format!("-seed={seed}")));
    eprintln!("{target}: {}", process::shown(&command));
    if process::status(&mut command)?.success() {
        return Ok(());
    }
    let message = format!("the target `{target}` broke a promise: the input is in {}", paths::shown(&found));
    let hint = format!("mend it, then keep the input as fuzz/seeds/{target}/found-SOMETHING: the tests replay it");
    Err(Failure::new(message).hint(hint).status(status::FAILED))
}

/// The fuzzer with the target in it, compiled so that it sees which branches an input takes.
fn build(target: &str) -> Result<PathBuf> {
    let host = process::output(Command::new("rustc").current_dir(paths::root()).args(["--print", "host-tuple"]))?;
    let host = host.trim();
    // What `cargo fuzz` asks of a nightly compiler by `-Z`, by LLVM's own names (SanitizerCoverage of clang's manual).
    let coverage = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1 --cfg fuzzing";
    let folder = paths::made().join("fuzz/target");
    let mut command = cargo();
    command.args(["build", "--release", "--package", "fuzz", "--features", "libfuzzer", "--bin", target]);
    // With a target of its own the flags are not for build scripts.
    command.args(["--target", host]).arg("--target-dir").arg(&folder).env("RUSTFLAGS", coverage);
    match process::status(&mut command)?.success() {
        true => Ok(folder.join(host).join("release").join(target)),
        false => Err(Failure::new(format!("the fuzzer of `{target}` could not be built"))),
    }
}

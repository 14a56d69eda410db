//! `cargo xtask`: the one tool of the project. It sets up, checks, builds, runs, tests and cleans.
//!
//! Each command does the set-up that it needs and only that, so a fresh clone needs no other preparation.
#![forbid(unsafe_code)]

mod bench;
mod command;
mod compare;
mod failure;
mod guests;
mod host;
mod image;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The one tool of Ostler: sets up, checks, builds, runs, tests.
///
/// Every command does the set-up that it needs by itself. What is fetched or made goes to `.ostler/` in the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(command::run::Run),
    Test(command::test::Test),
    Build(command::build::Build),
    Check(command::check::Check),
    Bench(command::bench::Bench),
    Compare(command::compare::Compare),
    Fuzz(command::fuzz::Fuzz),
    Symbolize(command::symbolize::Symbolize),
    Setup(command::setup::Setup),
    Clean(command::clean::Clean),
}

fn main() -> ExitCode {
    host::interrupt::install();
    let result = match Arguments::parse().command {
        Command::Run(options) => command::run::run(&options),
        Command::Test(options) => command::test::run(&options),
        Command::Build(options) => command::build::run(&options),
        Command::Check(options) => command::check::run(&options),
        Command::Bench(options) => command::bench::run(&options),
        Command::Compare(options) => command::compare::run(&options),
        Command::Fuzz(options) => command::fuzz::run(&options),
        Command::Symbolize(options) => command::symbolize::run(&options),
        Command::Setup(options) => command::setup::run(&options),
        Command::Clean(options) => command::clean::run(&options),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    eprintln!("{failure}");
    ExitCode::from(failure.status)
}

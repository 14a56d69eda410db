//! `cargo xtask bench`: what the hypervisor costs, in instructions.

use clap::Args;

use crate::bench::budgets::Budgets;
use crate::bench::{self, Measured, table};
use crate::failure::{Failure, Result};
use crate::host::packages;

/// Count what the hypervisor costs, in instructions, and compare it with the budgets and with Xen.
///
/// Runs the guest guests/bench on QEMU with a clock that counts instructions, so the counts are the same in every run. A
/// row has its budget (qemu-tests/budgets.toml), the bar that it is to beat, and the best other hypervisor. Exit status: 0;
/// 1 if a row costs over 1 % more than its budget.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Only what has a budget: no Xen, no growth.
    #[arg(long)]
    quick: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Make what was measured the budgets and show what changes; without --quick also write docs/performance.md's figures.
    #[arg(long)]
    update: bool,
    /// Show in which functions the instructions of a row are spent, step by step, and nothing else.
    #[arg(long, value_name = "ROW", conflicts_with_all = ["quick", "update"])]
    profile: Option<String>,
}

/// Runs the command.
pub(crate) fn run(options: &Bench) -> Result<()> {
    packages::ensure(&[packages::QEMU])?;
    if let Some(row) = &options.profile {
        let profile = bench::profile::of(row)?;
        match options.json {
            true => println!("{:#}", profile.json()),
            false => print!("{}", profile.text()),
        }
        return Ok(());
    }
    let mut measured = bench::measure()?;
    if !options.quick {
        bench::measure_xen(&mut measured)?;
        bench::measure_linux(&mut measured)?;
        bench::measure_growth(&mut measured)?;
    }
    let mut budgets = Budgets::read()?;
    if options.update {
        let new = Budgets::of(&measured).or(&budgets);
        eprint!("{}", new.difference(&budgets));
        new.write()?;
        budgets = new;
        if !options.quick {
            document(&measured, &budgets)?;
        }
    }
    match options.json {
        true => println!("{:#}", table::json(&measured, &budgets)),
        false => print!("{}{}", table::text(&measured, &budgets), table::growth(&measured)),
    }
    verdict(&measured, &budgets)
}

/// Writes what `docs/performance.md` shows.
fn document(measured: &Measured, budgets: &Budgets) -> Result<()> {
    let mut texts = vec![("table", table::markdown(measured, budgets)), ("growth", table::growth(measured))];
    for row in ["psci_version", "gicd_typer", "pl011_read"] {
        texts.push((row, format!("```\n{}```\n", bench::profile::of(row)?.way())));
    }
    bench::document::write(&texts)
}

/// The step of `cargo xtask test`: does a row cost more than it may?
pub(crate) fn check() -> Result<bool> {
    packages::ensure(&[packages::QEMU])?;
    let (measured, budgets) = (bench::measure()?, Budgets::read()?);
    print!("{}", table::text(&measured, &budgets));
    verdict(&measured, &budgets).map(|()| true)
}

fn verdict(measured: &Measured, budgets: &Budgets) -> Result<()> {
    let exceeded = budgets.exceeded(measured);
    if exceeded.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = exceeded.iter().map(|excess| format!("  {excess}")).collect();
    Err(Failure::new(format!("over the budget:\n{}", lines.join("\n"))).hint(
        "`cargo xtask bench --profile ROW` shows where a row's instructions go; `--update` makes the budget what it is now",
    ))
}

//! `cargo xtask bench`: what the hypervisor costs, in instructions.

use clap::Args;

use crate::bench::budgets::Budgets;
use crate::bench::target::{self, Target};
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
    /// The board: qemu-aarch64 or qemu-x86_64.
    #[arg(long, value_name = "NAME", default_value = "qemu-aarch64")]
    board: String,
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
    let target = Target::find(&options.board)?;
    packages::ensure(&[target.qemu])?;
    if let Some(row) = &options.profile {
        let profile = bench::profile::of(target, row)?;
        match options.json {
            true => println!("{:#}", profile.json()),
            false => print!("{}", profile.text()),
        }
        return Ok(());
    }
    let mut measured = bench::measure(target)?;
    if !options.quick {
        bench::measure_xen(&mut measured)?;
        bench::measure_linux(&mut measured)?;
        bench::measure_growth(&mut measured)?;
    }
    let mut budgets = Budgets::read(target)?;
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
    let target = measured.target;
    let of_board = |name: &str| format!("{} {name}", target.board);
    let mut texts =
        vec![(of_board("table"), table::markdown(measured, budgets)), (of_board("growth"), table::growth(measured))];
    for &row in target.shown {
        texts.push((row.to_owned(), format!("```\n{}```\n", bench::profile::of(target, row)?.way())));
    }
    bench::document::write(&texts)
}

/// The step of `cargo xtask test`: does a row cost more than it may?
pub(crate) fn check() -> Result<bool> {
    let mut held = true;
    for target in target::ALL {
        packages::ensure(&[target.qemu])?;
        let (measured, budgets) = (bench::measure(target)?, Budgets::read(target)?);
        print!("{}\n{}", target.board, table::text(&measured, &budgets));
        if let Err(failure) = verdict(&measured, &budgets) {
            eprintln!("{failure}");
            held = false;
        }
    }
    Ok(held)
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

//! `cargo xtask check`: the assembler's checks without the build.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use config::assemble::{Assembly, Controller, Images};
use config::report::Report;

use crate::failure::{Failure, Result};
use crate::host::files;
use crate::image::{self, Findings, Form, Selection};

/// Check qvm files against a board and against each other.
///
/// Finds every mistake that `build` would find, without compiling. Guest images that the files load from `.ostler/` are
/// made first. Exit status: 0 if nothing is wrong, also with warnings; 65 if the configuration has errors; 1 for everything
/// else.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// `human`: underlined text on standard error; `json`: on standard output, one object a line. Of a report: `human` is a
    /// page of text, `json` one object, `html` a page for a browser.
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    format: Format,
    /// For repositories without the images: the files that `load` names are neither made nor read, and all that does not
    /// depend on them is checked.
    #[arg(long)]
    no_images: bool,
    /// Print what the system is, on one page: memory, devices, interrupts, CPUs, images, who can touch what, what is shared,
    /// and which ways are left for one VM to disturb another.
    #[arg(long)]
    report: bool,
    /// Write the report to FILE instead of standard output.
    #[arg(long, value_name = "FILE", requires = "report")]
    out: Option<PathBuf>,
    /// Write each guest's device tree to DIR as text, NAME.dts.
    #[arg(long, value_name = "DIR")]
    dump_fdt: Option<PathBuf>,
    /// Write the ACPI tables of each x86 guest to DIR, NAME.TABLE.dat, for `iasl -d`.
    #[arg(long, value_name = "DIR")]
    dump_acpi: Option<PathBuf>,
    /// Say at length what a diagnostic's code means, with an example, and check nothing.
    #[arg(long, value_name = "CODE", exclusive = true)]
    explain: Option<String>,
    #[command(flatten)]
    selection: Selection,
}

/// The form of what is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
    Html,
}

/// Runs the command.
pub(crate) fn run(options: &Check) -> Result<()> {
    if let Some(code) = &options.explain {
        let text = config::explain::explain(code).ok_or_else(|| {
            Failure::new(format!("there is no code `{code}`")).hint("every diagnostic shows its own, as `error[Q0105]`")
        })?;
        print!("{text}");
        return Ok(());
    }
    if options.format == Format::Html && !options.report {
        return Err(Failure::new("only a report can be HTML").hint("add --report"));
    }
    // A report has standard output to itself.
    let form = if options.format == Format::Json && !options.report { Form::Json } else { Form::Human };
    let mut findings = Findings::new(form);
    let request = options.selection.request(&mut findings)?;
    let images = if options.no_images { Images::Absent } else { Images::Read };
    let assembly = image::assemble(&request, images, &mut findings)?;
    if let Some(folder) = &options.dump_fdt {
        image::write_sources(&assembly, folder)?;
    }
    if let Some(folder) = &options.dump_acpi {
        image::write_tables(&assembly, folder)?;
    }
    match (options.report, form) {
        (true, _) => report(options, &Report::new(&assembly, &image::board(&request)?)),
        (false, Form::Human) => {
            summarise(&assembly);
            Ok(())
        }
        (false, Form::Json) => Ok(()),
    }
}

/// Prints or writes the report.
fn report(options: &Check, report: &Report) -> Result<()> {
    let text = match options.format {
        Format::Human => report.text(),
        Format::Json => serde_json::to_string_pretty(report).map_err(Failure::new)? + "\n",
        Format::Html => report.html(),
    };
    match &options.out {
        Some(file) => files::write(file, text.as_bytes()).map(drop),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

/// One line a VM and one about the board.
fn summarise(assembly: &Assembly) {
    for vm in &assembly.vms {
        let memory: u64 = vm.memory.iter().map(|memory| memory.size_bytes).sum();
        println!("{}: {} vCPU, {} KiB of memory, {} vdev", vm.name, vm.cpus.len(), memory >> 10, vm.vdevs.len());
    }
    let board = &assembly.board;
    let (name, cpus, mib) = (&board.name, board.cpus, board.memory_bytes >> 20);
    let gic = match board.controller {
        Controller::Gic(version) => format!("a {version}, "),
        Controller::Apic => String::new(),
    };
    println!("good for {name} with {gic}{cpus} CPUs and {mib} MiB");
}

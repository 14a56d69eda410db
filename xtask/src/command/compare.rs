//! `cargo xtask compare`: a guest on the bare board beside the same guest in its VM.

use std::time::Duration;

use clap::Args;

use crate::compare::{self, Over};
use crate::failure::{Failure, Result};
use crate::host::packages;
use crate::image::Selection;

/// Boot a VM's guest on the bare board and in its VM, and show both side by side.
///
/// For one qvm file. Shows when the guest's kernel gets where (Linux), which devices and interrupts it finds on the board and
/// not in the VM and the other way round, and what the hypervisor adds. Both boot on a clock that counts instructions: the
/// same files give the same figures on every machine. A boot is over when the board ends, or as --until and --quiet say.
///
/// Exit status: 0 if the guest gets as far in its VM as on the bare board; 1 if not or if something failed; 65 if the
/// configuration has errors.
#[derive(Args, Debug)]
pub(crate) struct Compare {
    #[command(flatten)]
    selection: Selection,
    /// A boot is over when the console has shown this.
    #[arg(long, value_name = "TEXT")]
    until: Option<String>,
    /// A boot is over when the console has shown nothing for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    quiet: u64,
    /// Print one JSON object instead of the page.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(options: &Compare) -> Result<()> {
    packages::ensure(&[packages::QEMU])?;
    let over = Over { until: options.until.clone(), quiet: Duration::from_secs(options.quiet) };
    let compared = compare::compare(&options.selection.request()?, &over)?;
    match options.json {
        true => println!("{:#}", compared.json()),
        false => print!("{}", compared.table()),
    }
    match compared.gets_as_far() {
        true => Ok(()),
        false => Err(Failure::new("the guest does not get as far in its VM as on the bare board")
            .hint("the consoles are in .ostler/compare/*.log")),
    }
}

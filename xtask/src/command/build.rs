//! `cargo xtask build`: one bootable image from qvm files.

use std::path::PathBuf;

use clap::Args;
use config::assemble::Images;

use crate::failure::Result;
use crate::image::{self, Findings, Selection};

/// Build a bootable image.
///
/// Writes to DIR: `ostler.img` (what the board boots), `ostler.elf` (symbols for a debugger) and NAME.dtb, the device
/// tree of each virtual machine of arm64. The same input gives the same bytes on every machine, but for a disc; files that
/// would not change are left alone. Exit status: 0; 65 if the configuration has errors; 1 for everything else.
#[derive(Args, Debug)]
pub(crate) struct Build {
    /// Folder to write to; made if absent.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Also write `ostler.iso`, from which PCs start by BIOS or UEFI; it can be written to a USB stick as it is.
    #[arg(long)]
    iso: bool,
    /// Print the sizes and hashes as one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Write each guest's device tree to DIR as text, NAME.dts.
    #[arg(long, value_name = "DIR")]
    dump_fdt: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
}

/// Runs the command.
pub(crate) fn run(options: &Build) -> Result<()> {
    let mut findings = Findings::default();
    let request = options.selection.request(&mut findings)?;
    let assembly = image::assemble(&request, Images::Read, &mut findings)?;
    if options.iso {
        image::check_disc(&assembly)?;
    }
    let built = image::build_assembled(&assembly, &request, &options.selection.features(), &options.out)?;
    if options.iso {
        image::write_disc(&options.out)?;
    }
    if let Some(folder) = &options.dump_fdt {
        image::write_sources(&assembly, folder)?;
    }
    match options.json {
        true => println!("{:#}", built.report.json()),
        false => print!("{}", built.report.table()),
    }
    Ok(())
}

//! The bootable image: assembled, compiled, packed.
//!
//! ```text
//! qvm files ─ config::assemble ─▶ Assembly ─┬─ environment ─ cargo build (build.rs assembles again) ─▶ ostler.elf
//!                                           └─ image section, trees            │ flatten
//!                                                     └──────────── ostler.img ◀┘
//! ```

mod again;
mod bare;
mod report;
mod select;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use config::assemble::{self, Assembly, GicVersion, flatten_elf};
use config::diagnostic::Diagnostics;
use config::source::Sources;
use config::{Request, assemble::Board};
use qemu_tests::Machine;

use crate::failure::{Failure, Result, status};
use crate::guests;
use crate::host::{cargo, files, paths};

pub(crate) use again::same_bytes_elsewhere;
pub(crate) use bare::Bare;
pub(crate) use report::Report;
pub(crate) use select::Selection;

/// A built image and its companions, in one folder.
#[derive(Debug)]
pub(crate) struct Image {
    /// The bootable image.
    pub image: PathBuf,
    /// The hypervisor with symbols, for debuggers.
    pub elf: PathBuf,
    /// What it is made of.
    pub report: Report,
}

/// Makes the guests that the files load, assembles, and prints every diagnostic. Errors end with status 65.
pub(crate) fn assemble(request: &Request) -> Result<Assembly> {
    guests::ensure(request)?;
    let (assembly, diagnostics, sources) = assemble_quietly(request);
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    eprint!("{}", paths::shortened(diagnostics.render(&sources, colour)));
    assembly.ok_or_else(|| match diagnostics.errors() {
        1 => Failure::new("the configuration has an error").status(status::CONFIGURATION),
        count => Failure::new(format!("the configuration has {count} errors")).status(status::CONFIGURATION),
    })
}

/// Assembles and prints nothing: for a request that was looked at already.
pub(crate) fn assemble_quietly(request: &Request) -> (Option<Assembly>, Diagnostics, Sources) {
    assemble::assemble(request, &|name| std::env::var(name).ok())
}

/// Builds what `selection` names and writes it to `folder`. Files that would not change are left alone.
pub(crate) fn build(selection: &Selection, folder: &Path) -> Result<Image> {
    build_with(&selection.request()?, &selection.features(), folder)
}

/// The same, with these features of the hypervisor.
pub(crate) fn build_with(request: &Request, features: &[&str], folder: &Path) -> Result<Image> {
    build_assembled(&assemble(request)?, request, features, folder)
}

/// The same of what was assembled from `request` already.
pub(crate) fn build_assembled(
    assembly: &Assembly,
    request: &Request,
    features: &[&str],
    folder: &Path,
) -> Result<Image> {
    let env = request.to_env().map_err(Failure::new)?;
    // The interrupt controller is a choice of compilation: only the code for the board's is in the image.
    let gic = match assembly.board.gic {
        GicVersion::V2 => Some("gicv2"),
        GicVersion::V3 => None,
    };
    let features = features.iter().copied().chain(gic).collect::<Vec<_>>().join(",");
    let built = cargo::Bare { package: "hypervisor", binary: "ostler", features, strip: false, env }.build()?;
    let elf_bytes = files::read(&built)?;
    let flat = flatten_elf(&elf_bytes).map_err(|why| Failure::new(format!("{}: {why}", built.display())))?;
    let image_bytes = assembly.bootable(&flat).map_err(|why| Failure::new(format!("{}: {why}", built.display())))?;

    let image = folder.join("ostler.img");
    let elf = folder.join("ostler.elf");
    files::write(&image, &image_bytes)?;
    files::write(&elf, &elf_bytes)?;
    for (name, tree) in &assembly.trees {
        files::write(&folder.join(format!("{name}.dtb")), tree)?;
    }
    dump_trees(assembly)?;
    let report = Report::new(assembly, &image, &image_bytes, &elf_bytes)?;
    Ok(Image { image, elf, report })
}

/// Writes the device trees that qvm files name a file for: `set fdt-dump-file`.
pub(crate) fn dump_trees(assembly: &Assembly) -> Result<()> {
    for (path, tree) in &assembly.fdt_dumps {
        files::write(path, &assembly.trees[*tree].1)?;
    }
    Ok(())
}

/// The page of the board that a request names.
pub(crate) fn board(request: &Request) -> Result<Board> {
    Board::load(&paths::root(), &request.board).map_err(|why| Failure::new(why).status(status::CONFIGURATION))
}

/// The machine that `request` is for, with this image.
pub(crate) fn machine(request: &Request, image: &Path) -> Result<Machine> {
    let board = board(request)?;
    let machine = Machine::of(&board, image)
        .ok_or_else(|| Failure::new(format!("the board {} is not one that QEMU can be", board.name)))?;
    Ok(Machine {
        machine: request.gic.and_then(|gic| board.qemu_machine(gic)).unwrap_or(machine.machine),
        cpus: request.cpus.unwrap_or(machine.cpus),
        memory_bytes: request.memory_bytes.unwrap_or(machine.memory_bytes),
        ..machine
    })
}

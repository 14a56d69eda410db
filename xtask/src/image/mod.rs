//! The bootable image: assembled, compiled, packed.
//!
//! ```text
//! qvm files ─ config::assemble ─▶ Assembly ─┬─ environment ─ cargo build (build.rs assembles again) ─▶ ostler.elf
//!                                           └─ image section, trees            │ flatten
//!                                                     └──────────── ostler.img ◀┘ ─ disc ─▶ ostler.iso
//! ```

mod again;
mod bare;
mod disc;
mod findings;
mod fresh;
mod report;
mod select;

use std::path::{Path, PathBuf};
use std::slice;

use config::assemble::{self, Assembly, Controller, GicVersion, Images, flatten_elf};
use config::diagnostic::Diagnostics;
use config::source::Sources;
use config::{Request, assemble::Board};
use qemu_tests::Machine;

use self::fresh::Fresh;
use crate::failure::{Failure, Result, status};
use crate::guests;
use crate::host::toolchain::{BARE_ARM64, BARE_X86_64};
use crate::host::{cargo, files, paths};

pub(crate) use again::same_bytes_elsewhere;
pub(crate) use bare::Bare;
pub(crate) use disc::write as write_disc;
pub(crate) use findings::{Findings, Form};
pub(crate) use report::Report;
pub(crate) use select::Selection;

/// A built image and its companions, in one folder.
#[derive(Debug)]
pub(crate) struct Image {
    /// The bootable image.
    pub image: PathBuf,
    /// The hypervisor with symbols, for debuggers.
    pub elf: PathBuf,
    /// The same where cargo made it.
    built: PathBuf,
    /// What it is made of.
    pub report: Report,
}

/// Makes the guests that the files load, unless they may be absent, assembles, and says every diagnostic. Errors end with status 65.
pub(crate) fn assemble(request: &Request, images: Images, findings: &mut Findings) -> Result<Assembly> {
    if images == Images::Read {
        guests::ensure(slice::from_ref(request))?;
    }
    assemble_only(request, images, findings)
}

/// The same where the guests are there already.
fn assemble_only(request: &Request, images: Images, findings: &mut Findings) -> Result<Assembly> {
    let (assembly, diagnostics, sources) = assemble::check(request, images, &|name| std::env::var(name).ok());
    findings.say(&diagnostics, &sources)?;
    findings.verdict()?;
    assembly.ok_or_else(|| Failure::new("nothing was assembled, and nobody said why").status(status::CONFIGURATION))
}

/// Assembles and prints nothing: for a request that was looked at already.
pub(crate) fn assemble_quietly(request: &Request) -> (Option<Assembly>, Diagnostics, Sources) {
    assemble::assemble(request, &|name| std::env::var(name).ok())
}

/// Builds what `request` names, of which the guests are there already, as one of several workers. Returns whether there was
/// anything to do.
pub(crate) fn build_beside(request: &Request, features: &[&str], folder: &Path, worker: usize) -> Result<bool> {
    let assembly = assemble_only(request, Images::Read, &mut Findings::default())?;
    let fresh = Fresh::of(&assembly, features)?;
    if fresh.holds(folder) {
        return dump_trees(&assembly).map(|()| false);
    }
    let image = compile(&assembly, request, features, folder, Some(worker))?;
    let trees: Vec<String> = assembly.trees.iter().map(|(name, _)| format!("{name}.dtb")).collect();
    fresh.stamp(folder, &image, &trees)?;
    Ok(true)
}

/// Builds what `request` names, with these features of the hypervisor, and writes it to `folder`. Files that would not change are left
/// alone.
pub(crate) fn build_with(request: &Request, features: &[&str], folder: &Path) -> Result<Image> {
    let assembly = assemble(request, Images::Read, &mut Findings::default())?;
    build_assembled(&assembly, request, features, folder)
}

/// The same of what was assembled from `request` already.
pub(crate) fn build_assembled(
    assembly: &Assembly,
    request: &Request,
    features: &[&str],
    folder: &Path,
) -> Result<Image> {
    compile(assembly, request, features, folder, None)
}

fn compile(
    assembly: &Assembly,
    request: &Request,
    features: &[&str],
    folder: &Path,
    worker: Option<usize>,
) -> Result<Image> {
    let env = request.to_env().map_err(Failure::new)?;
    // The interrupt controller is a choice of compilation: only the code for the board's is in the image.
    let (target, gic) = match assembly.board.controller {
        Controller::Gic(GicVersion::V2) => (BARE_ARM64, Some("gicv2")),
        Controller::Gic(GicVersion::V3) => (BARE_ARM64, None),
        Controller::Apic => (BARE_X86_64, None),
    };
    let features = features.iter().copied().chain(gic).collect::<Vec<_>>().join(",");
    let (package, binary) = ("hypervisor", "ostler");
    let built = cargo::Bare { package, binary, target, features, strip: false, env, worker }.build()?;
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
    Ok(Image { image, elf, built, report })
}

/// Whether the board of `assembly` starts from a disc, as PCs do.
pub(crate) fn check_disc(assembly: &Assembly) -> Result<()> {
    match assembly.board.controller {
        Controller::Apic => Ok(()),
        Controller::Gic(_) => Err(Failure::new("boards of arm64 do not start from a disc")
            .hint("leave `--iso` out: `ostler.img` is what QEMU's `-kernel` and U-Boot's `booti` start")),
    }
}

/// Writes the device trees that qvm files name a file for: `set fdt-dump-file`.
pub(crate) fn dump_trees(assembly: &Assembly) -> Result<()> {
    for (path, tree) in &assembly.fdt_dumps {
        write_tree(path, &assembly.trees[*tree].1)?;
    }
    Ok(())
}

/// Writes each guest's device tree as text to NAME.dts in `folder`.
pub(crate) fn write_sources(assembly: &Assembly, folder: &Path) -> Result<()> {
    if assembly.board.controller == Controller::Apic {
        let hint = "guests of x86 boards have ACPI tables: `cargo xtask check --dump-acpi DIR`";
        return Err(Failure::new("there is no device tree to write").hint(hint));
    }
    let write = |(name, tree): &(String, Vec<u8>)| write_tree(&folder.join(format!("{name}.dts")), tree);
    assembly.trees.iter().try_for_each(write)
}

/// Writes each guest's ACPI tables to NAME.TABLE.dat in `folder`, as `iasl -d` reads them.
pub(crate) fn write_tables(assembly: &Assembly, folder: &Path) -> Result<()> {
    if assembly.acpi.is_empty() {
        let hint = "guests of arm64 boards have device trees: `cargo xtask check --dump-fdt DIR`";
        return Err(Failure::new("there are no ACPI tables to write").hint(hint));
    }
    for (name, table) in assembly.acpi.iter().flat_map(|(name, tables)| tables.iter().map(move |table| (name, table))) {
        files::write(&folder.join(format!("{name}.{}.dat", table.name)), &table.bytes)?;
    }
    Ok(())
}

/// Writes a device tree: as text if the file's name ends in `.dts`.
fn write_tree(path: &Path, tree: &[u8]) -> Result<()> {
    let is_text = path.extension().is_some_and(|extension| extension == "dts");
    let text = is_text.then(|| assemble::device_tree_source(tree)).transpose().map_err(Failure::new)?;
    files::write(path, text.as_deref().map_or(tree, str::as_bytes)).map(drop)
}

/// The page of the board that a request names.
pub(crate) fn board(request: &Request) -> Result<Board> {
    board_named(&request.board)
}

/// The page of the board of this name.
fn board_named(name: &str) -> Result<Board> {
    Board::load(&paths::root(), name).map_err(|why| Failure::new(why).status(status::CONFIGURATION))
}

/// The machine that `request` is for, with this image.
pub(crate) fn machine(request: &Request, image: &Path) -> Result<Machine> {
    let board = board(request)?;
    let machine = Machine::of(&board, image)
        .ok_or_else(|| Failure::new(format!("the board {} is not one that QEMU can be", board.name)))?;
    Ok(Machine {
        machine: board
            .controller(request.gic)
            .ok()
            .and_then(|controller| board.qemu_machine(controller))
            .unwrap_or(machine.machine),
        cpus: request.cpus.unwrap_or(machine.cpus),
        memory_bytes: request.memory_bytes.unwrap_or(machine.memory_bytes),
        ..machine
    })
}

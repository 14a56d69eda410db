//! The bootable image: assembled, compiled, packed.
//!
//! ```text
//! qvm files ─ config::assemble ─▶ Assembly ─┬─ environment ─ cargo build (build.rs assembles again) ─▶ ostler.elf
//!                                           └─ image section, trees            │ flatten
//!                                                     └──────────── ostler.img ◀┘
//! ```

mod again;
mod findings;
mod report;

mod select;

use std::path::{Path, PathBuf};

use config::assemble::{self, Assembly, GicVersion, Images, flatten_elf};
use config::{Request, assemble::Board};

use crate::failure::{Failure, Result, status};
use crate::guests;
use crate::host::{cargo, files, paths};

pub(crate) use again::same_bytes_elsewhere;
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
    /// What it is made of.
    pub report: Report,
    /// The system in it.
    pub assembly: Assembly,
    /// What was asked for.
    pub request: Request,
}

/// Makes the guests that the files load, unless they may be absent, assembles, and says every diagnostic. Errors end with status 65.
pub(crate) fn assemble(request: &Request, images: Images, findings: &mut Findings) -> Result<Assembly> {
    if images == Images::Read {
        guests::ensure(&request.files)?;
    }
    let (assembly, diagnostics, sources) = assemble::check(request, images, &|name| std::env::var(name).ok());
    findings.say(&diagnostics, &sources)?;
    findings.verdict()?;
    assembly.ok_or_else(|| Failure::new("nothing was assembled, and nobody said why").status(status::CONFIGURATION))
}

/// Builds what `selection` names and writes it to `folder`. Files that would not change are left alone.
pub(crate) fn build(selection: &Selection, folder: &Path) -> Result<Image> {
    let mut findings = Findings::default();
    let request = selection.request(&mut findings)?;
    compile(request, &selection.features(), folder, &mut findings)
}

/// The same, with these features of the hypervisor.
pub(crate) fn build_with(request: &Request, features: &[&str], folder: &Path) -> Result<Image> {
    compile(request.clone(), features, folder, &mut Findings::default())
}

/// Writes each guest's device tree as text to NAME.dts in `folder`.
pub(crate) fn dump_trees(assembly: &Assembly, folder: &Path) -> Result<()> {
    let write = |(name, tree): &(String, Vec<u8>)| write_tree(&folder.join(format!("{name}.dts")), tree);
    assembly.trees.iter().try_for_each(write)
}

/// Writes a device tree: as text if the file's name ends in `.dts`.
fn write_tree(path: &Path, tree: &[u8]) -> Result<()> {
    let is_text = path.extension().is_some_and(|extension| extension == "dts");
    let text = is_text.then(|| assemble::device_tree_source(tree)).transpose().map_err(Failure::new)?;
    files::write(path, text.as_deref().map_or(tree, str::as_bytes)).map(drop)
}

fn compile(request: Request, features: &[&str], folder: &Path, findings: &mut Findings) -> Result<Image> {
    let assembly = assemble(&request, Images::Read, findings)?;
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
    for (path, tree) in &assembly.fdt_dumps {
        write_tree(path, &assembly.trees[*tree].1)?;
    }
    let report = Report::new(&assembly, &image, &image_bytes, &elf_bytes)?;
    Ok(Image { image, elf, report, assembly, request })
}

/// The page of the board that a request names.
pub(crate) fn board(request: &Request) -> Result<Board> {
    Board::load(&paths::root(), &request.board).map_err(|why| Failure::new(why).status(status::CONFIGURATION))
}

//! Which image goes where in a VM's memory, and where the first vCPU starts.
//!
//! Images with a given address or with addresses of their own come first, then the kernel, the RAM disk, other data
//! and last the device tree, each at the first place that its boot protocol allows.

use loader::{Cpu, Image};
use model::images::Kind;
use model::{Gpa, Seed};

use super::Load;
use super::claims::Range;
use super::files::{Files, file_name, gunzip};
use super::floor::Floor;
use super::guest::Given;
use super::placer::{Placer, bad_image};
use super::protocol::{Program, TREE_LIMIT_BYTES};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{LoadKind, LoadSpec, Span, VmSpec};

/// Where everything but the device tree is.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) loads: Vec<Load>,
    /// The guest's program in its place.
    pub(super) program: Program,
    /// First byte and one past the last byte of the RAM disk.
    pub(super) initrd: Option<Range>,
    /// Other files and where they are, in the order of the qvm file.
    pub(super) data: Vec<(String, Range)>,
}

/// The places of one VM's images; `None` if something was reported.
pub(super) fn place(
    spec: &VmSpec,
    given: &Given,
    floor: &mut Floor,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Option<Placed> {
    // How long the tree will be is not known yet: as long as it may be.
    floor.keep_off(tree_address(spec).and_then(|address| Range::new(address, TREE_LIMIT_BYTES)));
    let program = program(spec, diagnostics);
    // The other files are looked at even if there is no program, so that all mistakes are shown at once.
    let mut program_bytes = None;
    let (mut others, mut odd_disks) = (Vec::new(), Vec::new());
    let mut good = program.is_some();
    for load in spec.loads.iter().filter(|load| !matches!(load.kind, LoadKind::Fdt | LoadKind::Acpi)) {
        let is_program = program.is_some_and(|program| std::ptr::eq(program, load));
        let bytes = files.read(load, diagnostics);
        if is_program {
            program_bytes = bytes.and_then(|bytes| unpacked(bytes, load, given.cpu, diagnostics));
            good &= program_bytes.is_some();
        } else if let Some(bytes) = bytes {
            odd_disks.extend((load.kind == LoadKind::Initrd && !loader::is_ram_disk(&bytes)).then_some(load));
            good &= load.kind != LoadKind::Sniffed || is_no_program(&bytes, load, program, given.cpu, diagnostics);
            others.push((load, bytes));
        } else {
            good = false;
        }
    }
    let (program, bytes) = (program?, program_bytes?);
    let mut placer = Placer { floor, files, diagnostics, given, loads: Vec::new() };

    // What has an address is in nobody's way later: it goes first. The RAM disk is more particular than data.
    others.sort_by_key(|(load, _)| (load.address.is_none(), load.kind != LoadKind::Initrd));
    let free = others.split_off(others.partition_point(|(load, _)| load.address.is_some()));
    let mut placed: Vec<(&LoadSpec, Option<Range>)> = Vec::new();
    for (load, bytes) in others {
        placed.push((load, placer.at_address(load, bytes)));
    }
    let program = placer.program(program, bytes)?;
    for (load, bytes) in free {
        let is_initrd = load.kind == LoadKind::Initrd;
        let range = if is_initrd { placer.initrd(load, bytes, &program) } else { placer.first_free(load, bytes) };
        placed.push((load, range));
    }
    good &= placed.iter().all(|(_, range)| range.is_some());
    let is_initrd = |(load, _): &&(&LoadSpec, Option<Range>)| load.kind == LoadKind::Initrd;
    let Placer { loads, diagnostics, floor, .. } = placer;
    good &= one_initrd(spec, diagnostics);
    // What a program that is no Linux makes of a RAM disk is its own affair.
    for load in odd_disks.into_iter().filter(|_| program.is_linux()) {
        diagnostics.push(odd_disk(load));
    }
    for (load, range) in placed.iter().filter(is_initrd) {
        good &= range.is_none_or(|range| program.check_initrd(load, range, floor, diagnostics));
    }
    let initrd = placed.iter().find(is_initrd).and_then(|(_, range)| *range);
    // In the order of the file, whatever was placed first.
    let mut data: Vec<_> = placed.iter().filter(|load| !is_initrd(load)).collect();
    data.sort_by_key(|(load, _)| load.span.start);
    let data = data.into_iter().filter_map(|(load, range)| Some((file_name(&load.path.value), (*range)?)));
    good.then_some(Placed { loads, program, initrd, data: data.collect() })
}

/// A device tree that wants a place.
pub(super) struct TreeBlob<'a> {
    /// The VM's name.
    pub(super) vm: &'a str,
    pub(super) bytes: Vec<u8>,
    pub(super) seeds: Vec<Seed>,
    /// Where complaints point to.
    pub(super) span: Span,
}

impl Placed {
    /// Puts the device tree where `fdt load` says, or else after everything else on a page if it can, and returns its address.
    pub(super) fn place_tree(
        &mut self,
        spec: &VmSpec,
        tree: TreeBlob,
        floor: &mut Floor,
        files: &mut Files,
        diagnostics: &mut Diagnostics,
    ) -> Option<u64> {
        let TreeBlob { vm, bytes, seeds, span } = tree;
        let size = bytes.len() as u64;
        let mut refuse = |code, message: String, hint: Option<String>| {
            let error = Diagnostic::error(code, message).at(span);
            diagnostics.push(hint.into_iter().fold(error, Diagnostic::hint));
        };
        if size > TREE_LIMIT_BYTES {
            let message = format!("the device tree is {size} bytes long: Linux maps no more than {TREE_LIMIT_BYTES}");
            refuse(codes::BAD_TREE, message, None);
            return None;
        }
        let from = self.initrd.map_or(0, |range| range.end).max(self.program.range.end);
        let start = match tree_address(spec) {
            Some(address) if !address.is_multiple_of(8) => {
                let message = format!("a device tree cannot be at {address:#x}: its address is a multiple of 8");
                refuse(codes::BAD_TREE, message, None);
                return None;
            }
            Some(address) => address,
            None => match self.program.find_tree(floor, size, from) {
                Some(start) => start,
                None => {
                    let message = format!("there is no room for the device tree of VM `{vm}`, {size} bytes");
                    refuse(codes::NO_ROOM, message, Some(floor.describe()));
                    return None;
                }
            },
        };
        let range = Range::new(start, size)?;
        floor.take(range, "the device tree", span, diagnostics).then_some(())?;
        self.program.check_tree(range, span, diagnostics);
        let image = files.blob(&format!("{vm}.dtb"), Kind::Tree, bytes);
        self.loads.push(Load { image, offset: 0, size_bytes: size, gpa: Gpa(start), seeds });
        Some(start)
    }
}

/// Whether the VM has one RAM disk at most; a second one is reported.
pub(super) fn one_initrd(spec: &VmSpec, diagnostics: &mut Diagnostics) -> bool {
    let mut initrds = spec.loads.iter().filter(|load| load.kind == LoadKind::Initrd);
    let (Some(first), Some(second)) = (initrds.next(), initrds.next()) else { return true };
    let error = Diagnostic::error(codes::NOT_BUILT, "a VM has one RAM disk").at(second.span);
    let hint = "join the two files: a RAM disk may be several cpio archives one after the other";
    diagnostics.push(error.label(first.span, "this is the RAM disk already").hint(hint));
    false
}

/// The address that an `fdt load` asks for; the last one.
fn tree_address(spec: &VmSpec) -> Option<u64> {
    let trees = spec.loads.iter().filter(|load| load.kind == LoadKind::Fdt);
    trees.filter_map(|load| load.address.as_ref()).next_back().map(|address| address.value)
}

/// The `load` that holds the guest's program: `guest load`, or else the first one without a type.
pub(super) fn program<'a>(spec: &'a VmSpec, diagnostics: &mut Diagnostics) -> Option<&'a LoadSpec> {
    let mut guests = spec.loads.iter().filter(|load| load.kind == LoadKind::Guest);
    let (first, second) = (guests.next(), guests.next());
    if let (Some(first), Some(second)) = (first, second) {
        let error = Diagnostic::error(codes::NO_PROGRAM, "a VM has one `guest load`").at(second.span);
        let hint = "a file that is only to be in memory is loaded by `data load`";
        diagnostics.push(error.label(first.span, "this is the guest's program already").hint(hint));
        return None;
    }
    let program = first.or_else(|| spec.loads.iter().find(|load| load.kind == LoadKind::Sniffed));
    if program.is_none() {
        let error = Diagnostic::error(codes::NO_PROGRAM, "this VM has no program to run").at(super::home(spec));
        diagnostics.push(error.hint("`load PATH` names a kernel or a bare-metal program"));
    }
    program
}

/// That a file is a RAM disk by its word only.
fn odd_disk(load: &LoadSpec) -> Diagnostic {
    let name = file_name(&load.path.value);
    let message =
        format!("`{name}` is neither a cpio archive nor compressed nor a file system: Linux takes it for no RAM disk");
    let warning = Diagnostic::warning(codes::NO_RAM_DISK, message).at(load.path.span);
    warning.hint("load the file that the kernel's distribution calls `initrd` or `initramfs`; for other content write `data load`")
}

/// Whether a further file without a type holds no program of its own; one that does is reported.
fn is_no_program(
    bytes: &[u8],
    load: &LoadSpec,
    program: Option<&LoadSpec>,
    cpu: Cpu,
    diagnostics: &mut Diagnostics,
) -> bool {
    let is_program = !matches!(loader::inspect(bytes, cpu), Ok(Image::Raw | Image::Gzip) | Err(_));
    if let (true, Some(program)) = (is_program, program) {
        let error = Diagnostic::error(codes::NO_PROGRAM, "a VM runs one program and this is a second one");
        let hint = "write `data load` if the file is only to be in memory";
        diagnostics.push(error.at(load.path.span).label(program.path.span, "the VM runs this").hint(hint));
    }
    !is_program
}

/// The bytes of a program, without gzip around them.
fn unpacked(bytes: Vec<u8>, load: &LoadSpec, cpu: Cpu, diagnostics: &mut Diagnostics) -> Option<Vec<u8>> {
    if loader::inspect(&bytes, cpu) != Ok(Image::Gzip) {
        return Some(bytes);
    }
    let result = gunzip(&bytes).and_then(|bytes| match loader::inspect(&bytes, cpu) {
        Ok(Image::Gzip) => Err("the file is packed by gzip twice".into()),
        _ => Ok(bytes),
    });
    let hint = "unpack it by `gzip -dc` to see; if that fails, copy or download the file again";
    result.map_err(|message| diagnostics.push(bad_image(load, &message, Some(hint)))).ok()
}

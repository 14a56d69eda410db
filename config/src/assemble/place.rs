//! Which image goes where in a VM's memory, and where the first vCPU starts.
//!
//! Images with a given address or with addresses of their own come first, then the kernel, the RAM disk, other data
//! and last the device tree, each at the first place that its boot protocol allows.

use loader::{Image, Linux};
use model::images::Kind;
use model::{Gpa, PAGE_BYTES, Seed};

use super::Load;
use super::claims::Range;
use super::files::{Files, file_name, gunzip};
use super::floor::{ANYWHERE, Floor};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{LoadKind, LoadSpec, Span, VmSpec};

/// RAM disk and kernel lie in one window of this size, aligned to 1 GiB (Documentation/arch/arm64/booting.rst, 4).
const INITRD_WINDOW_BYTES: u64 = 32 << 30;
/// Longest device tree that Linux maps (the same, section 2).
const TREE_LIMIT_BYTES: u64 = 2 << 20;
/// Kernels before 3.17 do not say how much memory they use after the file's end; none needed more `.bss` than this.
const OLD_KERNEL_SLACK_BYTES: u64 = 16 << 20;

/// Where everything but the device tree is.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) loads: Vec<Load>,
    /// First instruction.
    pub(super) pc: u64,
    /// First byte and one past the last byte of the RAM disk.
    pub(super) initrd: Option<Range>,
    /// Where the search for the device tree's place begins.
    tree_from: Range,
}

/// The places of one VM's images; `None` if something was reported.
pub(super) fn place(
    spec: &VmSpec,
    floor: &mut Floor,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Option<Placed> {
    // How long the tree will be is not known yet: as long as it may be.
    floor.keep_off(tree_address(spec).and_then(|address| Range::new(address, TREE_LIMIT_BYTES)));
    let program = program(spec, diagnostics);
    // The other files are looked at even if there is no program, so that all mistakes are shown at once.
    let mut program_bytes = None;
    let mut others = Vec::new();
    let mut good = program.is_some();
    for load in spec.loads.iter().filter(|load| load.kind != LoadKind::Fdt) {
        let is_program = program.is_some_and(|program| std::ptr::eq(program, load));
        let bytes = files.read(load, diagnostics);
        if is_program {
            program_bytes = bytes.and_then(|bytes| unpacked(bytes, load, diagnostics));
            good &= program_bytes.is_some();
        } else if let Some(bytes) = bytes {
            good &= load.kind != LoadKind::Sniffed || is_no_program(&bytes, load, program, diagnostics);
            others.push((load, bytes));
        } else {
            good = false;
        }
    }
    let (program, bytes) = (program?, program_bytes?);
    let mut placer = Placer { floor, files, diagnostics, loads: Vec::new() };

    // What has an address is in nobody's way later: it goes first. The RAM disk is more particular than data.
    others.sort_by_key(|(load, _)| (load.address.is_none(), load.kind != LoadKind::Initrd));
    let free = others.split_off(others.partition_point(|(load, _)| load.address.is_some()));
    let mut initrds: Vec<(&LoadSpec, Option<Range>)> = Vec::new();
    for (load, bytes) in others {
        let range = placer.at_address(load, bytes);
        good &= range.is_some();
        initrds.extend((load.kind == LoadKind::Initrd).then_some((load, range)));
    }
    let (pc, kernel) = placer.program(program, bytes)?;
    let window = Range::new(kernel.start >> 30 << 30, INITRD_WINDOW_BYTES)?;
    for (load, bytes) in free {
        let is_initrd = load.kind == LoadKind::Initrd;
        let range = if is_initrd { placer.initrd(load, bytes, kernel, window) } else { placer.first_free(load, bytes) };
        good &= range.is_some();
        initrds.extend(is_initrd.then_some((load, range)));
    }
    let Placer { loads, diagnostics, .. } = placer;
    good &= check_initrds(&initrds, window, diagnostics);
    let initrd = initrds.first().and_then(|(_, range)| *range);
    let tree_from = Range { start: initrd.map_or(0, |range| range.end).max(kernel.end), end: ANYWHERE.end };
    good.then_some(Placed { loads, pc, initrd, tree_from })
}

/// At most one RAM disk, in the kernel's window.
fn check_initrds(initrds: &[(&LoadSpec, Option<Range>)], window: Range, diagnostics: &mut Diagnostics) -> bool {
    let before = diagnostics.errors();
    if let [(first, _), (second, _), ..] = initrds {
        let error = Diagnostic::error(codes::NOT_BUILT, "a VM has one RAM disk").at(second.span);
        let hint = "join the two files: a RAM disk may be several cpio archives one after the other";
        diagnostics.push(error.label(first.span, "this is the RAM disk already").hint(hint));
    }
    for (load, range) in initrds {
        if range.is_some_and(|range| !window.contains(range)) {
            let error = Diagnostic::error(codes::NO_ROOM, "the RAM disk and the kernel are too far apart");
            let hint = "arm64 Linux wants both in one window of 32 GiB that starts at a multiple of 1 GiB";
            diagnostics.push(error.at(load.path.span).hint(hint));
        }
    }
    diagnostics.errors() == before
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
    /// Puts the device tree where `fdt load` says, or else after everything else on a page, and returns its address.
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
        let find = |within| floor.find_aligned(size, within, PAGE_BYTES);
        let start = match tree_address(spec) {
            Some(address) if !address.is_multiple_of(8) => {
                let message = format!("a device tree cannot be at {address:#x}: its address is a multiple of 8");
                refuse(codes::BAD_TREE, message, None);
                return None;
            }
            Some(address) => address,
            None => match find(self.tree_from).or_else(|| find(ANYWHERE)) {
                Some(start) => start,
                None => {
                    let message = format!("there is no room for the device tree of VM `{vm}`, {size} bytes");
                    refuse(codes::NO_ROOM, message, Some(floor.describe()));
                    return None;
                }
            },
        };
        floor.take(Range::new(start, size)?, "the device tree", span, diagnostics).then_some(())?;
        let image = files.blob(&format!("{vm}.dtb"), Kind::Tree, bytes);
        self.loads.push(Load { image, offset: 0, size_bytes: size, gpa: Gpa(start), seeds });
        Some(start)
    }
}

/// The address that an `fdt load` asks for; the last one.
fn tree_address(spec: &VmSpec) -> Option<u64> {
    let trees = spec.loads.iter().filter(|load| load.kind == LoadKind::Fdt);
    trees.filter_map(|load| load.address.as_ref()).next_back().map(|address| address.value)
}

/// The `load` that holds the guest's program: `guest load`, or else the first one without a type.
fn program<'a>(spec: &'a VmSpec, diagnostics: &mut Diagnostics) -> Option<&'a LoadSpec> {
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

/// Whether a further file without a type holds no program of its own; one that does is reported.
fn is_no_program(bytes: &[u8], load: &LoadSpec, program: Option<&LoadSpec>, diagnostics: &mut Diagnostics) -> bool {
    let is_program = matches!(loader::inspect(bytes), Ok(Image::Elf(_) | Image::Linux(_)));
    if let (true, Some(program)) = (is_program, program) {
        let error = Diagnostic::error(codes::NO_PROGRAM, "a VM runs one program and this is a second one");
        let hint = "write `data load` if the file is only to be in memory";
        diagnostics.push(error.at(load.path.span).label(program.path.span, "the VM runs this").hint(hint));
    }
    !is_program
}

/// The bytes of a program, without gzip around them.
fn unpacked(bytes: Vec<u8>, load: &LoadSpec, diagnostics: &mut Diagnostics) -> Option<Vec<u8>> {
    if loader::inspect(&bytes) != Ok(Image::Gzip) {
        return Some(bytes);
    }
    let result = gunzip(&bytes).and_then(|bytes| match loader::inspect(&bytes) {
        Ok(Image::Gzip) => Err("the file is packed by gzip twice".into()),
        _ => Ok(bytes),
    });
    let hint = "unpack it by `gzip -dc` to see; if that fails, copy or download the file again";
    result.map_err(|message| diagnostics.push(bad_image(load, &message, Some(hint)))).ok()
}

fn bad_image(load: &LoadSpec, message: &str, hint: Option<&str>) -> Diagnostic {
    let message = format!("`{}`: {message}", file_name(&load.path.value));
    let error = Diagnostic::error(codes::BAD_IMAGE, message).at(load.path.span);
    hint.into_iter().fold(error, Diagnostic::hint)
}

/// What placing needs at hand.
struct Placer<'a> {
    floor: &'a mut Floor,
    files: &'a mut Files,
    diagnostics: &'a mut Diagnostics,
    loads: Vec<Load>,
}

impl Placer<'_> {
    /// Puts a whole file at `start`.
    fn put(&mut self, load: &LoadSpec, bytes: Vec<u8>, start: u64) -> Option<Range> {
        let name = file_name(&load.path.value);
        let size = bytes.len() as u64;
        let range = self.range(load, start, size)?;
        self.take(load, range, &format!("`{name}`")).then_some(())?;
        let kind = match load.kind {
            LoadKind::Initrd => Kind::Initrd,
            LoadKind::Guest => Kind::Guest,
            LoadKind::Sniffed | LoadKind::Data | LoadKind::Fdt => Kind::Data,
        };
        let image = self.files.blob(&name, kind, bytes);
        self.loads.push(Load { image, offset: 0, size_bytes: size, gpa: Gpa(start), seeds: vec![] });
        Some(range)
    }

    fn at_address(&mut self, load: &LoadSpec, bytes: Vec<u8>) -> Option<Range> {
        self.put(load, bytes, load.address.as_ref()?.value)
    }

    fn first_free(&mut self, load: &LoadSpec, bytes: Vec<u8>) -> Option<Range> {
        let size = bytes.len() as u64;
        match self.floor.find_aligned(size, ANYWHERE, PAGE_BYTES) {
            Some(start) => self.put(load, bytes, start),
            None => self.no_room(load, size, ""),
        }
    }

    /// A RAM disk: after the kernel if there is room, or else below it in the same window.
    fn initrd(&mut self, load: &LoadSpec, bytes: Vec<u8>, kernel: Range, window: Range) -> Option<Range> {
        let size = bytes.len() as u64;
        let above = Range { start: kernel.end, ..window };
        let find = |within| self.floor.find_aligned(size, within, PAGE_BYTES);
        match find(above).or_else(|| find(window)) {
            Some(start) => self.put(load, bytes, start),
            None => self.no_room(load, size, " within 32 GiB of the kernel"),
        }
    }

    /// The guest's program: its first instruction and the memory it takes.
    fn program(&mut self, load: &LoadSpec, bytes: Vec<u8>) -> Option<(u64, Range)> {
        let name = file_name(&load.path.value);
        match loader::inspect(&bytes) {
            Err(error) => {
                self.diagnostics.push(bad_image(load, &error.to_string(), error.hint()));
                None
            }
            Ok(Image::Elf(elf)) => {
                let (entry, segments) = (elf.entry, elf.segments().collect::<Vec<_>>());
                let range = self.elf(load, &segments)?;
                let image = self.files.blob(&name, Kind::Guest, bytes);
                let filled = segments.iter().filter(|segment| segment.file_bytes > 0);
                self.loads.extend(filled.map(|segment| Load {
                    image,
                    offset: segment.file_offset,
                    size_bytes: segment.file_bytes,
                    gpa: Gpa(segment.address),
                    seeds: vec![],
                }));
                Some((entry, range))
            }
            Ok(Image::Linux(linux)) => {
                let range = self.linux(load, &linux)?;
                let image = self.files.blob(&name, Kind::Guest, bytes);
                let (size_bytes, gpa) = (linux.file_bytes, Gpa(range.start));
                self.loads.push(Load { image, offset: 0, size_bytes, gpa, seeds: vec![] });
                Some((range.start, range))
            }
            Ok(Image::Raw | Image::Gzip) => {
                let guest = LoadSpec { kind: LoadKind::Guest, ..load.clone() };
                let range = match load.address {
                    Some(_) => self.at_address(&guest, bytes)?,
                    None => self.first_free(&guest, bytes)?,
                };
                Some((range.start, range))
            }
        }
    }

    /// Takes the memory of every segment and returns the range from the first to the last.
    fn elf(&mut self, load: &LoadSpec, segments: &[loader::Segment]) -> Option<Range> {
        let name = file_name(&load.path.value);
        let lowest = segments.iter().map(|segment| segment.address).min()?;
        if let Some(address) = load.address.as_ref().filter(|address| address.value != lowest) {
            let message = format!("`{name}` is linked to run at {lowest:#x}, not at {:#x}", address.value);
            let hint = "leave the address out, or link the program for this one";
            self.diagnostics.push(Diagnostic::error(codes::NO_ROOM, message).at(address.span).hint(hint));
            return None;
        }
        let mut whole = Range { start: lowest, end: lowest };
        let mut good = true;
        for segment in segments {
            let range = Range::new(segment.address, segment.memory_bytes)?;
            good &= self.take(load, range, &format!("a segment of `{name}`"));
            whole.end = whole.end.max(range.end);
        }
        good.then_some(whole)
    }

    /// Takes the memory of an arm64 `Image`.
    fn linux(&mut self, load: &LoadSpec, linux: &Linux) -> Option<Range> {
        let slack = if linux.size_is_a_guess { OLD_KERNEL_SLACK_BYTES } else { 0 };
        let size = linux.memory_bytes.saturating_add(slack);
        let start = match &load.address {
            None => self.floor.find(size, ANYWHERE, |from| linux.first_start(from)),
            Some(address) if linux.may_start_at(address.value) => Some(address.value),
            Some(address) => {
                let start = address.value;
                let message = format!("this kernel cannot start at {start:#x}");
                let offset = linux.text_offset;
                let near = linux.first_start(start).unwrap_or(offset);
                let wants = match offset {
                    0 => "a multiple of 2 MiB".to_owned(),
                    _ => format!("a multiple of 2 MiB plus {offset:#x}"),
                };
                let hint = format!("it wants {wants}: leave the address out or write {near:#x}");
                self.diagnostics.push(Diagnostic::error(codes::NO_ROOM, message).at(address.span).hint(hint));
                return None;
            }
        };
        let Some(start) = start else { return self.no_room(load, size, " at a multiple of 2 MiB") };
        let range = self.range(load, start, size)?;
        self.take(load, range, &format!("`{}`", file_name(&load.path.value))).then_some(range)
    }

    fn take(&mut self, load: &LoadSpec, range: Range, what: &str) -> bool {
        self.floor.take(range, what, load.path.span, self.diagnostics)
    }

    fn range(&mut self, load: &LoadSpec, start: u64, size: u64) -> Option<Range> {
        let range = Range::new(start, size);
        if range.is_none() {
            let message = format!("`{}` ends beyond the address space", file_name(&load.path.value));
            self.diagnostics.push(Diagnostic::error(codes::NO_ROOM, message).at(load.span));
        }
        range
    }

    fn no_room<T>(&mut self, load: &LoadSpec, size: u64, condition: &str) -> Option<T> {
        let name = file_name(&load.path.value);
        let message =
            format!("there is no room for `{name}`: it takes {size:#x} bytes of free RAM in one piece{condition}");
        let error = Diagnostic::error(codes::NO_ROOM, message).at(load.path.span);
        self.diagnostics.push(error.hint(self.floor.describe()));
        None
    }
}

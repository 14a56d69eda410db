//! Puts one file after the other into a VM's memory, each by the rules of its format.

use loader::{BzImage, Flat, Image, Linux, Protocol, Segment};
use model::{Gpa, PAGE_BYTES, images::Kind};

use super::Load;
use super::claims::Range;
use super::files::{Files, file_name};
use super::floor::{ANYWHERE, Floor};
use super::guest::Given;
use super::pc::{self, How};
use super::protocol::Program;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{LoadKind, LoadSpec};

/// Kernels before 3.17 do not say how much memory they use after the file's end; none needed more `.bss` than this.
const OLD_KERNEL_SLACK_BYTES: u64 = 16 << 20;

/// What placing needs at hand.
pub(super) struct Placer<'a> {
    pub(super) floor: &'a mut Floor,
    pub(super) files: &'a mut Files,
    pub(super) diagnostics: &'a mut Diagnostics,
    pub(super) given: &'a Given<'a>,
    pub(super) loads: Vec<Load>,
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
            LoadKind::Sniffed | LoadKind::Data | LoadKind::Fdt | LoadKind::Acpi => Kind::Data,
        };
        let image = self.files.blob(&name, kind, bytes);
        self.loads.push(Load { image, offset: 0, size_bytes: size, gpa: Gpa(start), seeds: vec![] });
        Some(range)
    }

    pub(super) fn at_address(&mut self, load: &LoadSpec, bytes: Vec<u8>) -> Option<Range> {
        self.put(load, bytes, load.address.as_ref()?.value)
    }

    pub(super) fn first_free(&mut self, load: &LoadSpec, bytes: Vec<u8>) -> Option<Range> {
        let size = bytes.len() as u64;
        match self.floor.find_aligned(size, ANYWHERE, PAGE_BYTES) {
            Some(start) => self.put(load, bytes, start),
            None => self.no_room(load, size, ""),
        }
    }

    /// A RAM disk: at the first place that its kernel likes.
    pub(super) fn initrd(&mut self, load: &LoadSpec, bytes: Vec<u8>, program: &Program) -> Option<Range> {
        let size = bytes.len() as u64;
        let mut places = program.initrd_places().into_iter();
        match places.find_map(|within| self.floor.find_aligned(size, within, PAGE_BYTES)) {
            Some(start) => self.put(load, bytes, start),
            None => self.no_room(load, size, " that the kernel can reach"),
        }
    }

    /// The guest's program.
    pub(super) fn program(&mut self, load: &LoadSpec, bytes: Vec<u8>) -> Option<Program> {
        let name = file_name(&load.path.value);
        match loader::inspect(&bytes, self.given.cpu) {
            Err(error) => {
                self.diagnostics.push(bad_image(load, &error.to_string(), error.hint()));
                None
            }
            Ok(Image::Elf(elf)) => {
                let (entry, segments) = (elf.entry, elf.segments().collect::<Vec<_>>());
                let how = match elf.protocol {
                    Protocol::Plain => How::Plain,
                    Protocol::Plain32 => How::Plain32,
                    Protocol::Pvh => How::Pvh,
                    Protocol::Multiboot(multiboot) => How::Multiboot(multiboot),
                };
                self.linked(load, (bytes, &segments), entry, how)
            }
            Ok(Image::Multiboot(Flat { entry, segment, multiboot })) => {
                self.linked(load, (bytes, &[segment]), entry, How::Multiboot(multiboot))
            }
            Ok(Image::BzImage(kernel)) => {
                let range = self.bzimage(load, &kernel)?;
                let how = How::Linux(pc::Setup::new(&kernel));
                let (pc, segment) = (kernel.entry(range.start)?, kernel.segment(range.start)?);
                let image = self.files.blob(&name, Kind::Guest, bytes);
                self.loads.push(of_segment(image, &segment));
                Some(Program { pc, range, linux: None, how })
            }
            Ok(Image::Linux(linux)) => {
                let range = self.linux(load, &linux)?;
                let image = self.files.blob(&name, Kind::Guest, bytes);
                let (size_bytes, gpa) = (linux.file_bytes, Gpa(range.start));
                self.loads.push(Load { image, offset: 0, size_bytes, gpa, seeds: vec![] });
                let program = Program { pc: range.start, range, linux: Some(linux), how: How::Plain };
                program.check_base(load, self.floor, self.diagnostics);
                program.check_pages(load, self.given.pages_kib, self.diagnostics);
                Some(program)
            }
            Ok(Image::Raw | Image::Gzip) => {
                let guest = LoadSpec { kind: LoadKind::Guest, ..load.clone() };
                let range = match load.address {
                    Some(_) => self.at_address(&guest, bytes)?,
                    None => self.first_free(&guest, bytes)?,
                };
                Some(Program { pc: range.start, range, linux: None, how: How::Raw })
            }
        }
    }

    /// A program that goes where it is linked.
    fn linked(
        &mut self,
        load: &LoadSpec,
        (bytes, segments): (Vec<u8>, &[Segment]),
        pc: u64,
        how: How,
    ) -> Option<Program> {
        let range = self.elf(load, segments)?;
        let image = self.files.blob(&file_name(&load.path.value), Kind::Guest, bytes);
        let filled = segments.iter().filter(|segment| segment.file_bytes > 0);
        self.loads.extend(filled.map(|segment| of_segment(image, segment)));
        Some(Program { pc, range, linux: None, how })
    }

    /// Takes the memory of every segment and returns the range from the first to the last.
    fn elf(&mut self, load: &LoadSpec, segments: &[Segment]) -> Option<Range> {
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
        self.take(load, range, &format!("`{}`", file_name(&load.path.value))).then_some(())?;
        if !self.floor.is_ram(range) {
            let error = Diagnostic::error(codes::NO_ROOM, "a Linux kernel cannot run in `rom`").at(load.path.span);
            self.diagnostics.push(error.hint("it writes to its own memory: put it in `ram`"));
            return None;
        }
        Some(range)
    }

    /// Takes the memory of a `bzImage`, below 4 GiB, where all of them can be.
    fn bzimage(&mut self, load: &LoadSpec, kernel: &BzImage) -> Option<Range> {
        let size = kernel.memory_bytes;
        let start = match &load.address {
            None => self.floor.find(size, pc::BELOW_4G, |from| kernel.first_start(from)),
            Some(address) if kernel.may_start_at(address.value) => Some(address.value),
            Some(address) => {
                let message = format!("this kernel cannot start at {:#x}", address.value);
                let hint = match kernel.alignment {
                    Some(alignment) => format!(
                        "it wants a multiple of {alignment:#x}, from {:#x} on: leave the address out",
                        kernel.preferred
                    ),
                    None => format!("it runs at {:#x} only: leave the address out", kernel.preferred),
                };
                self.diagnostics.push(Diagnostic::error(codes::NO_ROOM, message).at(address.span).hint(hint));
                return None;
            }
        };
        let Some(start) = start else { return self.no_room(load, size, &pc::wish(kernel)) };
        let range = self.range(load, start, size)?;
        self.take(load, range, &format!("`{}`", file_name(&load.path.value))).then_some(())?;
        if !self.floor.is_ram(range) {
            let error = Diagnostic::error(codes::NO_ROOM, "a Linux kernel cannot run in `rom`").at(load.path.span);
            self.diagnostics.push(error.hint("it writes to its own memory: put it in `ram`"));
            return None;
        }
        Some(range)
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

/// The copy of one segment.
fn of_segment(image: u16, segment: &Segment) -> Load {
    let gpa = Gpa(segment.address);
    Load { image, offset: segment.file_offset, size_bytes: segment.file_bytes, gpa, seeds: vec![] }
}

/// A complaint about what is in a file.
pub(super) fn bad_image(load: &LoadSpec, message: &str, hint: Option<&str>) -> Diagnostic {
    let message = format!("`{}`: {message}", file_name(&load.path.value));
    let error = Diagnostic::error(codes::BAD_IMAGE, message).at(load.path.span);
    hint.into_iter().fold(error, Diagnostic::hint)
}

//! What an x86 guest has: a PC, as its firmware and its boot loader would leave it.
//!
//! | part | here |
//! |---|---|
//! | interrupt controllers, vdevs, and which ports and lines they have | `devices` |
//! | the memory map that the guest is told | `map` |
//! | ACPI's tables | `acpi` |
//! | how the program starts, and what it finds in memory then | `how`, `boot` |
//! | the consoles that the command line names | `uarts` |

mod acpi;
mod boot;
mod devices;
mod how;
mod map;
mod uarts;

use model::images::Kind;
use model::{Access, Gpa, Machine, Memory};

use super::claims::{Claims, Range};
use super::files::Images;
use super::floor::Floor;
use super::guest::{Body, Job, initrd};
use super::memory::{self, Region};
use super::{Load, home, place, unread};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{LoadKind, VmSpec};

pub(super) use how::{How, Setup, wish};

/// Where everything is that is told of in 32 bits.
pub(super) const BELOW_4G: Range = Range { start: 0, end: 1 << 32 };
/// The vectors and the data area of a BIOS, which programs in real mode write to: nothing is put there by itself.
const BIOS_DATA: Range = Range { start: 0, end: 0x1000 };
/// Below 1 MiB programs look for the RSDP here (ACPI 6.5, 5.2.5.1).
const RSDP_AREA: Range = Range { start: 0xe_0000, end: 0x10_0000 };
/// Where a PC has its devices in memory, up to 4 GiB: no RAM.
const DEVICE_HOLE: Range = Range { start: 0xf800_0000, end: 1 << 32 };

/// The VM of `job`. Reports all that is wrong with it.
pub(super) fn body(job: &mut Job) -> Option<Body> {
    let Job { name, spec, vcpus, given, .. } = *job;
    let (passing, files, diagnostics) = (&mut *job.passing, &mut *job.files, &mut *job.diagnostics);
    let before = diagnostics.errors();
    let mut claims = Claims::default();
    let regions = memory::place(spec, &mut claims, diagnostics);
    // The first 2 MiB are in pieces on every PC.
    memory::warn_of_small_pages(&regions, memory::LARGE_PAGE_BYTES, diagnostics);
    let devices = match check_hole(&regions, diagnostics) {
        true => devices::make(spec, vcpus, &mut claims, diagnostics),
        false => None,
    };
    let (machine, vdevs, mut lines, mut ports) = devices?;
    devices::check_passed_lines(spec, diagnostics);
    let passed = passing.vm(spec, &mut claims, &mut lines, &mut ports, diagnostics);
    let told = passing.told(&passed);
    let memory: Vec<Memory> = memory::joined(&regions).iter().map(Memory::from).collect();
    if let Some(cmdline) = &spec.cmdline {
        uarts::check(cmdline, &vdevs, &passed.ports, given.sources, diagnostics);
    }

    let mut floor = Floor::new(spec, &regions);
    floor.keep_off(Some(BIOS_DATA));
    let placed = match files.images {
        Images::Read => place::place(spec, given, &mut floor, files, diagnostics),
        Images::Absent => unread::place(spec, &floor, diagnostics),
    };
    let initrd = initrd(spec, &passed, placed.as_ref().and_then(|placed| placed.initrd), diagnostics);
    let extra = if files.images == Images::Read { acpi::user_tables(spec, files, diagnostics) } else { Vec::new() };
    if diagnostics.errors() > before {
        return None;
    }
    let placed = placed?;
    let (mut loads, program) = (placed.loads, placed.program);
    check_low_memory(spec, &program.how, &floor, diagnostics);

    let facts = acpi::Facts { machine: &machine, vcpus, vdevs: &vdevs, passed: &told, window: window(&claims), extra };
    let tables = acpi::place(&facts, spec, &mut floor, diagnostics)?;
    let map = map::of(&regions, &passed.memory, &memory::reserved(spec), &tables.areas);
    let told = boot::Told {
        cmdline: spec.cmdline.as_ref().map(|cmdline| cmdline.value.as_str()),
        map: &map,
        rsdp: tables.rsdp,
        rsdp_bytes: &tables.rsdp_bytes,
        initrd,
        modules: initrd.map(|range| ("initrd".to_owned(), range)).into_iter().chain(placed.data).collect(),
    };
    if files.images == Images::Read {
        boot::check_cmdline(spec, &program.how, diagnostics)?;
    }
    let boot = boot::place(&program, &told, &mut floor, home(spec), diagnostics)?;
    let blobs = tables.blobs.into_iter().map(|blob| ("acpi", blob)).chain(boot.block.map(|blob| ("boot", blob)));
    let read = files.images == Images::Read;
    for (what, blob) in blobs.filter(|_| read) {
        let size_bytes = blob.bytes.len() as u64;
        let image = files.blob(&format!("{name}.{what}"), Kind::Firmware, blob.bytes);
        loads.push(Load { image, offset: 0, size_bytes, gpa: Gpa(blob.start), seeds: blob.seeds });
    }
    Some(Body {
        machine: Machine::Pc(machine),
        memory,
        vdevs,
        loads,
        entry: boot.start,
        passed,
        stolen_time: None,
        tree: None,
        acpi: tables.tables,
    })
}

/// Bytes in a place of the guest's memory.
struct Blob {
    start: u64,
    bytes: Vec<u8>,
    seeds: Vec<model::Seed>,
}

/// Whether no RAM is where a PC has its devices; if not, that is reported.
fn check_hole(regions: &[Region], diagnostics: &mut Diagnostics) -> bool {
    let Some(region) = regions.iter().find(|region| region.range.overlaps(DEVICE_HOLE)) else { return true };
    let what = if region.access == Access::ReadWrite { "`ram`" } else { "`rom`" };
    let message = format!("{what} ({}) is where a PC has its devices ({DEVICE_HOLE})", region.range);
    let low = DEVICE_HOLE.start.saturating_sub(region.range.start) >> 20;
    let hint = match region.range.start < DEVICE_HOLE.start && region.range.end > DEVICE_HOLE.start {
        true => format!(
            "end it below, and go on above 4 GiB: `{:#x},{low}M` and `4096M,{}M`",
            region.range.start,
            (region.range.size() >> 20) - low
        ),
        false => "move it below, or above 4 GiB: `ram 4096M,LENGTH`".to_owned(),
    };
    diagnostics.push(Diagnostic::error(codes::DEVICE_HOLE, message).at(region.span).hint(hint));
    false
}

/// Warns of a Linux kernel without the memory that it starts its CPUs with, and of one without memory at 1 MiB.
fn check_low_memory(spec: &VmSpec, how: &How, floor: &Floor, diagnostics: &mut Diagnostics) {
    if !matches!(how, How::Linux(_) | How::Pvh) {
        return;
    }
    let is_ram = |start, size| Range::new(start, size).is_some_and(|range| floor.is_ram(range));
    let missing = match (is_ram(0x1000, 0x8_0000), is_ram(0x10_0000, 0x1000)) {
        (true, true) => return,
        (false, _) => "below 640 KiB, where Linux begins its CPUs in real mode",
        (true, false) => "at 1 MiB",
    };
    let warning = Diagnostic::warning(codes::LOW_MEMORY, format!("this VM has no RAM {missing}"));
    let span = spec.memory.first().map_or(home(spec), |memory| memory.span);
    let hint = "a PC's memory is `ram 0,0xa0000 rom 0xc0000,0x40000 ram 1M,LENGTH`";
    diagnostics.push(warning.at(span).hint(hint));
}

/// Free addresses below a PC's devices for those of its PCI bus; `None` if RAM takes them all.
fn window(claims: &Claims) -> Option<Range> {
    const ALIGNMENT: u64 = 16 << 20;
    let below = |address: u64| claims.ends().filter(|&end| end <= address).max().unwrap_or(0);
    let start = below(DEVICE_HOLE.start).max(0x8000_0000).checked_next_multiple_of(ALIGNMENT)?;
    let window = Range { start, end: DEVICE_HOLE.start };
    (start < window.end && claims.obstacle(window, &[]).is_none()).then_some(window)
}

/// The tables that `acpi load` names.
fn acpi_loads(spec: &VmSpec) -> impl Iterator<Item = &crate::spec::LoadSpec> {
    spec.loads.iter().filter(|load| load.kind == LoadKind::Acpi)
}

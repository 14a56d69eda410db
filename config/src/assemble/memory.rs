//! Where a VM's `ram` and `rom` are.

use model::{Access, Gpa, Memory, PAGE_BYTES};

use super::claims::{Claims, Range};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{MemorySpec, ReserveSpec, Span, VmSpec};

/// One `ram` or `rom` with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) range: Range,
    pub(super) access: Access,
    pub(super) span: Span,
}

/// Places the memory of one VM, sorted by address. A range without a start comes directly after the highest one so far, the first at 0,
/// as in qvm; what `reserve` names is skipped.
pub(super) fn place(spec: &VmSpec, claims: &mut Claims, diagnostics: &mut Diagnostics) -> Vec<Region> {
    let reserved = reserved(spec);
    let mut regions: Vec<Region> = Vec::new();
    for memory in &spec.memory {
        let highest = regions.iter().map(|region| region.range.end).max().unwrap_or(0);
        let size = memory.size_bytes.value;
        let start = memory.start.map_or_else(|| after(highest, size, &reserved), |start| start.value);
        let what = if memory.read_only { "`rom`" } else { "`ram`" };
        if let Some(range) = claims.claim((start, size), what, Some(memory.span), diagnostics) {
            regions.push(Region { range, access: access(memory), span: memory.span });
        }
    }
    regions.sort_by_key(|region| region.range.start);
    regions
}

/// Size of a large second-stage page (DDI 0487, D8.2: a level 2 block with the 4 KiB granule).
pub(super) const LARGE_PAGE_BYTES: u64 = 2 << 20;

/// Warns of memory that begins or ends within a large page: that part is mapped in pages of 4 KiB, which take a table more
/// and fill the TLB. Memory that is smaller than a large page is meant to be.
/// Nobody chooses how memory below `from` lies, which is a multiple of a large page.
pub(super) fn warn_of_small_pages(regions: &[Region], from: u64, diagnostics: &mut Diagnostics) {
    for Region { range, span, .. } in joined(regions) {
        let range = Range { start: range.start.max(from), ..range };
        if range.start >= range.end {
            continue;
        }
        let first = range.start.next_multiple_of(LARGE_PAGE_BYTES);
        let last = range.end - range.end % LARGE_PAGE_BYTES;
        let small = match first < last {
            true => (first - range.start) + (range.end - last),
            false => range.size(),
        };
        if range.size() < LARGE_PAGE_BYTES || small == 0 {
            continue;
        }
        let pages = small / PAGE_BYTES;
        let message =
            format!("{pages} pages of this memory ({range}) are mapped as 4 KiB each, since it is not in whole 2 MiB");
        let down = range.start - range.start % LARGE_PAGE_BYTES;
        let start = match down == range.start {
            true => String::new(),
            false => format!("begin at {down:#x} or {first:#x}"),
        };
        let length = range.size() - range.size() % LARGE_PAGE_BYTES;
        let length = match length == range.size() {
            true => String::new(),
            false => format!("make it {}M or {}M long", length >> 20, (length + LARGE_PAGE_BYTES) >> 20),
        };
        let and = if start.is_empty() || length.is_empty() { "" } else { " and " };
        let hint = format!("for large pages, {start}{and}{length}");
        diagnostics.push(Diagnostic::warning(codes::SMALL_PAGES, message).at(span).hint(hint));
    }
}

/// What `reserve loc` names.
pub(super) fn reserved(spec: &VmSpec) -> Vec<Range> {
    let memory = spec.reserves.iter().filter_map(|reserve| match reserve {
        ReserveSpec::Memory { start, size_bytes } => Range::new(start.value, size_bytes.value),
        ReserveSpec::Interrupt(_) | ReserveSpec::Pci(_) => None,
    });
    memory.collect()
}

/// The regions with neighbours of one kind joined, which allows larger second-stage blocks.
pub(super) fn joined(regions: &[Region]) -> Vec<Region> {
    let mut joined: Vec<Region> = Vec::new();
    for region in regions {
        match joined.last_mut() {
            Some(last) if last.range.end == region.range.start && last.access == region.access => {
                last.range.end = region.range.end;
            }
            _ => joined.push(*region),
        }
    }
    joined
}

impl From<&Region> for Memory {
    fn from(region: &Region) -> Memory {
        Memory { gpa: Gpa(region.range.start), size_bytes: region.range.size(), access: region.access }
    }
}

fn access(memory: &MemorySpec) -> Access {
    if memory.read_only { Access::ReadOnly } else { Access::ReadWrite }
}

/// The first start at or above `start` where `size` bytes keep off everything in `reserved`.
fn after(mut start: u64, size: u64, reserved: &[Range]) -> u64 {
    let obstacle = |start| Range::new(start, size).and_then(|range| reserved.iter().find(|r| r.overlaps(range)));
    while let Some(obstacle) = obstacle(start) {
        start = obstacle.end.next_multiple_of(PAGE_BYTES);
    }
    start
}

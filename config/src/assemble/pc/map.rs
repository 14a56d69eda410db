//! The memory map that a guest is told: what `ram` says, less what `reserve` names and what tables are in. ROM is not in it.

use model::Access;

use crate::assemble::claims::Range;
use crate::assemble::memory::Region;

/// What a range is for. The numbers are those of ACPI 6.5 (15.1), Linux's e820, PVH and multiboot alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    Ram = 1,
    /// Tables of ACPI, which are RAM once they were read.
    Acpi = 3,
    /// What ACPI's tables write to.
    AcpiNvs = 4,
}

/// One range of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) range: Range,
    pub(super) kind: Kind,
}

/// The map, sorted. `passed` is ordinary memory of the guest's, too; `areas` are in RAM or in ROM.
pub(super) fn of(regions: &[Region], passed: &[Range], reserved: &[Range], areas: &[Entry]) -> Vec<Entry> {
    let ram = regions.iter().filter(|region| region.access == Access::ReadWrite).map(|region| region.range);
    let mut map: Vec<Range> = ram.chain(passed.iter().copied()).collect();
    for hole in reserved.iter().copied().chain(areas.iter().map(|area| area.range)) {
        map = map.into_iter().flat_map(|range| without(range, hole)).collect();
    }
    let mut map: Vec<Entry> = map.into_iter().map(|range| Entry { range, kind: Kind::Ram }).collect();
    map.extend(areas);
    map.sort_by_key(|entry| entry.range.start);
    // Neighbours of one kind are one.
    map.dedup_by(|next, last| {
        let joins = next.kind == last.kind && next.range.start == last.range.end;
        if joins {
            last.range.end = next.range.end;
        }
        joins
    });
    map
}

/// What is left of `range` on both sides of `hole`.
fn without(range: Range, hole: Range) -> impl Iterator<Item = Range> {
    let below = Range { end: range.end.min(hole.start), ..range };
    let above = Range { start: range.start.max(hole.end), ..range };
    let pieces = match range.overlaps(hole) {
        true => [below, above],
        false => [range, Range { start: 0, end: 0 }],
    };
    pieces.into_iter().filter(|piece| piece.start < piece.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{FileId, Span};

    #[test]
    fn holes_are_cut_out_of_ram_and_rom_is_left_out() {
        let range = |start, end| Range { start, end };
        let region = |start, end, access| Region {
            range: range(start, end),
            access,
            span: Span { file: FileId(0), start: 0, end: 0 },
        };
        let regions = [
            region(0, 0xa_0000, Access::ReadWrite),
            region(0xc_0000, 0x10_0000, Access::ReadOnly),
            region(0x10_0000, 0x80_0000, Access::ReadWrite),
        ];
        let area = |start, end, kind| Entry { range: range(start, end), kind };
        let areas = [area(0x9_e000, 0x9_f000, Kind::AcpiNvs), area(0x9_f000, 0xa_0000, Kind::Acpi)];
        let map = of(&regions, &[range(0x80_0000, 0x81_0000)], &[range(0x20_0000, 0x30_0000)], &areas);
        let expected = [
            area(0, 0x9_e000, Kind::Ram),
            area(0x9_e000, 0x9_f000, Kind::AcpiNvs),
            area(0x9_f000, 0xa_0000, Kind::Acpi),
            area(0x10_0000, 0x20_0000, Kind::Ram),
            area(0x30_0000, 0x81_0000, Kind::Ram),
        ];
        assert_eq!(map, expected);
    }
}

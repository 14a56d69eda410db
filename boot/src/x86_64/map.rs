//! The boot protocol's map of memory, boiled down: RAM that is free, and what of the rest lies in it.

use model::{Hpa, PAGE_BYTES};

use super::hardware::{Facts, Fault};
use crate::facts::{Region, Reserved};

/// Real mode's memory, in which firmware has tables and vectors of its own. Ostler takes one page of it.
const LOW_END: u64 = 0xa_0000;
/// Below is what every CPU's real mode has: vectors, the BIOS's data.
const LOW_FIRST: u64 = 0x1000;

/// A range of the map. The types' numbers are E820's, in all protocols (ACPI 15.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// First byte.
    pub(super) start: u64,
    /// Length in bytes.
    pub(super) size: u64,
    /// 1 is RAM; anything else is not ours, be it ACPI's tables (3), which an operating system could take.
    pub(super) kind: u32,
}

impl Range {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.size)
    }

    fn is_ram(&self) -> bool {
        self.kind == 1
    }
}

/// Takes the map over. Ranges of RAM lose the parts of pages at their ends.
pub(super) fn take(facts: &mut Facts, ranges: impl Iterator<Item = Range> + Clone) -> Result<(), Fault> {
    for range in ranges.clone().filter(Range::is_ram) {
        let start = range.start.checked_next_multiple_of(PAGE_BYTES);
        let size = start.and_then(|start| (range.end() & !(PAGE_BYTES - 1)).checked_sub(start));
        if let (Some(start), Some(size_bytes @ 1..)) = (start, size) {
            let region = Region { start: Hpa(start), size_bytes };
            facts.memory.try_push(region).map_err(|_| Fault::TooMany("ranges of memory"))?;
        }
    }
    // Those that lie in RAM are kept out of it; the others are no memory of ours anyway.
    for range in ranges.filter(|range| !range.is_ram()) {
        if facts.memory.iter().any(|memory| memory.start.0 < range.end() && range.start < memory.end().0) {
            reserve(facts, range.start, range.size)?;
        }
    }
    Ok(())
}

/// Keeps `size` bytes at `start`, whole pages around them.
pub(super) fn reserve(facts: &mut Facts, start: u64, size: u64) -> Result<(), Fault> {
    let first = start & !(PAGE_BYTES - 1);
    let end = start.saturating_add(size).checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX);
    let region = Region { start: Hpa(first), size_bytes: end.saturating_sub(first) };
    let reserved = Reserved { region, no_map: false };
    if region.size_bytes == 0 || facts.reserved.contains(&reserved) {
        return Ok(());
    }
    facts.reserved.try_push(reserved).map_err(|_| Fault::TooMany("reserved ranges"))
}

/// Real mode's memory is reserved, but its last free page serves CPUs that start there. When all else is reserved.
pub(super) fn keep_low(facts: &mut Facts) -> Result<(), Fault> {
    let is_free = |page: u64| {
        let end = page.saturating_add(PAGE_BYTES);
        facts.memory.iter().any(|memory| memory.start.0 <= page && end <= memory.end().0)
            && !facts.reserved.iter().any(|kept| kept.region.start.0 < end && page < kept.region.end().0)
    };
    let mut pages = (LOW_FIRST / PAGE_BYTES..LOW_END / PAGE_BYTES).rev().map(|page| page.saturating_mul(PAGE_BYTES));
    facts.hardware.board.trampoline = pages.find(|&page| is_free(page)).map(Hpa);
    if facts.memory.iter().any(|memory| memory.start.0 < LOW_END) {
        reserve(facts, 0, LOW_END)?;
    }
    Ok(())
}

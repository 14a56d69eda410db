//! Free and taken places in one VM's memory while images are put there.

use model::Access;

use super::claims::Range;
use super::memory::{self, Region};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{Span, VmSpec};

/// The memory of one VM and what lies in it so far.
#[derive(Debug)]
pub(super) struct Floor {
    /// Joined, sorted.
    memory: Vec<Region>,
    /// What automatic placement keeps off.
    reserved: Vec<Range>,
    taken: Vec<Taken>,
}

#[derive(Debug)]
struct Taken {
    range: Range,
    what: String,
    span: Span,
}

impl Floor {
    pub(super) fn new(spec: &VmSpec, regions: &[Region]) -> Floor {
        Floor { memory: memory::joined(regions), reserved: memory::reserved(spec), taken: Vec::new() }
    }

    /// Keeps automatic placement off `range` too.
    pub(super) fn keep_off(&mut self, range: Option<Range>) {
        self.reserved.extend(range);
    }

    /// Puts `what` at `range`. Reports and gives `false` if that is not inside one range of memory, or not free.
    pub(super) fn take(&mut self, range: Range, what: &str, span: Span, diagnostics: &mut Diagnostics) -> bool {
        if !self.memory.iter().any(|region| region.range.contains(range)) {
            let message = format!("{what} ({range}) lies outside of the VM's memory");
            let error = Diagnostic::error(codes::NO_ROOM, message).at(span).hint(self.describe());
            let near = self.memory.iter().find(|region| region.range.overlaps(range));
            diagnostics.push(near.iter().fold(error, |error, near| error.label(near.span, "it lies partly in this")));
            return false;
        }
        if let Some(first) = self.taken.iter().find(|taken| taken.range.overlaps(range)) {
            let message = format!("{what} ({range}) overlaps {} ({})", first.what, first.range);
            let error = Diagnostic::error(codes::OVERLAP, message).at(span);
            let other = first.span != span;
            diagnostics.push(if other { error.label(first.span, "first claimed here") } else { error });
            return false;
        }
        self.taken.push(Taken { range, what: what.to_owned(), span });
        true
    }

    /// Whether an image can begin at `start`, whatever its length; if not, that is reported.
    pub(super) fn may_begin(&self, start: u64, what: &str, span: Span, diagnostics: &mut Diagnostics) {
        let first = Range { start, end: start.saturating_add(1) };
        if !self.memory.iter().any(|region| region.range.contains(first)) {
            let message = format!("{what} at {start:#x} lies outside of the VM's memory");
            diagnostics.push(Diagnostic::error(codes::NO_ROOM, message).at(span).hint(self.describe()));
        }
    }

    /// The first start in RAM at or above `within.start` where `size` bytes are free, end by `within.end`, and
    /// keep off reserved ranges. `next` is the first start at or above a given address that would do otherwise.
    pub(super) fn find(&self, size: u64, within: Range, next: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        self.find_in(self.ram(), size, within, next)
    }

    fn find_in<'a>(
        &self,
        mut memory: impl Iterator<Item = &'a Region>,
        size: u64,
        within: Range,
        next: impl Fn(u64) -> Option<u64>,
    ) -> Option<u64> {
        let obstacles = || self.reserved.iter().chain(self.taken.iter().map(|taken| &taken.range));
        memory.find_map(|region| {
            let end = region.range.end.min(within.end);
            let mut start = next(region.range.start.max(within.start))?;
            loop {
                let range = Range::new(start, size).filter(|range| range.end <= end)?;
                match obstacles().find(|obstacle| obstacle.overlaps(range)) {
                    Some(obstacle) => start = next(obstacle.end)?,
                    None => return Some(start),
                }
            }
        })
    }

    /// As [`Floor::find_aligned`], in ROM too.
    pub(super) fn find_memory(&self, size: u64, within: Range, alignment: u64) -> Option<u64> {
        self.find_in(self.memory.iter(), size, within, |from| from.checked_next_multiple_of(alignment))
    }

    /// The RAM, by address.
    pub(super) fn ram(&self) -> impl Iterator<Item = &Region> {
        self.memory.iter().filter(|region| region.access == Access::ReadWrite)
    }

    /// Whether all of `range` is RAM, in one piece.
    pub(super) fn is_ram(&self, range: Range) -> bool {
        self.ram().any(|ram| ram.range.contains(range))
    }

    /// As [`Floor::find`], with starts that are multiples of `alignment`.
    pub(super) fn find_aligned(&self, size: u64, within: Range, alignment: u64) -> Option<u64> {
        self.find(size, within, |from| from.checked_next_multiple_of(alignment))
    }

    /// The VM's memory in words.
    pub(super) fn describe(&self) -> String {
        if self.memory.is_empty() {
            return "this VM has no memory: give it some with `ram`".into();
        }
        let words = |region: &Region| match region.access {
            Access::ReadWrite => format!("ram from {}", region.range),
            Access::ReadOnly => format!("rom from {}", region.range),
        };
        format!("this VM has {}", self.memory.iter().map(words).collect::<Vec<_>>().join(", "))
    }
}

/// Everywhere.
pub(super) const ANYWHERE: Range = Range { start: 0, end: u64::MAX };

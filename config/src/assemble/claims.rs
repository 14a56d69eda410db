//! Who owns which guest-physical addresses of one VM.
//!
//! Configuration is the only authority over a guest's address space, so every address has one owner. Memory, the
//! interrupt controller's frames and the vdevs claim their ranges here; a second claim to an address is an error.

use std::fmt;

use model::PAGE_BYTES;

use crate::{codes, diagnostic::Diagnostic, diagnostic::Diagnostics, spec::Span};

/// Guest-physical addresses have this many bits: the least that an arm64 CPU's second stage offers and QEMU's
/// cortex-a53, a57 and a72 have (DDI 0487, ID_AA64MMFR0_EL1.PARange). Those of AMD with SVM have as many or more.
const ADDRESS_BITS: u32 = 40;

/// A run of guest-physical addresses, never empty when it is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// First byte.
    pub(super) start: u64,
    /// One past the last byte.
    pub(super) end: u64,
}

impl Range {
    /// `size` bytes from `start` on; `None` past the end of the address space.
    pub(super) fn new(start: u64, size: u64) -> Option<Range> {
        Some(Range { start, end: start.checked_add(size)? })
    }

    pub(super) fn overlaps(&self, other: Range) -> bool {
        self.start < other.end && other.start < self.end
    }

    pub(super) fn contains(&self, other: Range) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    pub(super) fn size(&self) -> u64 {
        self.end - self.start
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x} to {:#x}", self.start, self.end.wrapping_sub(1))
    }
}

/// The claims of one VM so far.
#[derive(Debug, Default)]
pub(super) struct Claims {
    list: Vec<Claim>,
}

/// Who has a range.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) range: Range,
    pub(super) what: String,
    /// Where that is said; `None` for a default.
    pub(super) span: Option<Span>,
}

impl Claims {
    /// Claims `size` bytes from `start` on for `what`. `span` is where that was written; `None` for a default.
    /// Reports and gives `None` if the range ends beyond the address space or is not free.
    pub(super) fn claim(
        &mut self,
        (start, size): (u64, u64),
        what: &str,
        span: Option<Span>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Range> {
        let range = Range::new(start, size).filter(|range| range.end <= 1 << ADDRESS_BITS);
        let Some(range) = range else {
            let message = format!("{what} at {start:#x} ends beyond the guest-physical address space");
            let hint = format!(
                "guest-physical addresses have {ADDRESS_BITS} bits: the last one is {:#x}",
                (1_u64 << ADDRESS_BITS) - 1
            );
            let error = Diagnostic::error(codes::BAD_RANGE, message).hint(hint);
            diagnostics.push(span.into_iter().fold(error, Diagnostic::at));
            return None;
        };
        if let Some(first) = self.list.iter().find(|claim| claim.range.overlaps(range)) {
            let message = format!("{what} ({range}) overlaps {} ({})", first.what, first.range);
            let mut overlap = Diagnostic::error(codes::OVERLAP, message);
            // A default has no text of its own: then the other one is underlined, since that is what can be changed.
            match (span, first.span) {
                (Some(span), Some(first)) => overlap = overlap.at(span).label(first, "first claimed here"),
                (Some(span), None) | (None, Some(span)) => overlap = overlap.at(span),
                (None, None) => {}
            }
            let hint = match first.what.contains("the GIC") || what.contains("the GIC") {
                true => Some("move one of them: `ram START,LENGTH` or `vdev gic loc ADDRESS`".to_owned()),
                false => {
                    self.free_above(range).map(|start| format!("the next place that is free begins at {start:#x}"))
                }
            };
            diagnostics.push(hint.into_iter().fold(overlap, Diagnostic::hint));
            return None;
        }
        self.list.push(Claim { range, what: what.to_owned(), span });
        Some(range)
    }

    /// What is in the way of `range`: something claimed, or one of `reserved`.
    pub(super) fn obstacle(&self, range: Range, reserved: &[Range]) -> Option<Range> {
        let claimed = self.list.iter().map(|claim| claim.range);
        claimed.chain(reserved.iter().copied()).find(|obstacle| obstacle.overlaps(range))
    }

    /// Whether every address of `range` has an owner.
    pub(super) fn cover(&self, range: Range) -> bool {
        let mut start = range.start;
        while let Some(claim) = self.at(start).filter(|_| start < range.end) {
            start = claim.range.end;
        }
        start >= range.end
    }

    /// One past the last address of each claim.
    pub(super) fn ends(&self) -> impl Iterator<Item = u64> {
        self.list.iter().map(|claim| claim.range.end)
    }

    /// What has `address`.
    pub(super) fn at(&self, address: u64) -> Option<&Claim> {
        self.list.iter().find(|claim| claim.range.start <= address && address < claim.range.end)
    }

    /// What is nearest to `address`.
    pub(super) fn nearest(&self, address: u64) -> Option<&Claim> {
        let distance = |claim: &&Claim| {
            claim.range.start.saturating_sub(address).max(address.saturating_sub(claim.range.end.saturating_sub(1)))
        };
        self.list.iter().min_by_key(distance)
    }

    /// The first page above the start of `range` where as many bytes are free.
    fn free_above(&self, range: Range) -> Option<u64> {
        let mut start = range.start;
        loop {
            let place = Range::new(start, range.size()).filter(|place| place.end <= 1 << ADDRESS_BITS)?;
            match self.obstacle(place, &[]) {
                Some(obstacle) => start = obstacle.end.checked_next_multiple_of(PAGE_BYTES)?,
                None => return Some(start),
            }
        }
    }

    /// The lowest multiple of `size` where `size` bytes are free. Never zero, which is what "no address" looks like.
    pub(super) fn first_gap(&self, size: u64, reserved: &[Range]) -> Option<u64> {
        let mut start = size;
        loop {
            let range = Range::new(start, size).filter(|range| range.end <= 1 << ADDRESS_BITS)?;
            match self.obstacle(range, reserved) {
                Some(obstacle) => start = obstacle.end.checked_next_multiple_of(size)?,
                None => return Some(start),
            }
        }
    }
}

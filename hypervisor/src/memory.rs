//! Host memory: what is free, and who gets it. Used while booting only; nothing is ever given back.
//!
//! The board's tree says what RAM there is and what of it is spoken for; the rest is a short list of spans. A demand
//! carries its alignment, so that guests get the large second-stage blocks that matter more than anything else.

use arrayvec::ArrayVec;
use model::{Hpa, PAGE_BYTES};

/// Free spans that can be kept apart. A board with more holes than this is refused, not misread.
const SPANS: usize = 64;

/// A run of host memory, `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl Span {
    /// `size` bytes at `start`, cut off at the end of the address space.
    pub const fn sized(start: u64, size: u64) -> Span {
        Span { start, end: start.saturating_add(size) }
    }

    /// Length in bytes.
    pub const fn size(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// More spans than [`SPANS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFragmented;

/// The free memory of the board, in whole pages.
#[derive(Clone, Debug)]
pub struct Pool {
    /// In no order.
    spans: ArrayVec<Span, SPANS>,
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool {
    /// A pool without memory.
    pub const fn new() -> Pool {
        Pool { spans: ArrayVec::new_const() }
    }

    /// The free spans.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Free bytes in all.
    pub fn free_bytes(&self) -> u64 {
        self.spans().iter().fold(0, |sum, span| sum.saturating_add(span.size()))
    }

    /// Adds RAM; parts of pages at its ends are left out.
    pub fn add(&mut self, ram: Span) -> Result<(), TooFragmented> {
        let start = ram.start.checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX);
        let span = Span { start, end: ram.end & !(PAGE_BYTES - 1) };
        if span.size() == 0 {
            return Ok(());
        }
        self.spans.try_push(span).map_err(|_| TooFragmented)
    }

    /// Takes `taken` out of the pool, with all of the pages that it touches.
    pub fn remove(&mut self, taken: Span) -> Result<(), TooFragmented> {
        let taken = Span {
            start: taken.start & !(PAGE_BYTES - 1),
            end: taken.end.checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX),
        };
        if taken.size() == 0 {
            return Ok(());
        }
        let mut index = 0;
        while let Some(span) = self.spans.get_mut(index) {
            let before = Span { start: span.start, end: span.end.min(taken.start) };
            let behind = Span { start: span.start.max(taken.end), end: span.end };
            match [before, behind].map(|part| part.size() != 0) {
                [true, true] => {
                    *span = before;
                    self.spans.try_push(behind).map_err(|_| TooFragmented)?;
                }
                [true, false] => *span = before,
                [false, true] => *span = behind,
                // The last one comes here, and is looked at next.
                [false, false] => {
                    self.spans.swap_pop(index);
                    continue;
                }
            }
            index = index.saturating_add(1);
        }
        Ok(())
    }

    /// Takes `size` bytes at a multiple of `align`, both rounded up to pages, from the highest place that fits:
    /// low memory is scarce on boards with devices that can reach no other.
    pub fn allocate(&mut self, size: u64, align: u64) -> Option<Hpa> {
        let size = size.max(1).checked_next_multiple_of(PAGE_BYTES)?;
        let align = align.max(PAGE_BYTES).checked_next_power_of_two()?;
        let fit = |span: &Span| {
            let start = span.end.checked_sub(size)? & align.wrapping_neg();
            (start >= span.start).then_some(start)
        };
        let start = self.spans().iter().filter_map(fit).max()?;
        self.remove(Span::sized(start, size)).ok()?;
        Some(Hpa(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reserved_memory_is_never_given_out() {
        let mut pool = Pool::new();
        pool.add(Span::sized(0x4000_0000, 0x10_0000)).unwrap();
        pool.remove(Span { start: 0x4000_1fff, end: 0x4000_2001 }).unwrap();
        assert_eq!(pool.spans(), [Span::sized(0x4000_0000, 0x1000), Span { start: 0x4000_3000, end: 0x4010_0000 }]);
        assert_eq!(pool.allocate(0x10_0000, 1), None);
        assert_eq!(pool.allocate(1, 0x8_0000), Some(Hpa(0x4008_0000)));
    }

    #[test]
    fn a_pool_that_would_shatter_says_so() {
        let mut pool = Pool::new();
        pool.add(Span::sized(0, 1 << 30)).unwrap();
        let result = (1..=64).try_for_each(|hole| pool.remove(Span::sized(hole * 0x10_0000, 1)));
        assert_eq!(result, Err(TooFragmented));
    }

    proptest! {
        #[test]
        fn what_is_given_out_was_free_and_is_aligned(
            holes in prop::collection::vec((0u64..0x400_0000, 0u64..0x10_0000), 0..8),
            demands in prop::collection::vec((1u64..0x40_0000, 0u32..24), 1..20),
        ) {
            let ram = Span::sized(0x4000_0000, 0x400_0000);
            let mut pool = Pool::new();
            pool.add(ram).unwrap();
            let mut taken: Vec<Span> = holes.iter().map(|&(at, size)| Span::sized(ram.start + at, size)).collect();
            for &hole in &taken {
                pool.remove(hole).unwrap();
            }
            for (size, align) in demands {
                let before = pool.free_bytes();
                if let Some(Hpa(start)) = pool.allocate(size, 1 << align) {
                    let given = Span::sized(start, size.next_multiple_of(PAGE_BYTES));
                    prop_assert_eq!(start % (1 << align), 0);
                    prop_assert!(given.start >= ram.start && given.end <= ram.end);
                    prop_assert!(taken.iter().all(|other| given.end <= other.start || other.end <= given.start
                        || other.size() == 0));
                    prop_assert_eq!(pool.free_bytes(), before - given.size());
                    taken.push(given);
                }
            }
        }
    }
}

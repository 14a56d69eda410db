//! One timer of an HPET: a comparator on the main counter (IA-PC HPET 1.0a, sections 2.3.8 and 2.3.9).
//!
//! What a store to the comparator of a periodic timer means while Tn_VAL_SET_CNF is set, the specification leaves open: it sets
//! the comparator, but the interval? Here it sets both. So does QEMU, and systems that store twice, as Linux does, and systems
//! that store once all get what they mean.

use super::registers::*;

/// One timer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    config: u64,
    comparator: u64,
    /// What a match adds to the comparator of a periodic timer: what was last stored to it.
    interval: u64,
}

impl Timer {
    pub(super) const fn new() -> Timer {
        Timer { config: 0, comparator: u64::MAX, interval: 0 }
    }

    pub(super) fn config(&self) -> u64 {
        self.config | CAN_BE_PERIODIC | IS_WIDE
    }

    /// `routes`: the interrupt lines that there are, one bit a line. Of a route to none of them nothing is kept.
    pub(super) fn set_config(&mut self, value: u64, routes: u32) {
        let route = ((value & ROUTE) >> ROUTE_SHIFT) as u32;
        let old = self.config & ROUTE;
        let kept = if routes & 1 << route != 0 { value & ROUTE } else { old };
        self.config = value & TIMER_KEPT & !ROUTE | kept;
    }

    pub(super) fn comparator(&self) -> u64 {
        self.comparator
    }

    /// A store of those bits of `value` that are in `mask`.
    pub(super) fn set_comparator(&mut self, value: u64, mask: u64) {
        if !self.is(PERIODIC) || self.is(SETS_VALUE) {
            self.comparator = self.comparator & !mask | value & mask;
        }
        self.interval = self.interval & !mask | value & mask;
        self.config &= !SETS_VALUE;
    }

    pub(super) fn is(&self, bit: u64) -> bool {
        self.config & bit != 0
    }

    /// The interrupt line that it is routed to.
    pub(super) fn route(&self) -> u32 {
        ((self.config & ROUTE) >> ROUTE_SHIFT) as u32
    }

    /// The counter goes from `counter` on by `passed`: whether it has met the comparator, however often.
    pub(super) fn advance(&mut self, counter: u64, passed: u64) -> bool {
        let beyond = self.distance(counter).and_then(|distance| passed.checked_sub(distance));
        if let (Some(beyond), Some(interval)) = (beyond, self.interval()) {
            let matches = beyond.checked_div(interval).unwrap_or(0).wrapping_add(1);
            let comparator = self.comparator.wrapping_add(matches.wrapping_mul(interval));
            self.comparator = self.comparator & !self.mask() | comparator & self.mask();
        }
        beyond.is_some()
    }

    /// Ticks until somebody has to look, because the counter, which is at `counter`, meets the comparator. From one match of a
    /// periodic timer to the next that is waited for there are at least `patience` ticks.
    pub(super) fn wait(&self, counter: u64, patience: u64) -> Option<u64> {
        let distance = self.distance(counter)?;
        let passed_over = self.interval().filter(|&interval| interval < patience).map_or(0, |interval| {
            // The last match was an interval before the comparator.
            patience.wrapping_sub(interval).div_ceil(interval).wrapping_mul(interval)
        });
        distance.checked_add(passed_over)
    }

    /// Ticks until the counter, which is at `counter`, meets the comparator, at least one; `None`: in 2^64.
    fn distance(&self, counter: u64) -> Option<u64> {
        let mask = self.mask();
        match self.comparator.wrapping_sub(counter) & mask {
            0 => mask.checked_add(1),
            distance => Some(distance),
        }
    }

    /// The interval of a periodic timer. Of zero it is one that is not.
    fn interval(&self) -> Option<u64> {
        Some(self.interval & self.mask()).filter(|&interval| self.is(PERIODIC) && interval > 0)
    }

    /// The bits that it compares.
    fn mask(&self) -> u64 {
        if self.is(NARROW) { u32::MAX.into() } else { u64::MAX }
    }
}

//! Time for devices: what the guest's counter says, and clocks that are made from it.

use core::num::{NonZeroU64, NonZeroU128};

/// A clock of `hz` that is told by a counter of `counter_hz`. Both are counted from one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    hz: NonZeroU64,
    counter_hz: NonZeroU64,
}

impl Clock {
    pub(crate) const fn new(hz: NonZeroU64, counter_hz: NonZeroU64) -> Clock {
        Clock { hz, counter_hz }
    }

    /// Whole ticks of the clock in `counted` of the counter.
    pub(crate) fn ticks(self, counted: u64) -> u64 {
        convert(counted, self.counter_hz, self.hz, 0)
    }

    /// The least of the counter in which there are `ticks` of the clock.
    pub(crate) fn counted(self, ticks: u64) -> u64 {
        convert(ticks, self.hz, self.counter_hz, self.hz.get().wrapping_sub(1))
    }
}

/// The ticks of a [`Clock`] since a device was first told the time. They never go back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticker {
    clock: Clock,
    /// The guest's counter when there were `base` ticks; `None` before it is first told.
    origin: Option<u64>,
    base: u64,
    ticks: u64,
    /// The guest's counter may begin anew.
    restarts: bool,
}

impl Ticker {
    pub(crate) const fn new(hz: NonZeroU64, counter_hz: NonZeroU64) -> Ticker {
        Ticker { clock: Clock::new(hz, counter_hz), origin: None, base: 0, ticks: 0, restarts: false }
    }

    /// The device is reset: when it is next told the time, it may be that of a counter that has begun anew with the machine.
    /// The ticks go on in any case.
    pub(crate) fn restart(&mut self) {
        self.restarts = true;
    }

    /// The guest's counter is at `now`.
    pub(crate) fn advance(&mut self, now: u64) {
        let counted = now.wrapping_sub(*self.origin.get_or_insert(now));
        let ticks = is_forward(counted).then(|| self.base.saturating_add(self.clock.ticks(counted)));
        match ticks.filter(|&ticks| ticks >= self.ticks) {
            Some(ticks) => self.ticks = ticks,
            None if self.restarts => (self.origin, self.base) = (Some(now), self.ticks),
            // Two CPUs may read the counter in one order and come here in the other: time does not go back.
            None => {}
        }
        self.restarts = false;
    }

    /// Ticks until now.
    pub(crate) fn now(&self) -> u64 {
        self.ticks
    }

    /// Where the guest's counter is when there are `ticks`; `None` if nobody lives to see it.
    pub(crate) fn counter_at(&self, ticks: u64) -> Option<u64> {
        let counted = self.clock.counted(ticks.saturating_sub(self.base));
        Some(self.origin?.wrapping_add(Some(counted).filter(|&counted| is_forward(counted))?))
    }
}

/// Whether `counted`, the distance from one reading of a counter to another, is one forward. (Counters wrap.)
pub(crate) const fn is_forward(counted: u64) -> bool {
    counted < 1 << 63
}

/// `ticks` at `from` as ticks at `to`; `rounding`, less than `from`, is what is added before the division.
fn convert(ticks: u64, from: NonZeroU64, to: NonZeroU64, rounding: u64) -> u64 {
    // At most (2^64 - 1)^2 + 2^64 - 2, which is less than 2^128.
    let product = u128::from(ticks).wrapping_mul(u128::from(to.get())).wrapping_add(rounding.into());
    u64::try_from(product / NonZeroU128::from(from)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hz(hz: u64) -> NonZeroU64 {
        NonZeroU64::new(hz).unwrap()
    }

    /// From a few hertz to what no counter has: most of them as clocks are, some with all of the 64 bits.
    fn any_hz() -> impl Strategy<Value = u64> {
        prop_oneof![1u64..1 << 32, 1u64..1 << 34, 1u64..]
    }

    #[test]
    fn time_begins_when_it_is_first_told_and_does_not_go_back() {
        let mut ticker = Ticker::new(hz(1_000), hz(4_000_000_000_000));
        assert_eq!((ticker.now(), ticker.counter_at(0)), (0, None));
        let origin = u64::MAX - 4_000_000_000;
        ticker.advance(origin);
        assert_eq!((ticker.now(), ticker.counter_at(1)), (0, Some(origin + 4_000_000_000)));
        ticker.advance(origin.wrapping_add(8_000_000_000));
        assert_eq!(ticker.now(), 2, "the counter may wrap");
        ticker.advance(origin.wrapping_add(4_000_000_000));
        ticker.advance(origin.wrapping_sub(1));
        assert_eq!(ticker.now(), 2);
        assert_eq!(ticker.counter_at(u64::MAX), None);
    }

    #[test]
    fn after_a_reset_the_counter_may_begin_anew() {
        let mut ticker = Ticker::new(hz(1_000), hz(1_000_000));
        ticker.advance(5_000_000);
        ticker.advance(7_000_000);
        assert_eq!(ticker.now(), 2_000);
        ticker.advance(10);
        assert_eq!(ticker.now(), 2_000);
        ticker.restart();
        ticker.advance(10);
        assert_eq!((ticker.now(), ticker.counter_at(2_001)), (2_000, Some(1_010)));
        ticker.advance(3_000_010);
        assert_eq!(ticker.now(), 5_000);
        // Or not.
        ticker.restart();
        ticker.advance(4_000_010);
        ticker.advance(10);
        assert_eq!(ticker.now(), 6_000);
    }

    proptest! {
        #[test]
        fn as_exact_as_second_by_second(clock_hz in 1u64..1 << 32, counter_hz in any_hz(), counted in any::<u64>()) {
            let clock = Clock::new(hz(clock_hz), hz(counter_hz));
            let (seconds, rest) = (counted / counter_hz, counted % counter_hz);
            let exact = u128::from(seconds) * u128::from(clock_hz)
                + u128::from(rest) * u128::from(clock_hz) / u128::from(counter_hz);
            prop_assert_eq!(u128::from(clock.ticks(counted)), exact.min(u64::MAX.into()));
        }

        #[test]
        fn a_tick_is_there_at_its_time_and_no_earlier(
            (clock_hz, counter_hz) in (any_hz(), any_hz()),
            ticks in prop_oneof![1u64..1 << 40, 1u64..],
        ) {
            let clock = Clock::new(hz(clock_hz), hz(counter_hz));
            let at = clock.counted(ticks);
            if at != u64::MAX {
                prop_assert!(clock.ticks(at) >= ticks);
                prop_assert!(clock.ticks(at - 1) < ticks);
            }
        }
    }
}

//! Time for devices: what the guest's counter says, and clocks that are made from it.

use core::num::{NonZeroU32, NonZeroU64};

/// A clock of `hz` that is told by a counter of `counter_hz`. Both are counted from one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    hz: NonZeroU32,
    counter_hz: NonZeroU32,
}

impl Clock {
    pub(crate) const fn new(hz: NonZeroU32, counter_hz: NonZeroU32) -> Clock {
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

/// Whether `counted`, the distance from one reading of a counter to another, is one forward. (Counters wrap.)
pub(crate) const fn is_forward(counted: u64) -> bool {
    counted < 1 << 63
}

/// `ticks` at `from` as ticks at `to`; `rounding` is what is added before the division. Second by second and then the
/// rest, so that no product needs more than 64 bits.
fn convert(ticks: u64, from: NonZeroU32, to: NonZeroU32, rounding: u32) -> u64 {
    let (from, to) = (NonZeroU64::from(from), u64::from(to.get()));
    let (seconds, rest) = (ticks / from, ticks % from);
    // Below 2^32 × 2^32, less a little: the sum fits.
    let rest = rest.wrapping_mul(to).wrapping_add(rounding.into()) / from;
    seconds.saturating_mul(to).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_exact_as_with_wide_numbers(hz in 1u32.., counter_hz in 1u32.., counted in any::<u64>()) {
            let clock = Clock::new(hz.try_into().unwrap(), counter_hz.try_into().unwrap());
            let exact = u128::from(counted) * u128::from(hz) / u128::from(counter_hz);
            prop_assert_eq!(u128::from(clock.ticks(counted)), exact.min(u64::MAX.into()));
        }

        #[test]
        fn a_tick_is_there_at_its_time_and_no_earlier(hz in 1u32.., counter_hz in 1u32.., ticks in 1u64..1 << 40) {
            let clock = Clock::new(hz.try_into().unwrap(), counter_hz.try_into().unwrap());
            let at = clock.counted(ticks);
            if at != u64::MAX {
                prop_assert!(clock.ticks(at) >= ticks);
                prop_assert!(clock.ticks(at - 1) < ticks);
            }
        }
    }
}

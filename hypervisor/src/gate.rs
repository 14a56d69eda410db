//! The bound on an interrupt that is a guest's own: so many arrivals in a period, and then none before its end.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

/// How often an interrupt may come in a period.
pub const ARRIVALS: u32 = 200;
/// Length of a period in milliseconds.
pub const PERIOD_MS: u64 = 10;

/// Whether an interrupt that is over may come again now.
///
/// The home counts arrivals. Whoever finds it over and whoever ends the period may be different CPUs at the same time: each says
/// what it did first and looks for the other one then, so that one of them lets it go.
#[derive(Debug, Default)]
pub struct Gate {
    /// Arrivals in the period, and when that began. The home's alone.
    arrivals: AtomicU32,
    began: AtomicU64,
    /// The budget is used up: not before the period's end.
    is_shut: AtomicBool,
    /// It is over, and waits for that.
    waits: AtomicBool,
}

impl Gate {
    /// One more has arrived at `now`: when the period ends, if the budget is used up by this one.
    pub fn arrive(&self, now: u64, period: u64) -> Option<u64> {
        if now.wrapping_sub(self.began.load(SeqCst)) >= period {
            self.began.store(now, SeqCst);
            self.arrivals.store(0, SeqCst);
        }
        let arrivals = self.arrivals.load(SeqCst).saturating_add(1);
        self.arrivals.store(arrivals, SeqCst);
        if arrivals < ARRIVALS {
            return None;
        }
        self.is_shut.store(true, SeqCst);
        Some(self.began.load(SeqCst).saturating_add(period))
    }

    /// It is over. True if it may come again at once.
    pub fn over(&self) -> bool {
        if !self.is_shut.load(SeqCst) {
            return true;
        }
        self.waits.store(true, SeqCst);
        !self.is_shut.load(SeqCst) && self.waits.swap(false, SeqCst)
    }

    /// The period has ended. True if it was waiting for that.
    pub fn open(&self) -> bool {
        self.is_shut.store(false, SeqCst);
        self.waits.swap(false, SeqCst)
    }

    /// When the period ends, if that is waited for.
    pub fn end(&self, period: u64) -> Option<u64> {
        self.is_shut.load(SeqCst).then(|| self.began.load(SeqCst).saturating_add(period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_a_periods_and_the_next_one_begins_with_an_arrival() {
        let gate = Gate::default();
        let arrive = |now| gate.arrive(now, 1000);
        assert!((1..ARRIVALS).all(|_| arrive(5000).is_none() && gate.over()));
        assert_eq!(arrive(5999), Some(6000));
        assert!(!gate.over(), "it waits");
        assert_eq!(gate.end(1000), Some(6000));
        assert!(gate.open(), "and is let go");
        assert_eq!(gate.end(1000), None);
        assert!((1..ARRIVALS).all(|_| arrive(6000).is_none() && gate.over()));
        // The period ends before its guest is done with it.
        assert_eq!(arrive(6500), Some(7000));
        assert!(!gate.open());
        assert!(gate.over());
    }

    /// Whoever comes last lets it go, and nobody else does.
    #[test]
    fn it_is_let_go_once_whoever_comes_first() {
        let gate = Gate::default();
        for round in 0..20_000 {
            gate.is_shut.store(true, SeqCst);
            let gone = std::thread::scope(|scope| {
                if round % 200 != 0 {
                    // Threads are dear: mostly one after the other.
                    return usize::from(gate.over()) + usize::from(gate.open());
                }
                let over = scope.spawn(|| gate.over());
                usize::from(gate.open()) + usize::from(over.join().unwrap())
            });
            assert_eq!(gone, 1);
        }
    }
}

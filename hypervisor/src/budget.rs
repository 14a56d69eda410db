//! What a vCPU may exit: a number of exits in each period, as `set ostler-exit-budget` gives it.
//!
//! The exit vectors count (`arch::recorder`); this says what the count begins with and what follows when it is used up. A
//! period begins with the first exit budget that is looked at after the last one has ended, so that a vCPU that slept long
//! has no more than one period's exits saved up.
//!
//! Why that holds a storm: what a guest can make the hypervisor do is done in its exits. Ringing another pCPU is one too, and
//! its own pCPU takes the time of each from the vCPU that exits.

use model::ExitBudget;

/// A vCPU's budget. Times are the physical counter's, in ticks.
#[derive(Debug)]
pub struct Budget {
    /// Exits in a period; `i64::MAX` without a budget.
    exits: i64,
    period: u64,
    /// What is left of them, while the vCPU is not loaded.
    left: i64,
    /// When the period ends.
    end: u64,
}

impl Budget {
    /// The budget of a vCPU that was never loaded, on a counter that makes `hz` ticks a second.
    pub fn new(config: Option<ExitBudget>, hz: u64) -> Budget {
        let (exits, period) = match config {
            Some(ExitBudget { exits, period_ms }) => {
                (i64::from(exits), hz.checked_div(1000).unwrap_or(0).saturating_mul(period_ms.into()).max(1))
            }
            None => (i64::MAX, 0),
        };
        Budget { exits, period, left: exits, end: 0 }
    }

    /// The exits that the vCPU, which is loaded at `now`, has.
    pub fn load(&mut self, now: u64) -> i64 {
        if self.period != 0 && now >= self.end {
            self.begin(now);
        }
        self.left
    }

    /// The vCPU is unloaded and has `left` exits.
    pub fn unload(&mut self, left: i64) {
        self.left = left;
    }

    /// The vCPU, which is loaded at `now`, has used up its exits. It goes on at once with those that come back, or at the time
    /// that does.
    pub fn exhausted(&mut self, now: u64) -> Result<i64, u64> {
        if now < self.end {
            return Err(self.end);
        }
        self.begin(now);
        Ok(self.left)
    }

    fn begin(&mut self, now: u64) {
        self.left = self.exits;
        self.end = now.saturating_add(self.period);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HZ: u64 = 1_000_000;

    #[test]
    fn without_a_budget_exits_never_end() {
        let mut budget = Budget::new(None, HZ);
        assert_eq!(budget.load(5), i64::MAX);
        budget.unload(i64::MAX - 7);
        assert_eq!(budget.load(6), i64::MAX - 7);
    }

    #[test]
    fn who_used_it_up_waits_for_the_end_of_the_period() {
        let mut budget = Budget::new(Some(ExitBudget { exits: 10, period_ms: 2 }), HZ);
        assert_eq!(budget.load(100), 10);
        assert_eq!(budget.exhausted(300), Err(2100));
        budget.unload(-1);
        assert_eq!(budget.load(2000), -1, "being away brings nothing back");
        assert_eq!(budget.exhausted(2100), Ok(10));
        budget.unload(4);
        assert_eq!(budget.load(50_000), 10, "nothing is saved up");
        assert_eq!(budget.exhausted(50_001), Err(52_000));
    }

    proptest! {
        /// Whatever it does and however often it loses the pCPU: in no period does it exit more often than twice its budget (the
        /// end of one and the beginning of the next), but for one exit that finds it empty each time it is looked at.
        #[test]
        fn it_is_held_to_its_share(steps in prop::collection::vec((1..400_u64, 0..60_i64, any::<bool>()), 1..300)) {
            let mut budget = Budget::new(Some(ExitBudget { exits: 50, period_ms: 1 }), HZ);
            let (mut now, mut exits) = (0, Vec::<(u64, i64)>::new());
            let mut credit = budget.load(now);
            for (time, wanted, switches) in steps {
                now += time;
                if switches {
                    budget.unload(credit);
                    credit = budget.load(now);
                }
                if credit < 0 {
                    match budget.exhausted(now) {
                        Ok(more) => credit = more,
                        Err(until) => {
                            now = until;
                            credit = budget.exhausted(now).unwrap();
                        }
                    }
                }
                let taken = wanted.min(credit + 1);
                credit -= taken;
                exits.push((now, taken));
            }
            for &(start, _) in &exits {
                let within = exits.iter().filter(|(at, _)| (start..start + 1000).contains(at));
                prop_assert!(within.map(|(_, taken)| taken).sum::<i64>() <= 2 * 51);
            }
        }
    }
}

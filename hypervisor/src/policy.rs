//! Whether a VM that has ended begins again, and when: `set ostler-restart` and its kin, as a table.
//!
//! | its end | no setting | `never` | `on-failure` | `always` |
//! |---|---|---|---|---|
//! | its guest asked for a reset | at once | ends | at once | at once |
//! | power-off | ends | ends | ends | later |
//! | power-off after the operator has pressed the power key | ends, whatever the setting |
//! | a failure: another code than 0 | ends | ends | later | later |
//! | another one of its group restarts | with that one, whatever the setting |
//! | power cut, or the board ends | ends, whatever the setting |
//!
//! "Later" is after the delay, which doubles from one such restart to the next, and only as often as the limit allows. A VM
//! that has run well for a while begins with the first delay again.

use model::{Restart, StopReason, When};

/// What is to be done with a VM that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It begins again at once.
    AtOnce,
    /// It begins again after so many milliseconds.
    After(u32),
    /// It begins again together with who made it stop.
    With,
    /// It has ended.
    End,
    /// It has ended: it has begun again too often.
    GiveUp,
}

/// What of a VM's former ends counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Restarts by policy since it ran well last.
    in_a_row: u32,
}

impl History {
    /// The verdict on a VM that ended for `reason` after it had run for `ran_ms`; `was_told` if the operator had asked it to power
    /// off.
    pub fn verdict(&mut self, restart: &Restart, reason: &StopReason, was_told: bool, ran_ms: u64) -> Verdict {
        if ran_ms >= u64::from(Restart::CALM_MS) {
            self.in_a_row = 0;
        }
        match (reason, restart.when) {
            (reason, _) if reason.is_final() => return Verdict::End,
            (StopReason::PowerOff, _) if was_told => return Verdict::End,
            (StopReason::Group(_), _) => return Verdict::With,
            (_, When::Never) => return Verdict::End,
            (StopReason::Reset, _) => return Verdict::AtOnce,
            (_, When::Always) => {}
            (reason, When::OnFailure) if reason.code() != 0 => {}
            (_, When::OnReset | When::OnFailure) => return Verdict::End,
        }
        if restart.limit.is_some_and(|limit| self.in_a_row >= limit) {
            return Verdict::GiveUp;
        }
        let factor = 1_u32.checked_shl(self.in_a_row).unwrap_or(u32::MAX);
        self.in_a_row = self.in_a_row.saturating_add(1);
        Verdict::After(restart.delay_ms.saturating_mul(factor).min(Restart::MOST_DELAY_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Gpa;
    use proptest::prelude::*;

    const RESTART: Restart = Restart { when: When::Always, delay_ms: 100, limit: None, group: None, board_stop: false };
    const FAILURES: [StopReason; 5] = [
        StopReason::Watchdog,
        StopReason::NoProgress { vcpu: 0, pc: 0 },
        StopReason::Unsupported { vcpu: 0, pc: 0, what: 0, action: "access to" },
        StopReason::BadMemory { gpa: Gpa(0) },
        StopReason::NotStarted("no image"),
    ];

    fn first(when: When, reason: StopReason) -> Verdict {
        History::default().verdict(&Restart { when, ..RESTART }, &reason, false, 0)
    }

    #[test]
    fn the_table() {
        use Verdict::{AtOnce, End, With};
        let later = Verdict::After(100);
        let whens = [When::OnReset, When::Never, When::OnFailure, When::Always];
        let row = |reason| whens.map(|when| first(when, reason));
        assert_eq!(row(StopReason::Reset), [AtOnce, End, AtOnce, AtOnce]);
        assert_eq!(row(StopReason::PowerOff), [End, End, End, later]);
        for failure in FAILURES {
            assert_ne!(failure.code(), 0);
            assert_eq!(row(failure), [End, End, later, later], "{failure}");
        }
        assert_eq!(row(StopReason::Group("other")), [With; 4]);
        assert_eq!(row(StopReason::PowerCut), [End; 4]);
        assert_eq!(row(StopReason::Board("other")), [End; 4]);
        let told = |when, reason| History::default().verdict(&Restart { when, ..RESTART }, &reason, true, 0);
        assert_eq!(whens.map(|when| told(when, StopReason::PowerOff)), [End; 4]);
        assert_eq!(told(When::Always, StopReason::Reset), AtOnce);
    }

    #[test]
    fn the_delay_doubles_up_to_a_minute_and_calm_makes_it_short_again() {
        let mut history = History::default();
        let mut next = |ran_ms| history.verdict(&RESTART, &StopReason::Watchdog, false, ran_ms);
        let delays: Vec<_> = (0..40).map(|_| next(9_999)).collect();
        let expected = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000];
        assert_eq!(delays[..12], expected.map(Verdict::After));
        assert_eq!(delays[39], Verdict::After(60_000));
        assert_eq!((next(10_000), next(0)), (Verdict::After(100), Verdict::After(200)));
    }

    #[test]
    fn a_reset_neither_waits_nor_counts() {
        let mut history = History::default();
        let restart = Restart { limit: Some(1), ..RESTART };
        assert!((0..10).all(|_| history.verdict(&restart, &StopReason::Reset, false, 0) == Verdict::AtOnce));
        assert_eq!(history.verdict(&restart, &StopReason::PowerOff, false, 0), Verdict::After(100));
        assert_eq!(history.verdict(&restart, &StopReason::Reset, false, 0), Verdict::AtOnce);
        assert_eq!(history.verdict(&restart, &StopReason::PowerOff, false, 0), Verdict::GiveUp);
    }

    proptest! {
        /// As many as the limit, and no more, unless it is calm in between.
        #[test]
        fn the_limit_is_kept(limit in 1_u32..50, ends in prop::collection::vec(0_u64..12_000, 0..200)) {
            let (mut history, mut in_a_row) = (History::default(), 0);
            let restart = Restart { limit: Some(limit), ..RESTART };
            for ran_ms in ends {
                in_a_row = if ran_ms >= 10_000 { 1 } else { in_a_row + 1 };
                let verdict = history.verdict(&restart, &StopReason::Watchdog, false, ran_ms);
                prop_assert_eq!(verdict == Verdict::GiveUp, in_a_row > limit);
                in_a_row = in_a_row.min(limit);
            }
        }
    }
}

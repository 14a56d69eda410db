//! Whether a vCPU makes progress: `set ostler-progress-timeout`.
//!
//! A guest cannot be asked, so it is looked at, [`LOOKS`] times in its time-out. A vCPU shows that it is alive if it waits for an
//! interrupt or an event, if it can take interrupts, if it has set one of its timers anew, or if it has needed the hypervisor's
//! loop since the last look. One that shows nothing of that at all looks in a row, although it ran in between, will never be reached
//! by an interrupt again: it spins with interrupts masked, or takes one exception after the other.
//!
//! What did not run is not to blame: while others have the pCPU, or the VM is paused, no look counts. Nothing of this is in the way
//! of an exit; a look costs each vCPU of a VM that has a time-out one interrupt.

/// Looks in one time-out.
pub const LOOKS: u32 = 8;

/// What a look finds of a vCPU that does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// It takes no interrupts.
    pub masks_interrupts: bool,
    /// When its timers are due.
    pub timers: [u64; 2],
    /// How often it needed the loop.
    pub exits: u32,
    /// For how long it has run.
    pub ran: u64,
}

/// One vCPU's watch.
#[derive(Debug, Default)]
pub struct Watch {
    /// Number of the last look.
    round: u32,
    last: Option<Sight>,
    /// Looks in a row that found nothing.
    in_vain: u32,
}

impl Watch {
    /// Look number `round`, if that was not made already; `None` if the vCPU waits or is off. True if it makes no progress.
    pub fn look(&mut self, round: u32, sight: Option<Sight>) -> bool {
        if core::mem::replace(&mut self.round, round) == round {
            return false;
        }
        let same = |last: Sight, now: Sight| last.timers == now.timers && last.exits == now.exits;
        match (self.last, sight) {
            (Some(last), Some(now)) if last.ran == now.ran => {}
            (Some(last), Some(now)) if now.masks_interrupts && same(last, now) => {
                self.in_vain = self.in_vain.saturating_add(1);
                self.last = sight;
            }
            _ => {
                self.in_vain = 0;
                self.last = sight;
            }
        }
        self.in_vain >= LOOKS
    }

    /// The vCPU is off: nothing of it counts any more.
    pub fn reset(&mut self) {
        (self.last, self.in_vain) = (None, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUCK: Sight = Sight { masks_interrupts: true, timers: [7, 0], exits: 3, ran: 0 };

    /// After how many looks a vCPU is given up that is as `sight` says in each; `None` if never.
    fn given_up(sight: impl Fn(u32) -> Option<Sight>) -> Option<u32> {
        let mut watch = Watch::default();
        (1..100).find(|&round| watch.look(round, sight(round)))
    }

    fn at(round: u32) -> Sight {
        Sight { ran: u64::from(round), ..STUCK }
    }

    #[test]
    fn who_shows_nothing_is_given_up_after_a_time_out() {
        // The first one only says what it was like before.
        assert_eq!(given_up(|round| Some(at(round))), Some(1 + LOOKS));
    }

    #[test]
    fn any_sign_of_life_is_enough() {
        let every = |sign: fn(u32) -> Option<Sight>| {
            given_up(move |round| if round % 8 == 0 { sign(round) } else { Some(at(round)) })
        };
        assert_eq!(every(|_| None), None, "it waited");
        assert_eq!(every(|round| Some(Sight { masks_interrupts: false, ..at(round) })), None);
        assert_eq!(every(|round| Some(Sight { timers: [round.into(), 0], ..at(round) })), None);
        assert_eq!(every(|round| Some(Sight { exits: round, ..at(round) })), None);
    }

    #[test]
    fn who_does_not_run_is_not_to_blame() {
        assert_eq!(given_up(|_| Some(STUCK)), None);
        // Half of the looks count.
        assert_eq!(given_up(|round| Some(at(round / 2))), Some(2 * LOOKS));
    }

    #[test]
    fn a_look_counts_once_and_a_start_forgets() {
        let mut watch = Watch::default();
        assert!((0..100).all(|ran| !watch.look(1, Some(Sight { ran, ..STUCK }))));
        assert!((2..9).all(|round| !watch.look(round, Some(at(100 + round)))));
        watch.reset();
        assert!(!watch.look(9, Some(at(200))));
        assert!(!watch.look(10, Some(at(201))));
    }
}

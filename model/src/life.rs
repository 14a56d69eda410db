//! The life cycle of a VM: where it is in its life, and which steps lead on from there.
//!
//! ```text
//!              begin          stop             end
//!  assembled ─────────▶ running ─────▶ stopping ──┬──▶ stopped ──┐
//!   ▲    │           pause │ ▲            ▲ ▲     └──▶ failed  ──┤
//!   │    │                 ▼ │ resume     │ │    fail            │
//!   │    │              paused ───────────┘ │                    │
//!   │    └──────────────────────stop────────┘                    │
//!   └──────────────────────────────────────────────────────renew─┘
//! ```
//!
//! Why it stopped or failed is kept beside it ([`crate::StopReason`]); whether it begins again is
//! [`crate::Restart`]'s to say.

/// Where a VM is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Its memory, images and devices are made ready, or are ready: nothing of it has run.
    Assembled,
    /// Its vCPUs run.
    Running,
    /// None of its vCPUs runs, its time stands still, and all can go on.
    Paused,
    /// Its vCPUs are called off.
    Stopping,
    /// It has ended as it should.
    Stopped,
    /// It has ended as it should not.
    Failed,
}

/// What leads from one [`State`] to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first vCPU starts.
    Begin,
    /// All vCPUs let go, and nothing else changes.
    Pause,
    /// All go on.
    Resume,
    /// All vCPUs let go for good.
    Stop,
    /// The last one has: a good end.
    End,
    /// The last one has: a bad end.
    Fail,
    /// It is made new.
    Renew,
}

impl State {
    /// All of them; a state's number is its place here.
    pub const ALL: [State; 6] =
        [State::Assembled, State::Running, State::Paused, State::Stopping, State::Stopped, State::Failed];

    /// Where `step` leads from here; `None` if it is not possible.
    pub const fn after(self, step: Step) -> Option<State> {
        Some(match (self, step) {
            (State::Assembled, Step::Begin) | (State::Paused, Step::Resume) => State::Running,
            (State::Running, Step::Pause) => State::Paused,
            (State::Assembled | State::Running | State::Paused, Step::Stop) => State::Stopping,
            (State::Stopping, Step::End) => State::Stopped,
            (State::Stopping, Step::Fail) => State::Failed,
            (State::Stopped | State::Failed, Step::Renew) => State::Assembled,
            _ => return None,
        })
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            State::Assembled => "assembled",
            State::Running => "running",
            State::Paused => "paused",
            State::Stopping => "stopping",
            State::Stopped => "stopped",
            State::Failed => "failed",
        }
    }
}

impl core::fmt::Display for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{State, Step};
    use proptest::prelude::*;

    const STEPS: [Step; 7] = [Step::Begin, Step::Pause, Step::Resume, Step::Stop, Step::End, Step::Fail, Step::Renew];

    #[test]
    fn nothing_but_these_steps_is_possible() {
        use {State::*, Step::*};
        let possible = [
            (Assembled, Begin, Running),
            (Assembled, Stop, Stopping),
            (Running, Pause, Paused),
            (Running, Stop, Stopping),
            (Paused, Resume, Running),
            (Paused, Stop, Stopping),
            (Stopping, End, Stopped),
            (Stopping, Fail, Failed),
            (Stopped, Renew, Assembled),
            (Failed, Renew, Assembled),
        ];
        let all = State::ALL.into_iter().flat_map(|from| STEPS.map(|step| (from, step)));
        let found: Vec<_> = all.filter_map(|(from, step)| Some((from, step, from.after(step)?))).collect();
        assert_eq!(found, possible);
    }

    #[test]
    fn a_state_is_found_at_its_number() {
        assert!(State::ALL.into_iter().enumerate().all(|(number, state)| state as usize == number));
    }

    proptest! {
        /// Whatever is tried: it runs again only after all of it was made new, or after a pause; and it never ends without
        /// having been called off.
        #[test]
        fn a_life_goes_its_way(tries in prop::collection::vec(prop::sample::select(&STEPS[..]), 0..200)) {
            let (mut state, mut is_new, mut is_over) = (State::Assembled, true, false);
            for step in tries {
                let Some(next) = state.after(step) else { continue };
                match next {
                    State::Running => prop_assert!(state == State::Paused || is_new && state == State::Assembled),
                    State::Paused => prop_assert_eq!(state, State::Running),
                    State::Stopped | State::Failed => prop_assert_eq!(state, State::Stopping),
                    State::Assembled => prop_assert!(is_over),
                    State::Stopping => {}
                }
                is_new = next == State::Assembled;
                is_over = matches!(next, State::Stopped | State::Failed);
                state = next;
            }
            // From everywhere there is a way to an end, and from every end one to a new life.
            prop_assert!(STEPS.into_iter().any(|step| state.after(step).is_some()));
        }
    }
}

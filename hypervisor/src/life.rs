//! Where a VM is in its life, and who is in it: the protocol by which all of its pCPUs let go of it, and take it up again.
//!
//! One word holds the VM's [`State`], how many vCPUs are seated, and why those who are still seated are to leave. A pCPU looks
//! at it when it is told to. Whoever finds that it is to leave does so, once a round; the last one to leave has the VM for
//! itself: it *holds* it. Others only ever ask for a step of the state, and the holder does what the state says before it lets
//! go. So no two CPUs work on an empty VM, and what is asked for meanwhile is not lost.
//!
//! ```text
//!                    ask: pause or stop        leave × seats       settle, by the holder
//!  round n, all in ─────────────────────▶ drained ──────────▶ held ──┬─▶ running or stopping: round n + 1, all in
//!                                                              ▲     ├─▶ paused: nobody has it
//!                                                              └─────│── ask: resume or stop
//!                                                                    └─▶ ended: held until it begins again, or for good
//! ```
//!
//! A VM that is paused and then stopped is called in for one more round, so that each vCPU ends at its own seat.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(loom))]
use core::sync::atomic::{AtomicU64, Ordering};

// This room has a module of loom's of the same name.
use ::model::{State, Step};

/// Seated vCPUs.
const SEATED: u64 = 0xffff;
/// Who is seated is to step aside.
const PAUSING: u64 = 1 << 16;
/// Who is seated is to leave for good.
const LEAVING: u64 = 1 << 17;
/// Somebody has the VM for itself.
const HELD: u64 = 1 << 18;
/// The state's number.
const STATE: u64 = 7 << 20;
const STATE_SHIFT: u32 = 20;
/// Lowest bit of the number of the round; it wraps.
const ROUND: u64 = 1 << 24;

/// A VM's life, shared by its pCPUs.
#[derive(Debug)]
pub struct Life {
    word: AtomicU64,
    seats: u16,
}

/// One vCPU's seat, its pCPU's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket {
    round: u64,
    is_in: bool,
}

/// What a look tells a pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The VM runs, and the vCPU is in.
    In,
    /// The VM pauses: take the pCPU from the vCPU, then [`Life::leave`].
    StepAside,
    /// The VM stops: turn the vCPU off, then [`Life::leave`].
    Leave,
    /// The vCPU has left, and no new round has begun.
    Out,
}

/// What became of a step that was asked for, if it was possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Who is in or holds the VM sees to it: ring them.
    Ring,
    /// Nobody was in: the caller holds it now, and is to [`Life::settle`] it.
    Yours,
}

/// What the holder did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It called all vCPUs in and let go: ring them.
    Opened,
    /// It let go: the VM is paused.
    Paused,
    /// Nothing: the VM has ended, and is the caller's still.
    Ended,
}

impl Life {
    /// A VM that is assembled and held by the caller, with nobody of its `seats` vCPUs in.
    pub fn new(seats: u16) -> Life {
        Life { word: AtomicU64::new(HELD | number(State::Assembled)), seats }
    }

    /// Where it is.
    pub fn state(&self) -> State {
        state(self.word.load(Ordering::Acquire))
    }

    /// Whether it has ended and nobody is going to begin it again.
    pub fn is_over(&self) -> bool {
        let word = self.word.load(Ordering::Acquire);
        matches!(state(word), State::Stopped | State::Failed) && word & HELD == 0
    }

    /// Asks for [`Step::Pause`], [`Step::Resume`] or [`Step::Stop`], any CPU. `None` if it is not possible now.
    pub fn ask(&self, step: Step) -> Option<Asked> {
        let mut asked = Asked::Ring;
        self.update(|word| {
            let next = state(word).after(step)?;
            let word = word & !STATE | number(next);
            asked = Asked::Ring;
            Some(match (word & SEATED, next) {
                (0, _) if word & HELD == 0 => {
                    asked = Asked::Yours;
                    word | HELD
                }
                // Who has begun to leave does so, and the holder sees to the rest.
                (0, _) => word,
                _ if word & (PAUSING | LEAVING) != 0 => word,
                (_, State::Paused) => word | PAUSING,
                (_, State::Stopping) => word | LEAVING,
                _ => word,
            })
        })?;
        Some(asked)
    }

    /// What the owner of `ticket` has to do. A new round takes its vCPU in again.
    pub fn look(&self, ticket: &mut Ticket) -> Look {
        // Acquire: what was done to the VM before this round is known to who joins it.
        let word = self.word.load(Ordering::Acquire);
        let round = word / ROUND;
        if !ticket.is_in && ticket.round != round {
            *ticket = Ticket { round, is_in: true };
        }
        match (ticket.is_in, word & (PAUSING | LEAVING)) {
            (false, _) => Look::Out,
            (true, 0) => Look::In,
            (true, PAUSING) => Look::StepAside,
            (true, _) => Look::Leave,
        }
    }

    /// The pCPU has let go of its vCPU, as [`Life::look`] told it to. True for the last one: it holds the VM.
    pub fn leave(&self, ticket: &mut Ticket) -> bool {
        ticket.is_in = false;
        let mut is_last = false;
        self.update(|word| {
            let word = word.wrapping_sub(1);
            is_last = word & SEATED == 0;
            Some(if is_last { word | HELD } else { word })
        });
        is_last
    }

    /// The holder's own step: [`Step::Begin`], [`Step::End`], [`Step::Fail`] or [`Step::Renew`]. False if it is not possible, as
    /// when somebody has asked for a stop since.
    pub fn step(&self, step: Step) -> bool {
        self.update(|word| Some(word & !STATE | number(state(word).after(step)?))).is_some()
    }

    /// The holder does what the state says.
    pub fn settle(&self) -> Settled {
        let mut settled = Settled::Ended;
        self.update(|word| {
            let kind = match (state(word), word & PAUSING) {
                (State::Running, _) => 0,
                // They have only stepped aside: they are to come in, and leave.
                (State::Stopping, PAUSING) => LEAVING,
                (State::Paused, _) => {
                    settled = Settled::Paused;
                    return Some(word & !(HELD | LEAVING) | PAUSING);
                }
                _ => {
                    settled = Settled::Ended;
                    return None;
                }
            };
            settled = Settled::Opened;
            let round = (word / ROUND).wrapping_add(1).wrapping_mul(ROUND);
            Some(round | word & STATE | kind | u64::from(self.seats))
        });
        settled
    }

    /// The holder lets go of a VM that has ended, for good.
    pub fn retire(&self) {
        self.update(|word| Some(word & !HELD));
    }

    /// AcqRel: what each one did to the VM before is known to the next one. Who fails has seen a change by another one.
    fn update(&self, change: impl FnMut(u64) -> Option<u64>) -> Option<u64> {
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, change).ok()
    }
}

fn number(state: State) -> u64 {
    (state as u64) << STATE_SHIFT
}

fn state(word: u64) -> State {
    let number = (word & STATE) >> STATE_SHIFT;
    // There is no other number in the word.
    State::ALL.get(number as usize).copied().unwrap_or(State::Failed)
}

#[cfg(all(test, not(loom)))]
mod tests;

#[cfg(all(test, loom))]
mod model;

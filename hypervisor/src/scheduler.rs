//! Which vCPU of a pCPU runs, and until when.
//!
//! Fixed priorities, as qvm's `sched` gives them: of the vCPUs that are ready, one of the highest priority runs. Among equals,
//! round robin (`r`, `o`) has a time slice and goes to the tail of the queue when it is used up; FIFO (`f`) goes on until it
//! waits. Who was preempted by a higher one stays at the head, with what is left of its slice (POSIX, `SCHED_RR`).
//!
//! Time is the physical counter's, in ticks. All run time is charged in [`Scheduler::charge`], and what a vCPU was ready and
//! did not run is stolen from it.
//!
//! Only the pCPU's loop touches this; there is nothing to lock. Nothing here is done on an exit that changes nothing.

#[cfg(test)]
mod tests;

use model::Policy;

/// Slices in a second: one is 4 ms, as on QNX.
pub const SLICES_A_SECOND: u64 = 250;

/// A vCPU as the scheduler sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    priority: u8,
    policy: Policy,
    state: State,
    /// Its place in the queue of its priority: the lowest comes first.
    turn: u64,
    /// What is left of its slice.
    slice: u64,
    /// Since when it is ready and does not run.
    ready_since: u64,
    ran: u64,
    stolen: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    /// It runs, or would.
    Ready,
    /// For an interrupt; if it has no pCPU, at the latest until the counter reaches this.
    Waiting(Option<u64>),
}

impl Entry {
    /// A vCPU that is off.
    pub const fn new(priority: u8, policy: Policy) -> Entry {
        Entry { priority, policy, state: State::Off, turn: 0, slice: 0, ready_since: 0, ran: 0, stolen: 0 }
    }
}

/// The vCPUs of one pCPU, by the number of their seat.
#[derive(Debug)]
pub struct Scheduler<'a> {
    entries: &'a mut [Entry],
    /// Length of a slice in ticks.
    slice: u64,
    /// The next turn.
    turns: u64,
    running: Option<usize>,
    /// Since when the running one was not charged.
    since: u64,
}

impl<'a> Scheduler<'a> {
    /// A scheduler of `entries` on a counter that makes `hz` ticks a second.
    pub fn new(entries: &'a mut [Entry], hz: u64) -> Scheduler<'a> {
        let slice = hz.checked_div(SLICES_A_SECOND).unwrap_or(0).max(1);
        Scheduler { entries, slice, turns: 0, running: None, since: 0 }
    }

    /// Whether `seat` can run.
    pub fn is_ready(&self, seat: usize) -> bool {
        self.entries.get(seat).is_some_and(|entry| entry.state == State::Ready)
    }

    /// `seat` can run. Nothing changes if it could before.
    pub fn ready(&mut self, seat: usize, now: u64) {
        if !self.is_ready(seat) {
            self.enqueue(seat);
            if let Some(entry) = self.entries.get_mut(seat) {
                entry.state = State::Ready;
                entry.ready_since = now;
            }
        }
    }

    /// `seat`, which runs, waits for an interrupt. As long as it is loaded, its timers are in the hardware, and it is that
    /// which wakes it.
    pub fn wait(&mut self, seat: usize, now: u64) {
        self.leave(seat, now, State::Waiting(None));
    }

    /// `seat` has lost the pCPU. If it waits, then until the counter reaches `deadline` at the latest.
    pub fn wake_at(&mut self, seat: usize, deadline: Option<u64>) {
        if let Some(entry) = self.entries.get_mut(seat)
            && let State::Waiting(_) = entry.state
        {
            entry.state = State::Waiting(deadline);
        }
    }

    /// `seat` is off.
    pub fn off(&mut self, seat: usize, now: u64) {
        self.leave(seat, now, State::Off);
    }

    /// `seat`, which runs, lets those of its priority go first.
    pub fn give_way(&mut self, seat: usize, now: u64) {
        self.charge(now);
        self.enqueue(seat);
    }

    /// The seat that runs from now on; `None` if none can.
    pub fn choose(&mut self, now: u64) -> Option<usize> {
        self.charge(now);
        if let Some(seat) = self.running
            && self.entries.get(seat).is_some_and(|entry| entry.slice == 0 && entry.policy == Policy::RoundRobin)
        {
            self.enqueue(seat);
        }
        for seat in 0..self.entries.len() {
            if self.entries.get(seat).is_some_and(|entry| entry.is_due(now)) {
                self.ready(seat, now);
            }
        }
        let ready = self.entries.iter().enumerate().filter(|(_, entry)| entry.state == State::Ready);
        let best = ready.min_by_key(|(_, entry)| (u8::MAX.saturating_sub(entry.priority), entry.turn));
        self.switch(best.map(|(seat, _)| seat), now)
    }

    /// When the loop has to [`Scheduler::choose`] anew although nothing happens: the running one's slice ends, or one that
    /// goes before it has waited long enough.
    pub fn until(&self) -> Option<u64> {
        let running = self.running.and_then(|seat| Some((seat, self.entries.get(seat)?)));
        let others = || self.entries.iter().enumerate().filter(|&(seat, _)| Some(seat) != self.running);
        let deadlines = others().filter_map(|(_, entry)| match (entry.state, running) {
            (State::Waiting(deadline), None) => deadline,
            (State::Waiting(deadline), Some((_, running))) if entry.goes_before(running) => deadline,
            _ => None,
        });
        let is_equal = |running: &Entry| {
            others().any(|(_, entry)| entry.state == State::Ready && entry.priority == running.priority)
        };
        let slice = running
            .filter(|(_, running)| running.policy == Policy::RoundRobin && is_equal(running))
            .map(|(_, running)| self.since.saturating_add(running.slice));
        deadlines.chain(slice).min()
    }

    /// Ticks for which `seat` was ready and another one ran.
    pub fn stolen(&self, seat: usize) -> u64 {
        self.entries.get(seat).map_or(0, |entry| entry.stolen)
    }

    /// Ticks for which `seat` ran, up to the last choice.
    pub fn ran(&self, seat: usize) -> u64 {
        self.entries.get(seat).map_or(0, |entry| entry.ran)
    }

    /// Charges the running one for its time: the one place where that is done.
    fn charge(&mut self, now: u64) {
        let time = now.saturating_sub(core::mem::replace(&mut self.since, now));
        if let Some(entry) = self.running.and_then(|seat| self.entries.get_mut(seat)) {
            entry.ran = entry.ran.saturating_add(time);
            entry.slice = entry.slice.saturating_sub(time);
        }
    }

    fn switch(&mut self, next: Option<usize>, now: u64) -> Option<usize> {
        if next != self.running {
            if let Some(entry) = self.running.and_then(|seat| self.entries.get_mut(seat)) {
                entry.ready_since = now;
            }
            if let Some(entry) = next.and_then(|seat| self.entries.get_mut(seat)) {
                entry.stolen = entry.stolen.saturating_add(now.saturating_sub(entry.ready_since));
            }
            self.running = next;
        }
        next
    }

    fn leave(&mut self, seat: usize, now: u64, state: State) {
        if self.running == Some(seat) {
            self.charge(now);
            self.running = None;
        }
        if let Some(entry) = self.entries.get_mut(seat) {
            entry.state = state;
        }
    }

    /// To the tail of its queue, with a new slice.
    fn enqueue(&mut self, seat: usize) {
        self.turns = self.turns.wrapping_add(1);
        if let Some(entry) = self.entries.get_mut(seat) {
            entry.turn = self.turns;
            entry.slice = self.slice;
        }
    }
}

impl Entry {
    fn is_due(&self, now: u64) -> bool {
        matches!(self.state, State::Waiting(Some(deadline)) if deadline <= now)
    }

    /// Whether it takes the pCPU from `running`, or shares it by slices, once it is ready.
    fn goes_before(&self, running: &Entry) -> bool {
        match running.policy {
            Policy::RoundRobin => self.priority >= running.priority,
            Policy::Fifo => self.priority > running.priority,
        }
    }
}

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

mod seats;
#[cfg(test)]
mod tests;

use model::Policy;

pub use seats::Seats;

/// Slices in a second: one is 4 ms, as on QNX.
pub const SLICES_A_SECOND: u64 = 250;

/// A vCPU as the scheduler sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    priority: u8,
    policy: Policy,
    /// Its place in the queue of its priority: the lowest comes first.
    turn: u64,
    /// What is left of its slice.
    slice: u64,
    /// Since when it waits, or is ready and does not run.
    since: u64,
    /// If it is timed or held: when the counter has reached this, it can run.
    deadline: u64,
    ran: u64,
    stolen: u64,
}

impl Entry {
    /// A vCPU that is off.
    pub const fn new(priority: u8, policy: Policy) -> Entry {
        Entry { priority, policy, turn: 0, slice: 0, since: 0, deadline: 0, ran: 0, stolen: 0 }
    }
}

/// The vCPUs of one pCPU, by the number of their seat. Who is in none of the three sets is off.
#[derive(Debug)]
pub struct Scheduler<'a> {
    entries: &'a mut [Entry],
    /// They run, or would.
    ready: Seats,
    /// They wait for an interrupt.
    waiting: Seats,
    /// Those of the waiting ones that have no pCPU, so that nobody else would notice that their deadline has come.
    timed: Seats,
    /// Those of the ready ones that have to wait for their deadline all the same.
    held: Seats,
    /// Length of a slice in ticks.
    slice: u64,
    /// The next turn.
    turns: u64,
    running: Option<usize>,
    /// Since when the running one was not charged.
    since: u64,
}

impl<'a> Scheduler<'a> {
    /// A scheduler of `entries`, 64 at most, on a counter that makes `hz` ticks a second.
    pub fn new(entries: &'a mut [Entry], hz: u64) -> Scheduler<'a> {
        let slice = hz.checked_div(SLICES_A_SECOND).unwrap_or(0).max(1);
        let none = Seats::default();
        Scheduler {
            entries,
            ready: none,
            waiting: none,
            timed: none,
            held: none,
            slice,
            turns: 0,
            running: None,
            since: 0,
        }
    }

    /// Whether `seat` can run.
    pub fn is_ready(&self, seat: usize) -> bool {
        self.ready.has(seat)
    }

    /// `seat` can run, since `now`. Nothing changes if it could before.
    pub fn ready(&mut self, seat: usize, now: u64) {
        if self.is_ready(seat) {
            return;
        }
        self.enqueue(seat);
        if let Some(entry) = self.entries.get_mut(seat) {
            entry.since = now;
            self.waiting.remove(seat);
            self.timed.remove(seat);
            self.ready.insert(seat);
        }
    }

    /// `seat`, which runs, waits for an interrupt. As long as it is loaded, its timers are in the hardware, and it is that
    /// which wakes it.
    pub fn wait(&mut self, seat: usize, now: u64) {
        self.off(seat, now);
        self.waiting.insert(seat);
    }

    /// `seat` has lost the pCPU. If it waits, then until the counter reaches `deadline` at the latest.
    pub fn wake_at(&mut self, seat: usize, deadline: Option<u64>) {
        self.timed.remove(seat);
        if let Some(deadline) = deadline
            && self.waiting.has(seat)
            && let Some(entry) = self.entries.get_mut(seat)
        {
            entry.deadline = deadline;
            self.timed.insert(seat);
        }
    }

    /// `seat` is off.
    pub fn off(&mut self, seat: usize, now: u64) {
        if self.running == Some(seat) {
            self.charge(now);
            self.running = None;
        }
        self.ready.remove(seat);
        self.waiting.remove(seat);
        self.timed.remove(seat);
        self.held.remove(seat);
        if let Some(entry) = self.entries.get_mut(seat) {
            entry.since = now;
        }
    }

    /// `seat`, which is ready, does not run before the counter has reached `deadline`.
    pub fn hold(&mut self, seat: usize, deadline: u64) {
        if self.is_ready(seat)
            && let Some(entry) = self.entries.get_mut(seat)
        {
            entry.deadline = deadline;
            self.held.insert(seat);
        }
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
        let ready = of(self.entries, self.ready.without(self.held));
        let best = ready.min_by_key(|(_, entry)| (u8::MAX.saturating_sub(entry.priority), entry.turn));
        let best = best.map(|(seat, _)| seat);
        self.switch(best, now)
    }

    /// When the loop has to [`Scheduler::choose`] anew although nothing happens: the running one's slice ends, or one that
    /// goes before it has waited long enough.
    pub fn until(&self) -> Option<u64> {
        let running = self.running.and_then(|seat| Some((seat, self.entries.get(seat)?)));
        let may_wake = |entry: &Entry| running.is_none_or(|(_, running)| entry.goes_before(running));
        let timed = of(self.entries, self.timed.with(self.held)).filter(|(_, entry)| may_wake(entry));
        let deadlines = timed.map(|(_, entry)| entry.deadline);
        let has_equal = |seat, priority| {
            of(self.entries, self.ready.without(self.held))
                .any(|(other, entry)| other != seat && entry.priority == priority)
        };
        let slice = running
            .filter(|&(seat, running)| running.policy == Policy::RoundRobin && has_equal(seat, running.priority))
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

    /// Charges the running one for its time: the one place where that is done. Who waited long enough is ready: who goes
    /// first since now, when its alarm came, the others since their deadline, for which nobody set an alarm.
    fn charge(&mut self, now: u64) {
        let time = now.saturating_sub(core::mem::replace(&mut self.since, now));
        let mut running = None;
        if let Some(entry) = self.running.and_then(|seat| self.entries.get_mut(seat)) {
            entry.ran = entry.ran.saturating_add(time);
            entry.slice = entry.slice.saturating_sub(time);
            running = Some(*entry);
        }
        for seat in self.held {
            if self.entries.get(seat).is_none_or(|entry| entry.deadline <= now) {
                self.held.remove(seat);
            }
        }
        for seat in self.timed {
            if let Some(entry) = self.entries.get(seat)
                && entry.deadline <= now
            {
                let had_alarm = running.is_none_or(|running| entry.goes_before(&running));
                // A timer may have been due before the vCPU waited.
                self.ready(seat, if had_alarm { now } else { entry.deadline.max(entry.since) });
            }
        }
    }

    fn switch(&mut self, next: Option<usize>, now: u64) -> Option<usize> {
        if next != self.running {
            if let Some(entry) = self.running.and_then(|seat| self.entries.get_mut(seat)) {
                entry.since = now;
            }
            if let Some(entry) = next.and_then(|seat| self.entries.get_mut(seat)) {
                entry.stolen = entry.stolen.saturating_add(now.saturating_sub(entry.since));
            }
            self.running = next;
        }
        next
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

/// The entries of `seats`.
fn of(entries: &[Entry], seats: Seats) -> impl Iterator<Item = (usize, &Entry)> {
    seats.filter_map(|seat| Some((seat, entries.get(seat)?)))
}

impl Entry {
    /// Whether it takes the pCPU from `running`, or shares it by slices, once it is ready.
    fn goes_before(&self, running: &Entry) -> bool {
        match running.policy {
            Policy::RoundRobin => self.priority >= running.priority,
            Policy::Fifo => self.priority > running.priority,
        }
    }
}

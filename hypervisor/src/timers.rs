//! What a VM waits for that none of its vCPUs waits for: the bite of a watchdog, the end of a back-off, a time-out.
//!
//! Each is a deadline of the physical counter in a word of its own. Any CPU arms one, and rings the VM's home, the pCPU of
//! its first vCPU, if that has to look earlier than it would have; the home looks when it decides who runs, and its alarm
//! is set for the earliest. A deadline that is moved further away rings nobody: the home comes too early once, and looks again.

use core::sync::atomic::{AtomicU64, Ordering};

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// A device has something to do.
    Devices,
    /// The VM starts again.
    Restart,
    /// The VM has to have made progress.
    Progress,
    /// The VM has to have powered off.
    PowerOff,
    /// An interrupt of the board's that was held back may come again.
    Passed,
}

const ALL: [Timer; 5] = [Timer::Devices, Timer::Restart, Timer::Progress, Timer::PowerOff, Timer::Passed];

/// No deadline.
const NEVER: u64 = u64::MAX;

/// A VM's deadlines.
#[derive(Debug)]
pub struct Timers([AtomicU64; ALL.len()]);

impl Timers {
    /// None is armed.
    pub const fn new() -> Timers {
        Timers([const { AtomicU64::new(NEVER) }; ALL.len()])
    }

    /// Sets `timer` to go off when the counter reaches `deadline`, or never. True if the home has to be told to look.
    pub fn arm(&self, timer: Timer, deadline: Option<u64>) -> bool {
        let deadline = deadline.unwrap_or(NEVER);
        // AcqRel: what the deadline is about is known to who finds it due.
        self.word(timer).is_some_and(|word| word.swap(deadline, Ordering::AcqRel) > deadline)
    }

    /// When `timer` goes off, if it is armed.
    pub fn deadline(&self, timer: Timer) -> Option<u64> {
        self.word(timer).map(|word| word.load(Ordering::Acquire)).filter(|&deadline| deadline != NEVER)
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<u64> {
        let earliest = self.0.iter().map(|word| word.load(Ordering::Acquire)).min()?;
        (earliest != NEVER).then_some(earliest)
    }

    /// Those that are due at `now`, each once: they are not armed any more.
    pub fn take_due(&self, now: u64) -> impl Iterator<Item = Timer> {
        ALL.into_iter().filter(move |&timer| {
            self.word(timer).is_some_and(|word| {
                let deadline = word.load(Ordering::Acquire);
                // Somebody may have armed it anew; then that counts, and the home is told to look.
                deadline <= now && word.compare_exchange(deadline, NEVER, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            })
        })
    }

    fn word(&self, timer: Timer) -> Option<&AtomicU64> {
        self.0.get(timer as usize)
    }
}

impl Default for Timers {
    fn default() -> Self {
        Timers::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_counts_and_only_an_earlier_one_rings() {
        let timers = Timers::new();
        assert_eq!(timers.next(), None);
        assert!(timers.arm(Timer::Restart, Some(500)));
        assert!(timers.arm(Timer::Devices, Some(700)));
        assert!(!timers.arm(Timer::Devices, Some(900)), "later is no reason to look");
        assert!(timers.arm(Timer::Devices, Some(600)));
        assert_eq!(timers.next(), Some(500));
        let due = |now| timers.take_due(now).collect::<Vec<_>>();
        assert_eq!(due(499), []);
        assert_eq!(due(600), [Timer::Devices, Timer::Restart]);
        assert_eq!((due(u64::MAX - 1), timers.next()), (vec![], None));
    }

    #[test]
    fn one_that_is_disarmed_does_not_go_off() {
        let timers = Timers::new();
        timers.arm(Timer::PowerOff, Some(1));
        assert!(!timers.arm(Timer::PowerOff, None));
        assert_eq!((timers.take_due(5).next(), timers.next()), (None, None));
    }

    /// Who arms and who looks at the same time: each deadline goes off once, or was replaced by a later one.
    #[test]
    fn nothing_goes_off_twice_and_the_last_one_does() {
        let timers = Timers::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (1..=20_000).for_each(|deadline| {
                    timers.arm(Timer::Progress, Some(deadline));
                })
            });
            let mut times = 0_usize;
            while timers.next() != Some(20_000) {
                times += timers.take_due(19_999).count();
            }
            assert!(times < 20_000);
        });
        assert_eq!(timers.take_due(20_000).next(), Some(Timer::Progress));
        assert_eq!(timers.take_due(20_000).next(), None);
    }
}

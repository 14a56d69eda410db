//! Time: the CPU's counter, and its timer at a steady period or as an alarm.

use crate::wait::{spin_for, wait_for};
use crate::{Verdict, clock};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

pub use crate::clock::{deadline, frequency, now, open};

/// Interrupts since `start`. Only the interrupt handler of the first CPU stores while the timer runs.
static COUNT: AtomicU64 = AtomicU64::new(0);
/// Counter ticks between two interrupts; 0: there is only one.
static PERIOD: AtomicU64 = AtomicU64::new(0);
/// An interrupt came before its time.
static EARLY: AtomicBool = AtomicBool::new(false);

/// Interrupts since [`start`] or [`alarm`].
pub fn count() -> u64 {
    COUNT.load(Relaxed)
}

/// Interrupts every `period_ms` from now on.
pub fn start(period_ms: u64) {
    stop();
    let period = frequency() * period_ms / 1000;
    PERIOD.store(period, Relaxed);
    begin(period);
}

/// One interrupt `after_ms` from now, instead of all others. A wait that it ends was in vain: so it is found if what was
/// to end the wait needed another interrupt's help.
pub fn alarm(after_ms: u64) {
    stop();
    PERIOD.store(0, Relaxed);
    begin(frequency() * after_ms / 1000);
}

fn begin(after: u64) {
    COUNT.store(0, Relaxed);
    clock::set_deadline(now() + after);
}

/// No more interrupts.
pub fn stop() {
    clock::stop();
}

/// Whether this is the timer's interrupt. If so it is counted, and the next deadline set from the last one, so that the
/// period does not drift.
pub(crate) fn took(interrupt: u32) -> bool {
    if !clock::owns(interrupt) {
        return false;
    }
    let deadline = clock::deadline();
    if clock::is_early(deadline) {
        EARLY.store(true, Relaxed);
    }
    match PERIOD.load(Relaxed) {
        0 => stop(),
        period => clock::set_deadline(deadline + period),
    }
    COUNT.store(COUNT.load(Relaxed) + 1, Relaxed);
    true
}

/// Whether a timer interrupt comes at all. It leaves the timer ticking every 10 ms, which ends every later wait.
pub fn ticks() -> Verdict {
    start(10);
    spin_for("no timer interrupt came", || count() > 0)
}

/// Sleeps through `interrupts` of them; gives their number.
pub fn tick_for(interrupts: u64) -> Result<u64, &'static str> {
    let first = count();
    wait_for("the timer interrupts stopped", || count() >= first + interrupts)?;
    if EARLY.load(Relaxed) {
        return Err("a timer interrupt came before its time");
    }
    Ok(count() - first)
}

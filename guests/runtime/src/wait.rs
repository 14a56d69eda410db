//! Waiting, with an end to patience.

use crate::{Verdict, mask_interrupts, timer, unmask_interrupts, wait_for_interrupt};

/// How long a guest waits for what should happen at once, before it says that it did not.
const PATIENCE_S: u64 = 60;

/// Sleeps until an interrupt has made `done` true.
pub fn wait_until(done: impl Fn() -> bool) {
    loop {
        // Masked, so that the interrupt which makes it true cannot come between the look and the sleep, which a
        // pending interrupt ends all the same.
        mask_interrupts();
        let done = done();
        if !done {
            wait_for_interrupt();
        }
        unmask_interrupts();
        if done {
            return;
        }
    }
}

/// As [`wait_until`], but gives up after a minute and then names `what`. The timer must tick.
pub fn wait_for(what: &'static str, done: impl Fn() -> bool) -> Verdict {
    let deadline = timer::now() + PATIENCE_S * timer::frequency();
    wait_until(|| done() || timer::now() > deadline);
    if done() { Ok(()) } else { Err(what) }
}

/// As [`wait_for`], but nothing except what makes `done` true ends the sleep: there is no timer but an alarm, and if that
/// had to help, it is an error.
pub fn wait_unaided(what: &'static str, done: impl Fn() -> bool) -> Verdict {
    timer::alarm(PATIENCE_S * 1000);
    wait_until(|| done() || timer::count() > 0);
    let aided = timer::count() > 0;
    timer::stop();
    if aided { Err(what) } else { Ok(()) }
}

/// As [`wait_for`], but never sleeps: for what must come before interrupts can be trusted, or without one.
pub fn spin_for(what: &'static str, done: impl Fn() -> bool) -> Verdict {
    let deadline = timer::now() + PATIENCE_S * timer::frequency();
    while timer::now() <= deadline {
        if done() {
            return Ok(());
        }
        core::hint::spin_loop();
    }
    Err(what)
}

//! The IB700's watchdog (two ports that are only written), fed and then starved.

use guest_runtime::cpu::out8;
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Verdict, say, system_reset, timer};

const STOP: u16 = 0x441;
const START: u16 = 0x443;

/// The countdown of these tests.
const SECONDS: u64 = 2;
/// Between two feedings, of milliseconds.
const PERIOD_MS: u64 = 50;

/// A countdown of so many seconds, even ones up to 30, from now on: what is written counts two seconds down from 30.
fn feed(seconds: u64) {
    out8(START, (15 - seconds / 2) as u8);
}

/// Feeds it for longer than it waits, stops it for longer than it waits, and then lets it wait.
pub(super) fn starve() -> Verdict {
    let longer = SECONDS * 1000 * 3 / 2 / PERIOD_MS;
    timer::start(PERIOD_MS);
    for feeding in 1..=longer {
        feed(SECONDS);
        wait_until(|| timer::count() >= feeding);
    }
    say!("fed for longer than it waits");
    out8(STOP, 0);
    wait_until(|| timer::count() >= 2 * longer);
    say!("stopped for longer than it waits");
    feed(SECONDS);
    say!("nobody feeds it any more");
    // A minute, for a bite after two seconds.
    timer::alarm(60_000);
    wait_until(|| timer::count() > 0);
    Err("it did not bite")
}

/// Starts it and never feeds it.
pub(super) fn start(machine: &Machine) -> Verdict {
    arm(machine)?;
    say!("the watchdog is on");
    loop {
        wait_until(|| false);
    }
}

/// Starts it and resets the machine at once, which is to stop it.
pub(super) fn arm_and_reset(machine: &Machine) -> Verdict {
    arm(machine)?;
    system_reset()
}

fn arm(machine: &Machine) -> Verdict {
    feed(machine.number("seconds").ok_or("the command line has no `seconds`")?);
    Ok(())
}

//! arm64's part: an SP805, a PL061, a PL031.

mod alarm;
mod key;
mod watchdog;

pub(super) use guest_runtime::gic::open;

use guest_runtime::{Machine, Verdict};

/// What the command line asks for; `None` if this CPU's part has no such thing.
pub(super) fn run(word: &str, machine: &Machine) -> Option<Verdict> {
    Some(match word {
        "watchdog" => watchdog::starve(machine),
        "start" => watchdog::start(machine),
        "reset" => watchdog::arm_and_reset(machine),
        "key" => key::ignore(machine),
        "alarm" => alarm::storm(machine),
        "alarm-reset" => alarm::reset(machine),
        _ => return None,
    })
}

/// An interrupt came.
pub(super) fn interrupt(intid: u32) {
    watchdog::took(intid);
    key::took(intid);
    alarm::took(intid);
}

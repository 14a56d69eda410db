//! x86_64's part: the IB700's watchdog, ACPI's power button.

mod key;
mod watchdog;

pub(super) use guest_runtime::apic::open;
pub(super) use key::took as interrupt;

use guest_runtime::{Machine, Verdict};

/// What the command line asks for; `None` if this CPU's part has no such thing.
pub(super) fn run(word: &str, machine: &Machine) -> Option<Verdict> {
    Some(match word {
        "watchdog" => watchdog::starve(),
        "start" => watchdog::start(machine),
        "reset" => watchdog::arm_and_reset(machine),
        "key" => key::ignore(machine),
        _ => return None,
    })
}

//! The program: chooses by the command line.

mod alarm;
mod key;
mod watchdog;

use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Program, Verdict, gic, program, timer};

program!(Program::new("stop", main).with_interrupts(interrupt));

fn main(machine: &Machine) -> Verdict {
    gic::open(machine)?;
    timer::open(machine)?;
    let mut words = machine.command_line.split_whitespace();
    match words.next() {
        Some("watchdog") => watchdog::starve(machine),
        Some("key") => key::ignore(machine),
        Some("alarm") => alarm::storm(machine),
        Some("alarm-reset") => alarm::reset(machine),
        Some("start") => watchdog::start(machine),
        Some("reset") => watchdog::arm_and_reset(machine),
        Some("sleep") => loop {
            wait_until(|| false);
        },
        _ => {
            Err("the command line says none of `watchdog`, `start`, `reset`, `key`, `alarm`, `alarm-reset` and `sleep`")
        }
    }
}

fn interrupt(intid: u32) {
    watchdog::took(intid);
    key::took(intid);
    alarm::took(intid);
}

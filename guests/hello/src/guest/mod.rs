//! The program: its tests, which are the CPU's own, and the heartbeat.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as cpu;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as cpu;

mod keys;
mod memory;

use crate::options::Options;
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Program, Verdict, program, say, timer};

program!(Program::new("hello", main).with_interrupts(cpu::on_interrupt).with_secondary(cpu::second));

fn main(machine: &Machine) -> Verdict {
    cpu::introduce(machine);
    cpu::test(machine)?;
    say!("all passed");
    beat(machine, Options::parse(machine.command_line))
}

/// Says that it is alive, at a steady period, as often as it was asked to or until it is told to go.
fn beat(machine: &Machine, options: Options) -> Verdict {
    let mut number = 0;
    keys::listen(machine)?;
    memory::fill()?;
    timer::start(options.period_ms);
    while options.beats == 0 || number < options.beats {
        wait_until(|| timer::count() > number || keys::any());
        if keys::asked_to_go() {
            say!("told to go");
            break;
        }
        if keys::asked_for_help() {
            cpu::tell_time();
        }
        if timer::count() > number {
            number += 1;
            memory::check()?;
            say!("alive {number}");
        }
    }
    timer::stop();
    Ok(())
}

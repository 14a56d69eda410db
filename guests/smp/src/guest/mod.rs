//! The program: the tests in order, all led by the first vCPU.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as cpu;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as cpu;

mod counters;
mod crew;
mod forms;
mod ping;
mod ring;

use guest_runtime::{Machine, Program, Verdict, fail, ipi, program, say, timer};

program!(Program::new("smp", main).with_interrupts(on_interrupt).with_secondary(crew::main));

/// Wakes a vCPU to an order.
const WAKE: u32 = ipi::FIRST;
/// Wakes the first vCPU: something that it may wait for has happened.
const REPORT: u32 = ipi::FIRST + 1;
const PING: u32 = ipi::FIRST + 2;
const PONG: u32 = ipi::FIRST + 3;
/// One that is sent in all forms.
const FORM: u32 = ipi::FIRST + 4;
/// Comes after a [`FORM`] that has or has not come.
const FENCE: u32 = ipi::FIRST + 5;
/// The first of those that the CPU's own part sends.
const OWN: u32 = ipi::FIRST + 6;

fn main(machine: &Machine) -> Verdict {
    cpu::introduce(machine);
    ipi::open(machine)?;
    timer::open(machine)?;
    timer::ticks()?;
    timer::stop();
    cpu::before(machine)?;
    // How often all vCPUs come and go off again: what is left of one life must not be in the next one.
    for _ in 1..machine.number("lives").unwrap_or(1) {
        crew::muster(machine)?;
        crew::dismiss(machine)?;
    }
    crew::muster(machine)?;
    ping::test(machine, machine.number("rounds").unwrap_or(1000))?;
    ring::test(machine, machine.number("turns").unwrap_or(100))?;
    forms::test(machine)?;
    cpu::test(machine)?;
    crew::dismiss(machine)?;
    say!("all passed");
    Ok(())
}

fn on_interrupt(number: u32) {
    match number {
        WAKE | REPORT => {}
        PING | PONG => ping::on_ipi(number),
        FORM | FENCE => forms::on_ipi(number),
        _ if cpu::on_interrupt(number) => {}
        _ => {
            say!("interrupt {number}");
            fail("an interrupt that nobody asked for");
        }
    }
}

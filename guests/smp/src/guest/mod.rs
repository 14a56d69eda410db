//! The program: the tests in order, all led by the first vCPU.

mod counters;
mod crew;
mod ping;
mod ring;
mod sgi;
mod spi;

use guest_runtime::{Machine, Program, Verdict, fail, gic, program, say, timer};

program!(Program::new("smp", main).with_interrupts(on_interrupt).with_secondary(crew::main));

/// Wakes a vCPU to an order.
const WAKE: u32 = 0;
/// Wakes the first vCPU: something that it may wait for has happened.
const REPORT: u32 = 1;
const PING: u32 = 2;
const PONG: u32 = 3;
/// One that [`sgi`] sends in all forms.
const FORM: u32 = 4;
/// Comes after a [`FORM`] that has or has not come.
const FENCE: u32 = 5;
/// Holds a vCPU while SPIs become pending for it.
const HOLD: u32 = 6;

fn main(machine: &Machine) -> Verdict {
    say!("{} vCPUs on a GICv{}", machine.cpus.len(), machine.gic_version);
    gic::open(machine)?;
    timer::open(machine)?;
    timer::ticks()?;
    timer::stop();
    crew::muster(machine)?;
    ping::test(machine, machine.number("rounds").unwrap_or(1000))?;
    ring::test(machine, machine.number("turns").unwrap_or(100))?;
    sgi::test(machine)?;
    spi::test(machine)?;
    crew::dismiss(machine)?;
    say!("all passed");
    Ok(())
}

fn on_interrupt(intid: u32) {
    match intid {
        WAKE | REPORT => {}
        PING | PONG => ping::on_sgi(intid),
        FORM | FENCE => sgi::on_sgi(intid),
        HOLD => spi::hold(),
        _ if spi::RANGE.contains(&intid) => spi::on_spi(intid),
        _ => {
            say!("interrupt {intid}");
            fail("an interrupt that nobody asked for");
        }
    }
}

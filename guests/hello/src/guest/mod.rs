//! The program: what it tests, in order, and the heartbeat.

mod absent;
mod fp;
mod identity;
mod keys;
mod memory;
mod second;
mod seeds;
mod spi;
mod time;
mod transmit;

use crate::options::Options;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Program, Verdict, fail, gic, program, read_register, say, timer};

program!(Program::new("hello", main).with_interrupts(on_interrupt).with_secondary(second::main));

fn main(machine: &Machine) -> Verdict {
    say!("at EL{}, device tree at {:#x}", read_register!("CurrentEL") >> 2, machine.tree);
    say!(
        "{} vCPU, GICv{} at {:#x}, PL011 at {:#x} interrupt {}",
        machine.cpus.len(),
        machine.gic_version,
        machine.distributor,
        machine.uart.base,
        machine.uart.interrupt
    );
    test(machine)?;
    say!("all passed");
    beat(machine, Options::parse(machine.command_line))
}

/// Every test; each says what it saw.
fn test(machine: &Machine) -> Verdict {
    fp::computes()?;
    seeds::differ(machine)?;
    if machine.is_ostler {
        identity::hides()?;
        absent::reads_as_ones()?;
        time::starts_at_zero()?;
    }
    UART.store(machine.uart.interrupt, Relaxed);
    PHYSICAL_TIMER.store(machine.physical_timer, Relaxed);
    second::prepare();
    gic::open(machine)?;
    timer::open(machine)?;
    timer::ticks()?;
    let registers = fp::Registers::fill(1);
    let ticks = timer::tick_for(10)?;
    registers.check()?;
    say!("{ticks} timer interrupts, floating-point registers survived them");
    time::physical_timer(machine)?;
    transmit::interrupts(machine)?;
    spi::test(machine)?;
    second::test(machine)
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
            let [own, board] = time::clocks_ms();
            say!("q powers me off, it is {own} ms here and {board} ms on the board");
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

/// The INTIDs that the device tree gave to the UART and the physical timer.
static UART: AtomicU32 = AtomicU32::new(u32::MAX);
static PHYSICAL_TIMER: AtomicU32 = AtomicU32::new(u32::MAX);

fn on_interrupt(intid: u32) {
    match intid {
        0..16 => second::on_sgi(intid),
        _ if spi::RANGE.contains(&intid) => spi::order::on_interrupt(intid),
        _ if intid == PHYSICAL_TIMER.load(Relaxed) => time::on_interrupt(),
        _ if intid == UART.load(Relaxed) && keys::is_listening() => keys::on_interrupt(),
        _ if intid == UART.load(Relaxed) => transmit::on_interrupt(),
        _ => {
            say!("interrupt {intid}");
            fail("an interrupt that nobody asked for");
        }
    }
}

//! arm64's tests, in order.

mod absent;
mod fp;
mod identity;
mod second;
mod seeds;
mod spi;
mod time;
mod transmit;

pub(super) use second::main as second;

use super::keys;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use guest_runtime::gic::Interrupt;
use guest_runtime::{Machine, Verdict, fail, gic, read_register, say, timer};

/// Where it is, and on what.
pub(super) fn introduce(machine: &Machine) {
    say!("at EL{}, device tree at {:#x}", read_register!("CurrentEL") >> 2, machine.tree);
    say!(
        "{} vCPU, GICv{} at {:#x}, PL011 at {:#x} interrupt {}",
        machine.cpus.len(),
        machine.gic_version,
        machine.distributor,
        machine.uart.base,
        machine.uart.interrupt
    );
}

/// Every test; each says what it saw.
pub(super) fn test(machine: &Machine) -> Verdict {
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

/// Lets the UART's interrupt through.
pub(super) fn enable_uart(machine: &Machine) -> Verdict {
    Interrupt(machine.uart.interrupt).enable()
}

/// Says how late it is by both counters.
pub(super) fn tell_time() {
    let [own, board] = time::clocks_ms();
    say!("q powers me off, it is {own} ms here and {board} ms on the board");
}

/// The INTIDs that the device tree gave to the UART and the physical timer.
static UART: AtomicU32 = AtomicU32::new(u32::MAX);
static PHYSICAL_TIMER: AtomicU32 = AtomicU32::new(u32::MAX);

pub(super) fn on_interrupt(intid: u32) {
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

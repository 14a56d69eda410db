//! Lines of the I/O APIC and of the 8259s: edges of the 8254's, levels of the UART's.

use super::vector;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::cpu::{in8, out8};
use guest_runtime::machine::{Line, Trigger, own_id};
use guest_runtime::uart::{self, TRANSMIT};
use guest_runtime::wait::{spin_for, wait_for};
use guest_runtime::{Machine, Verdict, apic, fail, pit, say, timer};

/// Interrupts of the 8254, and of the UART. The handler alone stores while they come.
static PIT: AtomicU64 = AtomicU64::new(0);
static UART: AtomicU64 = AtomicU64::new(0);
/// Interrupts of the UART after which its handler makes its line low; and the entry of the UART's line.
static ENOUGH: AtomicU64 = AtomicU64::new(0);
/// The line's number with 1 << 32 when the handler is to find it in service.
static LEVEL: AtomicU64 = AtomicU64::new(0);

/// Interrupts of the 8254 to wait for, and how many come in a second.
const TICKS: u64 = 20;
const FREQUENCY: u64 = 1000;

/// All tests.
pub(super) fn test(machine: &Machine) -> Verdict {
    levels(machine.uart.line)?;
    if !pit::is_there() {
        say!("no 8254, so no edges");
        return Ok(());
    }
    edges(machine.timer_line)?;
    if machine.has_8259 { legacy() } else { Ok(()) }
}

/// The UART's transmit interrupt as a level: it comes again until the line is low. As an edge it comes once.
fn levels(line: Line) -> Verdict {
    uart::unmask(0);
    for (trigger, expected) in [(Trigger::Level, 3), (Trigger::Edge, 1)] {
        UART.store(0, Relaxed);
        ENOUGH.store(expected, Relaxed);
        LEVEL.store(u64::from(trigger == Trigger::Level) << 32 | u64::from(line.number), Relaxed);
        let line = line.with(trigger);
        line.route(vector::UART, own_id());
        uart::unmask(TRANSMIT);
        wait_for("no interrupt came from the UART", || UART.load(Relaxed) >= expected)?;
        timer::tick_for(2)?;
        uart::unmask(0);
        if UART.load(Relaxed) != expected {
            return Err("the UART's interrupt came too often");
        }
        if line.is_in_service() {
            return Err("the UART's line is in service although its interrupt has ended");
        }
        line.mask(true);
    }
    say!("the UART's interrupt comes again as long as its line is high, and once for an edge");
    Ok(())
}

/// The UART's interrupt while nobody listens for keys. Its cause stays: a look at IIR, which would end it, is not made.
pub(super) fn on_uart() {
    let count = UART.load(Relaxed) + 1;
    UART.store(count, Relaxed);
    if !apic::is_set(apic::register::ISR, vector::UART) {
        fail("an interrupt that is handled is not in service");
    }
    let is_level = LEVEL.load(Relaxed) >> 32 != 0;
    if apic::is_set(apic::register::TMR, vector::UART) != is_level {
        fail("the local APIC's TMR does not say how the interrupt was triggered");
    }
    if count >= ENOUGH.load(Relaxed) {
        uart::unmask(0);
    }
}

/// The 8254's channel 0: as many as it has periods; none while the line is masked; one for an alarm.
fn edges(line: Line) -> Verdict {
    PIT.store(0, Relaxed);
    line.route(vector::PIT, own_id());
    pit::start(FREQUENCY);
    wait_for("no interrupt came from the 8254", || PIT.load(Relaxed) >= TICKS)?;
    line.mask(true);
    // One may have been on its way.
    timer::tick_for(1)?;
    let count = PIT.load(Relaxed);
    timer::tick_for(3)?;
    if PIT.load(Relaxed) != count {
        return Err("an interrupt came although its line is masked");
    }
    pit::stop();
    line.mask(false);
    timer::tick_for(1)?;
    PIT.store(0, Relaxed);
    let began = timer::now();
    pit::alarm(11_932);
    spin_for("the 8254's alarm did not come", || PIT.load(Relaxed) > 0)?;
    let ms = (timer::now() - began) / (timer::frequency() / 1000);
    timer::tick_for(3)?;
    line.mask(true);
    if PIT.load(Relaxed) != 1 || ms < 9 {
        return Err("the 8254's alarm came twice or early");
    }
    say!("{TICKS} interrupts of the 8254, none while masked, one for an alarm");
    Ok(())
}

/// The same by way of the 8259 to the local APIC's LINT0, as before there were I/O APICs (Intel 8259A; SDM volume 3, 11.5.1).
fn legacy() -> Verdict {
    const EXTERNAL: u32 = 7 << 8;
    PIT.store(0, Relaxed);
    apic::write(apic::register::LVT_LINT0, EXTERNAL);
    out8(0x21, 0xfe);
    pit::start(FREQUENCY);
    wait_for("no interrupt came by way of the 8259", || PIT.load(Relaxed) >= TICKS)?;
    out8(0x21, 0xff);
    timer::tick_for(1)?;
    let count = PIT.load(Relaxed);
    timer::tick_for(2)?;
    if PIT.load(Relaxed) != count {
        return Err("an interrupt came although the 8259 masks it");
    }
    pit::stop();
    apic::write(apic::register::LVT_LINT0, apic::MASKED);
    if in8(0x21) != 0xff {
        return Err("the 8259's mask is not what was written");
    }
    say!("{TICKS} interrupts by way of the 8259");
    Ok(())
}

/// The 8254's interrupt, by either way.
pub(super) fn on_pit(came: u32) {
    PIT.store(PIT.load(Relaxed) + 1, Relaxed);
    if came == vector::LEGACY {
        // OCW2: end of the highest in service.
        out8(0x20, 0x20);
    }
}

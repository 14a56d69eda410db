//! Shared interrupts, made pending by software: their order, more of them than list registers, and their ends.
//!
//! Where the order of events matters, interrupts are masked and taken by hand: the CPU interface works all the same.

mod ends;
mod nesting;
pub(super) mod order;
mod trigger;

use core::ops::Range;
use guest_runtime::gic::{self, Interrupt, SPECIAL};
use guest_runtime::system_register::{mask_interrupts, unmask_interrupts};
use guest_runtime::wait::spin_for;
use guest_runtime::{Machine, Verdict, say, timer};

/// More than any CPU has list registers (16), all in one word. No device of QEMU's `virt` has these.
const COUNT: u32 = 24;
/// The INTIDs of the tests.
pub(super) const RANGE: Range<u32> = 224..224 + COUNT;

/// How long an interrupt that is pending may take to arrive.
const PATIENCE_S: u64 = 10;

/// All tests.
pub(super) fn test(machine: &Machine) -> Verdict {
    if gic::architecture() != machine.gic_version
        || machine.uart.interrupt >= gic::interrupts()
        || RANGE.end > gic::interrupts()
    {
        return Err("GICD_TYPER or GICD_PIDR2");
    }
    if machine.is_ostler && gic::has_lpis() {
        return Err("GICD_TYPER has LPIs");
    }
    say!("GICv{} with {} interrupts", gic::architecture(), gic::interrupts());
    order::test()?;
    nesting::test(machine)?;
    ends::test(machine)?;
    trigger::test(machine)?;
    RANGE.into_iter().try_for_each(|intid| Interrupt(intid).disable())
}

/// Runs a test that takes interrupts by hand, without the timer's. Afterwards the timer still ticks, and nothing waits
/// for it in vain.
pub(super) fn alone(machine: &Machine, test: impl FnOnce() -> Verdict) -> Verdict {
    mask_interrupts();
    let ticks = Interrupt(machine.virtual_timer);
    let verdict = ticks.disable().and_then(|()| test());
    let enabled = ticks.enable();
    let count = timer::count();
    unmask_interrupts();
    verdict.and(enabled)?;
    spin_for("the timer ticks no more", || timer::count() != count)
}

/// Takes the next interrupt by hand.
pub(super) fn take() -> Result<u32, &'static str> {
    let deadline = timer::now() + PATIENCE_S * timer::frequency();
    while timer::now() < deadline {
        let intid = gic::acknowledge();
        if intid < SPECIAL {
            return Ok(intid);
        }
    }
    Err("an interrupt that is pending does not arrive")
}

/// Nothing is to be taken; else `what` is wrong. Looks for a while: what is on its way shall arrive.
pub(super) fn nothing(what: &'static str) -> Verdict {
    let deadline = timer::now() + timer::frequency() / 1000;
    while timer::now() < deadline {
        if gic::acknowledge() < SPECIAL {
            return Err(what);
        }
    }
    Ok(())
}

/// Takes `spi` by hand.
fn take_this(spi: Interrupt) -> Verdict {
    if take()? == spi.0 { Ok(()) } else { Err("another SPI came than the one that is due") }
}

/// The first `count` SPIs, enabled.
fn enabled(count: u32) -> Result<impl DoubleEndedIterator<Item = Interrupt> + Clone, &'static str> {
    let spis = RANGE.map(Interrupt).take(count as usize);
    spis.clone().try_for_each(Interrupt::enable)?;
    Ok(spis)
}

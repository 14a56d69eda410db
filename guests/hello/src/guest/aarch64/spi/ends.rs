//! Ends in two steps (ICC_CTLR_EL1.EOImode): a priority that drops while its interrupt stays active.

use super::{RANGE, alone, enabled, nothing, take, take_this};
use guest_runtime::gic::{self, Interrupt};
use guest_runtime::{Machine, Verdict, say};

/// SPIs of one priority.
const COUNT: u32 = 10;

/// With the split switched on for as long as the timer is off, whose handler knows nothing of it.
pub(super) fn test(machine: &Machine) -> Verdict {
    let spis = enabled(COUNT)?;
    alone(machine, || {
        gic::split_ends(true);
        let verdict = in_two_steps(spis);
        gic::split_ends(false);
        verdict
    })?;
    say!("{COUNT} SPIs active at once, priority drop and deactivation apart");
    Ok(())
}

/// Takes them all before the first is deactivated.
fn in_two_steps(spis: impl Iterator<Item = Interrupt> + Clone) -> Verdict {
    let first = Interrupt(RANGE.start);
    first.raise_many((1 << COUNT) - 1)?;
    let mut came = 0;
    for _ in 0..COUNT {
        let intid = take()?;
        gic::end(intid);
        came |= 1 << (intid - RANGE.start);
    }
    if came != (1 << COUNT) - 1 {
        return Err("an SPI came twice, and another not at all");
    }
    for spi in spis.clone() {
        if !spi.is_active()? {
            return Err("an SPI is not active although nobody deactivated it");
        }
    }
    first.raise()?;
    nothing("an SPI came while it was active")?;
    gic::deactivate(first.0);
    take_this(first)?;
    gic::end(first.0);
    for spi in spis {
        gic::deactivate(spi.0);
        if spi.is_active()? {
            return Err("an SPI is active although it was deactivated");
        }
    }
    nothing("an SPI came twice")
}

//! Interrupts within interrupts, deeper than there are list registers.

use super::{alone, enabled, nothing, take_this};
use guest_runtime::gic;
use guest_runtime::{Machine, Verdict, say};

/// Priorities are at least 32, 8 apart; most CPUs have 4 list registers.
const DEPTH: u32 = 12;
/// Of the first one; each later one is more urgent.
const PRIORITY: u8 = 0x98;

/// Takes each while all before it are active, then ends them backwards.
pub(super) fn test(machine: &Machine) -> Verdict {
    let spis = enabled(DEPTH)?;
    for (level, spi) in (0..).zip(spis.clone()) {
        spi.set_priority(PRIORITY - 8 * level)?;
    }
    alone(machine, || {
        for spi in spis.clone() {
            spi.raise()?;
            take_this(spi)?;
        }
        for spi in spis.clone() {
            if !spi.is_active()? {
                return Err("an SPI that was not ended is not active");
            }
        }
        for spi in spis.clone().rev() {
            gic::end(spi.0);
            if spi.is_active()? {
                return Err("an SPI that was ended is still active");
            }
        }
        nothing("an SPI came twice")
    })?;
    say!("{DEPTH} SPIs active at once, within one another");
    Ok(())
}

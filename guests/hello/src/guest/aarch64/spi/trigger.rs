//! Level and edge: an SPI that software made pending is the same under both.

use super::{RANGE, alone, nothing, take_this};
use guest_runtime::gic::{self, Interrupt, Trigger};
use guest_runtime::{Machine, Verdict, say};

/// Configures and takes one SPI either way.
pub(super) fn test(machine: &Machine) -> Verdict {
    let spi = Interrupt(RANGE.start + 1);
    for trigger in [Trigger::Edge, Trigger::Level] {
        spi.disable()?;
        spi.set_trigger(trigger)?;
        if spi.trigger()? != trigger {
            return Err("GICD_ICFGR does not keep what was written");
        }
        spi.enable()?;
        alone(machine, || comes_as_often_as_raised(spi))?;
    }
    say!("an SPI comes as often as it was raised, level or edge");
    Ok(())
}

fn comes_as_often_as_raised(spi: Interrupt) -> Verdict {
    spi.raise()?;
    take_this(spi)?;
    if spi.is_pending()? {
        return Err("an SPI is still pending although it was taken");
    }
    // Raised while it is active, it comes once more after its end.
    spi.raise()?;
    spi.raise()?;
    if !spi.is_pending()? || !spi.is_active()? {
        return Err("an SPI is not both active and pending");
    }
    gic::end(spi.0);
    take_this(spi)?;
    gic::end(spi.0);
    nothing("an SPI came more often than it was raised")?;
    spi.raise()?;
    spi.withdraw()?;
    if spi.is_pending()? {
        return Err("an SPI is pending although it was withdrawn");
    }
    nothing("an SPI came although it was withdrawn")
}

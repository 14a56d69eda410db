//! The UART's transmit interrupt: that it comes, and that its line is a level.

use super::spi::{alone, nothing, take};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use guest_runtime::gic::{self, Interrupt};
use guest_runtime::uart::{self, TRANSMIT};
use guest_runtime::wait::wait_for;
use guest_runtime::{Machine, Verdict, say};

/// The interrupt came.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The interrupt comes when characters have gone out, and again until the UART lets go of its line.
pub(super) fn interrupts(machine: &Machine) -> Verdict {
    let intid = machine.uart.interrupt;
    Interrupt(intid).enable()?;
    uart::clear(TRANSMIT);
    uart::unmask(TRANSMIT);
    // More than half a FIFO, so that a real FIFO falls through its level too.
    say!("waiting for the UART's interrupt");
    wait_for("no interrupt came from the UART", || INTERRUPTED.load(Relaxed))?;
    say!("the UART's transmit interrupt came");
    alone(machine, || {
        uart::unmask(TRANSMIT);
        for _ in 0..3 {
            if take()? != intid {
                return Err("another interrupt than the UART's came");
            }
            gic::end(intid);
        }
        uart::unmask(0);
        nothing("the UART's interrupt came although its line is low")
    })?;
    say!("it comes again as long as its line is high");
    Ok(())
}

/// Masks the one interrupt that was asked for.
pub(super) fn on_interrupt() {
    uart::unmask(0);
    INTERRUPTED.store(true, Relaxed);
}

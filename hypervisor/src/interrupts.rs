//! The board's own interrupts: the console's UART, and those that are guests' own; the rest only ever wake the loop.

use core::sync::atomic::{AtomicU32, Ordering};

use arch::{gic, intid};

use crate::{board, fatal, passing, terminal};

/// Lower INTIDs are a CPU's own: their sender may have changed its mind.
const FIRST_SHARED: u32 = 32;

/// INTID of the board's UART; zero, an SGI of ours, if it has none.
static CONSOLE: AtomicU32 = AtomicU32::new(0);

/// Listens to the UART.
pub fn enable_console(intid: u32) {
    CONSOLE.store(intid, Ordering::Relaxed);
    if let Some(distributor) = board::distributor() {
        gic::enable_shared(distributor, intid);
    }
}

/// Whether the UART interrupts.
#[inline]
pub fn has_console() -> bool {
    CONSOLE.load(Ordering::Relaxed) != 0
}

/// Handles an interrupt that was acknowledged and whose priority was dropped.
pub fn handle(intid: u32) {
    if intid != 0 && intid == CONSOLE.load(Ordering::Relaxed) {
        terminal::interrupt();
    } else if intid >= FIRST_SHARED {
        if passing::arrived(intid) {
            // It stays active until its guest is done with it.
            return;
        }
        log::error!("interrupt {intid} is nobody's");
    }
    if intid == intid::STOP {
        fatal::stopped();
    }
    gic::deactivate(intid);
}

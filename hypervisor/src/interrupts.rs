//! The board's own interrupts: the console's UART, and those that are guests' own; the rest only ever wake the loop.

use core::sync::atomic::{AtomicU32, Ordering};

use arch::{controller, interrupts};

use crate::{fatal, log, passing, terminal};

/// One more than the number of the interrupt of the board's UART; zero if it has none.
static CONSOLE: AtomicU32 = AtomicU32::new(0);

/// Listens to the UART.
pub fn enable_console(number: u32) {
    CONSOLE.store(number.wrapping_add(1), Ordering::Relaxed);
    controller::enable_shared(number);
}

/// Whether the UART interrupts.
#[inline]
pub fn has_console() -> bool {
    CONSOLE.load(Ordering::Relaxed) != 0
}

/// Handles an interrupt that was taken.
pub fn handle(number: u32) {
    if number.wrapping_add(1) == CONSOLE.load(Ordering::Relaxed) {
        terminal::interrupt();
    } else if interrupts::is_shared(number) {
        if passing::arrived(number) {
            // It does not come again until its guest is done with it.
            return;
        }
        // (Of a CPU's own ones the sender may have changed its mind.)
        log::error!("interrupt {number} is nobody's");
    }
    if number == interrupts::STOP {
        fatal::stopped();
    }
    controller::done(number);
}

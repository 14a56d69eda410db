//! The board's own interrupts: the console's UART, and those that are guests' own; the rest only ever wake the loop.

use core::sync::atomic::{AtomicU32, Ordering};

use arch::{controller, interrupts};

use crate::{fatal, passing, terminal};

/// The board's UART has no interrupt.
const NONE: u32 = u32::MAX;
/// Number of the interrupt of the board's UART.
static CONSOLE: AtomicU32 = AtomicU32::new(NONE);

/// Listens to the UART.
pub fn enable_console(number: u32) {
    CONSOLE.store(number, Ordering::Relaxed);
    controller::enable_shared(number);
}

/// Whether the UART interrupts.
#[inline]
pub fn has_console() -> bool {
    CONSOLE.load(Ordering::Relaxed) != NONE
}

/// Handles an interrupt that was taken.
pub fn handle(number: u32) {
    if number == CONSOLE.load(Ordering::Relaxed) {
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

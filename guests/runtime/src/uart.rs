//! The PL011 as a console, and its transmit interrupt.

use super::system_register::{read32, write32};
use super::{Verdict, wait_for};
use core::fmt::{Result, Write};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

const DR: usize = 0x00;
const FR: usize = 0x18;
const LCR_H: usize = 0x2c;
const CR: usize = 0x30;
const IMSC: usize = 0x38;
const ICR: usize = 0x44;
const FR_TXFF: u32 = 1 << 5;
const INT_TX: u32 = 1 << 5;

/// Address of the registers; 0 before `open`.
static BASE: AtomicUsize = AtomicUsize::new(0);
/// The transmit interrupt came.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The console. Only one CPU prints at a time.
pub(crate) struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> Result {
        let base = BASE.load(Relaxed);
        if base == 0 {
            return Ok(());
        }
        for byte in text.bytes() {
            while read32(base + FR) & FR_TXFF != 0 {}
            write32(base + DR, byte.into());
        }
        Ok(())
    }
}

/// Prints a line.
macro_rules! println {
    ($($argument:tt)*) => {{
        use core::fmt::Write;
        // Writing to this console cannot fail.
        let _ = write!($crate::guest::uart::Console, "{}\r\n", format_args!($($argument)*));
    }};
}
pub(crate) use println;

/// Enables the UART: 8 bits, FIFOs, both directions, no interrupts.
pub(crate) fn open(base: usize) {
    write32(base + IMSC, 0);
    write32(base + CR, 0);
    write32(base + LCR_H, 0b11 << 5 | 1 << 4);
    write32(base + CR, 1 << 9 | 1 << 8 | 1);
    BASE.store(base, Relaxed);
}

/// Whether the transmit interrupt comes when characters have gone out.
pub(crate) fn interrupts() -> Verdict {
    let base = BASE.load(Relaxed);
    write32(base + ICR, INT_TX);
    write32(base + IMSC, INT_TX);
    // More than half a FIFO, so that a real FIFO falls through its level too.
    println!("hello: waiting for the UART's interrupt");
    wait_for("no interrupt came from the UART", || INTERRUPTED.load(Relaxed))
}

/// Masks and clears the one interrupt that was asked for.
pub(crate) fn on_interrupt() {
    let base = BASE.load(Relaxed);
    write32(base + IMSC, 0);
    write32(base + ICR, INT_TX);
    INTERRUPTED.store(true, Relaxed);
}

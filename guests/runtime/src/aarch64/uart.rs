//! The machine's PL011 (DDI 0183), or what the SBSA leaves of one (DEN 0029, appendix B).

use crate::machine::Uart;
use crate::mmio::{read32, write32};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const DR: usize = 0x00;
const FR: usize = 0x18;
const LCR_H: usize = 0x2c;
const CR: usize = 0x30;
const IMSC: usize = 0x38;
const ICR: usize = 0x44;
const FR_RXFE: u32 = 1 << 4;
const FR_TXFF: u32 = 1 << 5;

/// Interrupt of characters that came (the FIFO is at its level), and of one that has waited in the FIFO for a while.
pub const RECEIVE: u32 = 1 << 4 | 1 << 6;
/// Interrupt of characters that went out.
pub const TRANSMIT: u32 = 1 << 5;

/// Address of the registers; 0 before `open`.
static BASE: AtomicUsize = AtomicUsize::new(0);

fn base() -> usize {
    BASE.load(Relaxed)
}

/// Enables the UART: 8 bits, FIFOs, both directions, no interrupts.
pub fn open(uart: &Uart) {
    let base = uart.base;
    write32(base + IMSC, 0);
    if !uart.is_generic {
        write32(base + CR, 0);
        write32(base + LCR_H, 0b11 << 5 | 1 << 4);
        write32(base + CR, 1 << 9 | 1 << 8 | 1);
    }
    BASE.store(base, Relaxed);
}

/// Sends a character; into nothing before the UART is open.
pub(crate) fn send(byte: u8) {
    let base = base();
    if base == 0 {
        return;
    }
    while read32(base + FR) & FR_TXFF != 0 {}
    write32(base + DR, byte.into());
}

/// The next character that came.
pub fn receive() -> Option<u8> {
    (read32(base() + FR) & FR_RXFE == 0).then(|| read32(base() + DR) as u8)
}

/// These interrupts, and no others, from here on.
pub fn unmask(interrupts: u32) {
    write32(base() + IMSC, interrupts);
}

/// These interrupts have been seen.
pub fn clear(interrupts: u32) {
    write32(base() + ICR, interrupts);
}

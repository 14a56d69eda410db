//! The machine's 16550 (National Semiconductor PC16550D).

use super::cpu::{in8, out8};
use crate::machine::Uart;
use core::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// RBR and THR; DLL while DLAB is set.
const DATA: u16 = 0;
/// IER; DLM while DLAB is set.
const ENABLE: u16 = 1;
/// IIR for reads, FCR for writes.
const IDENTIFICATION: u16 = 2;
const LINE_CONTROL: u16 = 3;
const MODEM_CONTROL: u16 = 4;
const LINE_STATUS: u16 = 5;
/// SCR: a byte that means nothing.
pub const SCRATCH: u16 = 7;
/// LSR: a character is there.
const READY: u8 = 1;
/// LSR: THR is empty.
const EMPTY: u8 = 1 << 5;

/// Interrupt of characters that came.
pub const RECEIVE: u8 = 1;
/// Interrupt of characters that went out.
pub const TRANSMIT: u8 = 1 << 1;

/// First of its ports; 0 before `open`.
static BASE: AtomicU16 = AtomicU16::new(0);

fn base() -> u16 {
    BASE.load(Relaxed)
}

/// Enables the UART: 115,200 baud, 8 bits, FIFOs, the interrupt's line driven (MCR.OUT2), no interrupts.
pub fn open(uart: &Uart) {
    let base = uart.port;
    out8(base + ENABLE, 0);
    out8(base + LINE_CONTROL, 0x80);
    out8(base + DATA, 1);
    out8(base + ENABLE, 0);
    out8(base + LINE_CONTROL, 0x03);
    out8(base + IDENTIFICATION, 0x07);
    out8(base + MODEM_CONTROL, 0x0b);
    BASE.store(base, Relaxed);
}

/// Sends a character; into nothing before the UART is open.
pub(crate) fn send(byte: u8) {
    let base = base();
    if base == 0 {
        return;
    }
    while in8(base + LINE_STATUS) & EMPTY == 0 {}
    out8(base + DATA, byte);
}

/// The next character that came.
pub fn receive() -> Option<u8> {
    (in8(base() + LINE_STATUS) & READY != 0).then(|| in8(base() + DATA))
}

/// These interrupts, and no others, from here on.
pub fn unmask(interrupts: u8) {
    out8(base() + ENABLE, interrupts);
}

/// These interrupts have been seen: that of characters that went out by a look at IIR, that of those that came by taking them.
pub fn clear(_interrupts: u8) {
    in8(base() + IDENTIFICATION);
}

//! The SPCR (Microsoft, Serial Port Console Redirection Table 1.08): which UART is the console.

use super::super::hardware::{Facts, Uart};
use super::super::physical::{u8_at, u32_at};
use super::port;

pub(super) fn read(facts: &mut Facts, spcr: &[u8]) {
    // Interface types: a 16550, one that is compatible, one whose registers' distance is told.
    if !matches!(u8_at(spcr, 36), Some(0 | 1 | 0x12)) {
        return facts.note("SPCR", "its UART is no 16550, not used");
    }
    let Some(port) = port(spcr, 40) else {
        return facts.note("SPCR", "its UART is not at a port, not used");
    };
    // Interrupt type: bit 0 an 8259's, bit 1 an I/O APIC's.
    let isa = u8_at(spcr, 53).and_then(|irq| facts.hardware.board.controller.isa.get(usize::from(irq)));
    let line = match u8_at(spcr, 52) {
        Some(kind) if kind & 0b10 != 0 => u32_at(spcr, 54),
        Some(kind) if kind & 0b01 != 0 => isa.map(|isa| isa.line),
        _ => None,
    };
    facts.hardware.console = Some(Uart { port, line });
}

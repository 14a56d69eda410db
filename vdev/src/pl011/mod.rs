//! The Arm PrimeCell UART (PL011, DDI 0183G), revision r1p5, on a console [`Endpoint`].
//!
//! The line is infinitely fast and never wrong: there is no baud rate, no parity, framing or break error, and the
//! modem at the far end is always ready. Two things make it a device that drivers can wait for:
//!
//! - **Transmit.** A character goes into the endpoint's output ring at once. The last 32 free bytes of the ring play the
//!   transmit FIFO: while the mux keeps up, the FIFO is empty; when the ring is about to fill because the board's UART
//!   is slower than the guest, FR shows it filling and then full, and a driver that looks at FR or waits for the
//!   transmit interrupt loses nothing. A driver that looks at neither loses characters, as on silicon; they are counted.
//! - **Receive.** Characters stay in the endpoint's input ring until the FIFO has room. The time-out interrupt, which
//!   silicon raises when a character has sat in the FIFO for 32 bit times, is raised as the character arrives.
//!
//! Transmission does not wait for UARTEN and TXE: Linux's `earlycon` and small programs write characters to a UART that
//! they expect firmware to have enabled.

mod registers;
#[cfg(test)]
mod tests;

use crate::fifo::Fifo;
use crate::registers::identification;
use crate::{Endpoint, Registers, Uart, Width};
use registers::*;

/// Depth of both FIFOs of revision r1p5.
const DEPTH: usize = 32;
/// UARTCR after reset: transmit and receive enabled, the UART itself not (DDI 0183G, table 3-12).
const CR_RESET: u16 = CR_TXE | CR_RXE;
/// The bits of UARTCR that exist; 6 to 3 are reserved.
const CR_BITS: u16 = 0xff87;
/// UARTIFLS after reset: both levels at one half.
const IFLS_RESET: u16 = 0x12;

/// One PL011.
#[derive(Debug)]
pub struct Pl011<'a> {
    endpoint: Option<&'a Endpoint>,
    receive: Fifo<DEPTH>,
    /// UARTRSR.OE: an overrun since the last write to UARTECR.
    overrun: bool,
    /// UARTDR.OE: an overrun since there was last room.
    overrun_now: bool,
    /// `dropped` of the input ring when last looked at.
    input_dropped: u64,
    /// The transmit FIFO was above its level when last looked at.
    congested: bool,
    /// The VM stops: nothing goes in or out.
    quiesced: bool,
    interrupts: u16,
    mask: u16,
    control: u16,
    line_control: u16,
    levels: u16,
    /// ILPR, IBRD, FBRD and DMACR are stored for the driver and mean nothing here.
    low_power: u16,
    integer_divisor: u16,
    fractional_divisor: u16,
    dma_control: u16,
}

impl<'a> Pl011<'a> {
    /// Size of the register frame in bytes.
    pub const FRAME_BYTES: u64 = 0x1000;

    /// A UART after power-on. Without an endpoint its output is dropped and input never comes.
    pub const fn new(endpoint: Option<&'a Endpoint>) -> Self {
        Pl011 {
            endpoint,
            receive: Fifo::new(),
            overrun: false,
            overrun_now: false,
            input_dropped: 0,
            congested: false,
            quiesced: false,
            interrupts: 0,
            mask: 0,
            control: CR_RESET,
            line_control: 0,
            levels: IFLS_RESET,
            low_power: 0,
            integer_divisor: 0,
            fractional_divisor: 0,
            dma_control: 0,
        }
    }

    /// Depth of both FIFOs as programmed.
    fn depth(&self) -> usize {
        if self.line_control & LCR_FEN != 0 { DEPTH } else { 1 }
    }

    fn loopback(&self) -> bool {
        self.control & CR_LBE != 0
    }

    /// Takes input while the FIFO has room; not in loopback, which disconnects the line (DDI 0183G, 2.4.7).
    fn take_input(&mut self) {
        let enabled = self.control & (CR_UARTEN | CR_RXE) == CR_UARTEN | CR_RXE;
        let Some(endpoint) = self.endpoint.filter(|_| enabled && !self.loopback() && !self.quiesced) else { return };
        while self.receive.len() < self.depth() {
            let Some(byte) = endpoint.input.pop() else { break };
            self.arrive(byte);
        }
        let dropped = endpoint.input.dropped();
        if dropped != self.input_dropped {
            self.input_dropped = dropped;
            self.overrun();
        }
    }

    /// A character arrives on the line.
    fn arrive(&mut self, byte: u8) {
        if self.receive.push(byte, self.depth()) {
            self.interrupts |= INT_RT;
            if self.receive.len() >= self.receive_level() {
                self.interrupts |= INT_RX;
            }
        } else {
            self.overrun();
        }
    }

    fn overrun(&mut self) {
        self.overrun = true;
        self.overrun_now = true;
        self.interrupts |= INT_OE;
    }

    /// Characters at which the receive interrupt is raised (UARTIFLS.RXIFLSEL; reserved values as one half).
    fn receive_level(&self) -> usize {
        if self.depth() == 1 {
            return 1;
        }
        match (self.levels >> 3) & 7 {
            0 => DEPTH / 8,
            1 => DEPTH / 4,
            3 => DEPTH / 4 * 3,
            4 => DEPTH / 8 * 7,
            _ => DEPTH / 2,
        }
    }

    /// Characters at which the transmit interrupt is raised on the way down (UARTIFLS.TXIFLSEL).
    fn transmit_level(&self) -> usize {
        if self.depth() == 1 {
            return 0;
        }
        match self.levels & 7 {
            0 => DEPTH / 8,
            1 => DEPTH / 4,
            3 => DEPTH / 4 * 3,
            4 => DEPTH / 8 * 7,
            _ => DEPTH / 2,
        }
    }

    /// Characters in the transmit FIFO, which is the last part of the output ring.
    fn transmit_len(&self) -> usize {
        let room = self.endpoint.filter(|_| !self.quiesced).map_or(DEPTH, |endpoint| endpoint.output.room());
        self.depth().saturating_sub(room)
    }

    /// Whether the transmit FIFO holds more than its level.
    fn above_level(&self) -> bool {
        self.transmit_len() > self.transmit_level()
    }

    /// Raises the transmit interrupt if the FIFO has fallen to its level since it was last looked at, and else asks
    /// the mux for another look.
    fn watch_output(&mut self) {
        if !self.congested {
            return;
        }
        if self.above_level() {
            if let Some(endpoint) = self.endpoint {
                endpoint.wait_for_room();
            }
            if self.above_level() {
                return;
            }
        }
        self.congested = false;
        self.interrupts |= INT_TX;
    }

    fn transmit(&mut self, byte: u8) {
        if self.loopback() {
            self.arrive(byte);
        } else if let Some(endpoint) = self.endpoint.filter(|_| !self.quiesced) {
            // A refused character is lost, as one is that a driver writes into a full FIFO; the ring counts it.
            endpoint.output.push(byte);
            if self.above_level() {
                self.interrupts &= !INT_TX;
            }
        }
        // If the FIFO is not above its level now, it filled and emptied through it in one go.
        self.congested = true;
        self.watch_output();
    }

    fn receive(&mut self) -> u16 {
        let byte = self.receive.pop().map_or(0, u16::from);
        let error = if self.overrun_now { DR_OVERRUN } else { 0 };
        self.overrun_now = false;
        // Both interrupts fall with the level (DDI 0183G, 2.8.3 and 2.8.5); a character that moves up raises them.
        if self.receive.len() < self.receive_level() {
            self.interrupts &= !INT_RX;
        }
        if self.receive.len() == 0 {
            self.interrupts &= !INT_RT;
        }
        self.take_input();
        byte | error
    }

    fn flags(&self) -> u16 {
        let mut flags = self.modem();
        let mut set = |bit, when| flags |= if when { bit } else { 0 };
        set(FR_BUSY, self.transmit_len() > 0);
        set(FR_TXFE, self.transmit_len() == 0);
        set(FR_TXFF, self.transmit_len() >= self.depth());
        set(FR_RXFE, self.receive.len() == 0);
        set(FR_RXFF, self.receive.len() >= self.depth());
        flags
    }

    /// The modem inputs: always ready, or this UART's own outputs in loopback (DDI 0183G, table 3-12, LBE).
    fn modem(&self) -> u16 {
        if !self.loopback() {
            return FR_CTS | FR_DSR | FR_DCD;
        }
        [(CR_RTS, FR_CTS), (CR_DTR, FR_DSR), (CR_OUT1, FR_DCD), (CR_OUT2, FR_RI)]
            .into_iter()
            .filter(|(output, _)| self.control & output != 0)
            .fold(0, |flags, (_, input)| flags | input)
    }

    fn set_control(&mut self, value: u16) {
        let before = self.modem();
        self.control = value;
        let changed = self.modem() ^ before;
        for (flag, interrupt) in [(FR_RI, INT_RI), (FR_CTS, INT_CTS), (FR_DCD, INT_DCD), (FR_DSR, INT_DSR)] {
            if changed & flag != 0 {
                self.interrupts |= interrupt;
            }
        }
        self.take_input();
    }

    fn set_line_control(&mut self, value: u16) {
        let changed = self.line_control ^ value;
        self.line_control = value;
        if changed & LCR_FEN != 0 {
            self.receive.clear();
            self.overrun_now = false;
            self.interrupts &= !(INT_RX | INT_RT);
            self.take_input();
        }
    }
}

impl Uart for Pl011<'_> {
    fn poll(&mut self) {
        self.take_input();
        self.watch_output();
    }
}

impl Registers for Pl011<'_> {
    fn read(&mut self, offset: u64, width: Width) -> u64 {
        let value = match offset {
            // No bus that the PL011 sits on is wider than 32 bits.
            _ if width == Width::Double => 0,
            DR => self.receive(),
            RSR_ECR if self.overrun => RSR_OVERRUN,
            FR => self.flags(),
            ILPR => self.low_power,
            IBRD => self.integer_divisor,
            FBRD => self.fractional_divisor,
            LCR_H => self.line_control,
            CR => self.control,
            IFLS => self.levels,
            IMSC => self.mask,
            RIS => self.interrupts,
            MIS => self.interrupts & self.mask,
            DMACR => self.dma_control,
            PERIPH_ID0.. => identification(&IDENTIFICATION, offset.wrapping_sub(PERIPH_ID0)).into(),
            _ => 0,
        };
        u64::from(value) & width.mask()
    }

    fn write(&mut self, offset: u64, width: Width, value: u64) {
        if width == Width::Double {
            return;
        }
        let written = (value & width.mask() & 0xffff) as u16;
        // A byte store leaves the other byte of the register as it was.
        let merge = |old: u16| if width == Width::Byte { old & 0xff00 | written } else { written };
        match offset {
            DR => self.transmit(written.to_le_bytes()[0]),
            RSR_ECR => self.overrun = false,
            ILPR => self.low_power = merge(self.low_power) & 0xff,
            IBRD => self.integer_divisor = merge(self.integer_divisor),
            FBRD => self.fractional_divisor = merge(self.fractional_divisor) & 0x3f,
            LCR_H => self.set_line_control(merge(self.line_control) & 0xff),
            CR => self.set_control(merge(self.control) & CR_BITS),
            IFLS => {
                self.levels = merge(self.levels) & 0x3f;
                self.watch_output();
            }
            IMSC => self.mask = merge(self.mask) & INT_ALL,
            ICR => self.interrupts &= !written,
            DMACR => self.dma_control = merge(self.dma_control) & 0x7,
            _ => {}
        }
    }

    fn line(&self) -> bool {
        self.interrupts & self.mask != 0 && !self.quiesced
    }

    fn reset(&mut self) {
        let input_dropped = self.endpoint.map_or(0, |endpoint| endpoint.input.dropped());
        *self = Pl011 { input_dropped, ..Pl011::new(self.endpoint) };
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
    }
}

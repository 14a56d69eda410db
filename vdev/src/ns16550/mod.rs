//! The UART of PCs (National Semiconductor PC16550D), on a console [`Endpoint`].
//!
//! The line is infinitely fast and never wrong: the divisor is kept and means nothing, there is no parity, framing or break
//! error, a break that the guest sends reaches nobody, and the modem at the far end is always ready. What makes it a device
//! that drivers can wait for is as in the PL011:
//!
//! - **Transmit.** A character goes into the endpoint's output ring at once. The last 16 free bytes of the ring play the
//!   transmit FIFO: while the mux keeps up, THR is empty; when the ring is about to fill because the board's UART is slower
//!   than the guest, LSR says that it is not, and a driver that looks at LSR or waits for the THR empty interrupt loses
//!   nothing. A driver that looks at neither loses characters, as on silicon; they are counted.
//! - **Receive.** Characters stay in the endpoint's input ring until the FIFO has room. The time-out interrupt, which
//!   silicon raises when a character has sat in the FIFO for four character times, is raised as the character arrives.
//!
//! PCs let the interrupt through only while OUT2 is set. This is the chip by its data sheet, whose INTR pin knows nothing of
//! OUT2: systems that set it see no difference, and small programs that don't get their interrupts.

mod registers;
#[cfg(test)]
mod tests;

use crate::fifo::Fifo;
use crate::{Endpoint, Registers, Uart, Width};
use registers::*;

/// Depth of both FIFOs.
const DEPTH: usize = 16;

/// One 16550A.
#[derive(Debug)]
pub struct Ns16550<'a> {
    endpoint: Option<&'a Endpoint>,
    receive: Fifo<DEPTH>,
    /// LSR.OE: an overrun since LSR was last read.
    overrun: bool,
    /// `dropped` of the input ring when last looked at.
    input_dropped: u64,
    /// THR was not empty when last looked at.
    congested: bool,
    /// The THR empty interrupt, whether enabled or not.
    emptied: bool,
    /// The VM stops: nothing goes in or out.
    quiesced: bool,
    enabled: u8,
    fifo_control: u8,
    line_control: u8,
    modem_control: u8,
    /// The lower half of MSR.
    modem_changes: u8,
    scratch: u8,
    divisor_low: u8,
    divisor_high: u8,
}

impl<'a> Ns16550<'a> {
    /// Number of ports.
    pub const FRAME_BYTES: u64 = 8;

    /// A UART after power-on. Without an endpoint its output is dropped and input never comes.
    pub const fn new(endpoint: Option<&'a Endpoint>) -> Self {
        Ns16550 {
            endpoint,
            receive: Fifo::new(),
            overrun: false,
            input_dropped: 0,
            congested: false,
            emptied: false,
            quiesced: false,
            enabled: 0,
            fifo_control: 0,
            line_control: 0,
            modem_control: 0,
            modem_changes: 0,
            scratch: 0,
            divisor_low: 0,
            divisor_high: 0,
        }
    }

    fn has_fifos(&self) -> bool {
        self.fifo_control & FCR_ENABLE != 0
    }

    /// Depth of both FIFOs as programmed.
    fn depth(&self) -> usize {
        if self.has_fifos() { DEPTH } else { 1 }
    }

    /// Characters at which the received data interrupt is raised (PC16550D, section 8.5).
    fn trigger(&self) -> usize {
        match self.fifo_control >> 6 {
            _ if !self.has_fifos() => 1,
            0 => 1,
            1 => 4,
            2 => 8,
            _ => 14,
        }
    }

    fn divisor_shows(&self) -> bool {
        self.line_control & LCR_DLAB != 0
    }

    fn loopback(&self) -> bool {
        self.modem_control & MCR_LOOP != 0
    }

    /// Takes input while the FIFO has room; not in loopback, which disconnects the line (PC16550D, section 8.7).
    fn take_input(&mut self) {
        let Some(endpoint) = self.endpoint.filter(|_| !self.loopback() && !self.quiesced) else { return };
        while self.receive.len() < self.depth() {
            let Some(byte) = endpoint.input.pop() else { break };
            self.receive.push(byte, DEPTH);
        }
        let dropped = endpoint.input.dropped();
        self.overrun |= dropped != self.input_dropped;
        self.input_dropped = dropped;
    }

    /// Whether the transmit FIFO, which is the last part of the output ring, is empty.
    fn is_thr_empty(&self) -> bool {
        let endpoint = self.endpoint.filter(|_| !self.quiesced && !self.loopback());
        endpoint.is_none_or(|endpoint| endpoint.output.room() >= self.depth())
    }

    /// Raises the THR empty interrupt if THR has become empty since it was last looked at, and else asks the mux for another
    /// look.
    fn watch_output(&mut self) {
        if !self.congested {
            return;
        }
        if !self.is_thr_empty() {
            if let Some(endpoint) = self.endpoint {
                endpoint.wait_for_room();
            }
            if !self.is_thr_empty() {
                return;
            }
        }
        self.congested = false;
        self.emptied = true;
    }

    /// A character arrives that cannot wait.
    fn arrive(&mut self, byte: u8) {
        if self.receive.push(byte, self.depth()) {
            return;
        }
        self.overrun = true;
        // PC16550D, section 8.4: it is lost if the FIFO is full; without FIFOs it takes the place of the one before.
        if !self.has_fifos() {
            self.receive.clear();
            self.receive.push(byte, DEPTH);
        }
    }

    fn transmit(&mut self, byte: u8) {
        self.emptied = false;
        if self.loopback() {
            self.arrive(byte);
        } else if let Some(endpoint) = self.endpoint.filter(|_| !self.quiesced) {
            // A refused character is lost, as one is that a driver writes into a full FIFO; the ring counts it.
            endpoint.output.push(byte);
        }
        // If THR is empty now, it filled and emptied in one go.
        self.congested = true;
        self.watch_output();
    }

    fn receive(&mut self) -> u8 {
        let byte = self.receive.pop().unwrap_or(0);
        self.take_input();
        byte
    }

    /// IIR without the bits that say whether there are FIFOs: the pending and enabled interrupt of the highest priority.
    fn interrupt(&self) -> u8 {
        let waiting = self.receive.len();
        if self.overrun && self.enabled & IER_LINE != 0 {
            IIR_LINE
        } else if waiting > 0 && self.enabled & IER_RECEIVED != 0 {
            if waiting >= self.trigger() { IIR_RECEIVED } else { IIR_TIMEOUT }
        } else if self.emptied && self.enabled & IER_EMPTY != 0 {
            IIR_EMPTY
        } else if self.modem_changes != 0 && self.enabled & IER_MODEM != 0 {
            IIR_MODEM
        } else {
            IIR_NONE
        }
    }

    fn identify(&mut self) -> u8 {
        let interrupt = self.interrupt();
        // PC16550D, table IV: reading IIR resets this interrupt, if it is the one that is read.
        if interrupt == IIR_EMPTY {
            self.emptied = false;
        }
        interrupt | if self.has_fifos() { IIR_FIFOS } else { 0 }
    }

    fn line_status(&mut self) -> u8 {
        let mut status = if self.is_thr_empty() { LSR_THR_EMPTY | LSR_IDLE } else { 0 };
        if self.receive.len() > 0 {
            status |= LSR_READY;
        }
        if core::mem::take(&mut self.overrun) {
            status |= LSR_OVERRUN;
        }
        status
    }

    /// The modem's lines, the upper half of MSR: always ready, or this UART's own outputs in loopback.
    fn modem(&self) -> u8 {
        if !self.loopback() {
            return MSR_CTS | MSR_DSR | MSR_DCD;
        }
        [(MCR_RTS, MSR_CTS), (MCR_DTR, MSR_DSR), (MCR_OUT1, MSR_RI), (MCR_OUT2, MSR_DCD)]
            .into_iter()
            .filter(|(output, _)| self.modem_control & output != 0)
            .fold(0, |lines, (_, input)| lines | input)
    }

    fn set_modem_control(&mut self, value: u8) {
        let before = self.modem();
        self.modem_control = value & MCR_ALL;
        let after = self.modem();
        // PC16550D, section 8.8: of the ring indicator only the end counts.
        self.modem_changes |= ((before ^ after) & !(after & MSR_RI)) >> 4;
        self.poll();
    }

    fn enable(&mut self, value: u8) {
        let new = value & IER_ALL & !self.enabled;
        self.enabled = value & IER_ALL;
        // Enabled anew, the interrupt is raised if THR is empty: drivers start to transmit by it.
        if new & IER_EMPTY != 0 && self.is_thr_empty() {
            self.emptied = true;
        }
    }

    fn set_fifo_control(&mut self, value: u8) {
        let switches = (value ^ self.fifo_control) & FCR_ENABLE != 0;
        // What is in the transmit FIFO is in the ring, out of its reach.
        if switches || value & (FCR_ENABLE | FCR_CLEAR_RECEIVE) == FCR_ENABLE | FCR_CLEAR_RECEIVE {
            self.receive.clear();
        }
        self.fifo_control = if value & FCR_ENABLE != 0 { value } else { 0 };
        self.poll();
    }
}

impl Uart for Ns16550<'_> {
    fn poll(&mut self) {
        self.take_input();
        self.watch_output();
    }
}

impl Registers for Ns16550<'_> {
    fn read(&mut self, offset: u64, _: Width) -> u64 {
        let value = match offset {
            DATA if self.divisor_shows() => self.divisor_low,
            IER if self.divisor_shows() => self.divisor_high,
            DATA => self.receive(),
            IER => self.enabled,
            IIR_FCR => self.identify(),
            LCR => self.line_control,
            MCR => self.modem_control,
            LSR => self.line_status(),
            MSR => self.modem() | core::mem::take(&mut self.modem_changes),
            SCR => self.scratch,
            _ => 0,
        };
        value.into()
    }

    fn write(&mut self, offset: u64, _: Width, value: u64) {
        let value = value.to_le_bytes()[0];
        match offset {
            DATA if self.divisor_shows() => self.divisor_low = value,
            IER if self.divisor_shows() => self.divisor_high = value,
            DATA => self.transmit(value),
            IER => self.enable(value),
            IIR_FCR => self.set_fifo_control(value),
            LCR => self.line_control = value,
            MCR => self.set_modem_control(value),
            SCR => self.scratch = value,
            _ => {}
        }
    }

    fn line(&self) -> bool {
        self.interrupt() != IIR_NONE && !self.quiesced
    }

    fn reset(&mut self) {
        let input_dropped = self.endpoint.map_or(0, |endpoint| endpoint.input.dropped());
        *self = Ns16550 { input_dropped, ..Ns16550::new(self.endpoint) };
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
    }
}

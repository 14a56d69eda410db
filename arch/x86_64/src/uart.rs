//! The board's own UART: a 16550 as it really is (National Semiconductor PC16550D), polled for room and never waited for.

use crate::registers::{read_port, write_port};

const RBR_THR: u16 = 0;
const IER: u16 = 1;
const IIR_FCR: u16 = 2;
const LCR: u16 = 3;
const MCR: u16 = 4;
const LSR: u16 = 5;
const SCR: u16 = 7;

const IER_RECEIVED: u8 = 1 << 0;
const IER_EMPTY: u8 = 1 << 1;
const LSR_DATA: u8 = 1 << 0;
const LSR_OVERRUN: u8 = 1 << 1;
const LSR_EMPTY: u8 = 1 << 5;
/// IIR says so of FIFOs that work; a 16450 has none (PC16550D 8.6).
const IIR_FIFOS: u8 = 0b11 << 6;

/// The UART at one range of ports. The hypervisor has one, inside of the console.
#[derive(Debug)]
pub struct Uart {
    base: u16,
    /// Bytes that its transmit FIFO holds.
    depth: u8,
    /// Bytes that the transmit FIFO takes before it has to be looked at again.
    room: u8,
    overruns: u64,
}

impl Uart {
    /// Whether there is one at `base`: its scratch register keeps what is written (PC16550D 8.9). Nothing answers with ones.
    pub fn is_at(base: u64) -> bool {
        let port = (base as u16).wrapping_add(SCR);
        [0x5a, 0xa5].into_iter().all(|value| {
            // SAFETY: a port of the board's console, or of nothing; neither reaches memory.
            unsafe { write_port(port, value) };
            read_port::<u8>(port) == value
        })
    }

    /// Sets up the UART whose first port is `base`: 8 bits, FIFOs on, receive interrupts enabled. Its baud rate is firmware's.
    ///
    /// # Safety
    /// A 16550 is at `base`, and nobody else drives it.
    pub unsafe fn new(base: u64) -> Uart {
        let mut uart = Uart { base: base as u16, depth: 1, room: 0, overruns: 0 };
        uart.write(IER, 0);
        // 8 bits, one stop bit, no parity; DLAB off, the divisor keeps its value.
        uart.write(LCR, 0b11);
        // FIFOs on and emptied; a receive interrupt with one byte, since a person types.
        uart.write(IIR_FCR, 0b111);
        if uart.read(IIR_FCR) & IIR_FIFOS == IIR_FIFOS {
            uart.depth = 16;
        }
        // DTR, RTS, and OUT2, which lets the interrupt out on a PC.
        uart.write(MCR, 0b1011);
        uart.acknowledge_interrupts();
        uart.write(IER, IER_RECEIVED);
        uart
    }

    fn read(&self, register: u16) -> u8 {
        read_port(self.base.wrapping_add(register))
    }

    fn write(&mut self, register: u16, value: u8) {
        // SAFETY: `new`'s promise; a UART's registers reach no memory.
        unsafe { write_port(self.base.wrapping_add(register), value) };
    }

    /// LSR, whose overrun bit is cleared by every read (PC16550D 8.4).
    fn status(&mut self) -> u8 {
        let status = self.read(LSR);
        self.overruns = self.overruns.saturating_add(u64::from(status & LSR_OVERRUN != 0));
        status
    }

    /// Sends `byte`; false if there is no room for it.
    pub fn try_put(&mut self, byte: u8) -> bool {
        // The status only says when the whole FIFO is empty: then it takes all that it holds.
        if self.room == 0 && self.status() & LSR_EMPTY != 0 {
            self.room = self.depth;
        }
        let Some(room) = self.room.checked_sub(1) else { return false };
        self.room = room;
        self.write(RBR_THR, byte);
        true
    }

    /// A received byte.
    pub fn try_get(&mut self) -> Option<u8> {
        (self.status() & LSR_DATA != 0).then(|| self.read(RBR_THR))
    }

    /// Whether to interrupt when there is room again.
    pub fn want_transmit_interrupt(&mut self, on: bool) {
        self.write(IER, IER_RECEIVED | if on { IER_EMPTY } else { 0 });
    }

    /// Clears what interrupts, but received bytes, which wait for [`Uart::try_get`].
    pub fn acknowledge_interrupts(&mut self) {
        // The line goes down, and so may rise again for an edge, when IIR has named everything once: at most four sources
        // (PC16550D 8.6). Reading it clears the empty transmitter, LSR and MSR the others.
        self.read(IIR_FCR);
        self.status();
        self.read(6);
    }

    /// How often the receive FIFO was full.
    pub fn overruns(&self) -> u64 {
        self.overruns
    }
}

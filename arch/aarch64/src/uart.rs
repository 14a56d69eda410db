//! The board's own UART: a PL011 as it really is (DDI 0183G), polled for room and never waited for.

use core::ptr::{read_volatile, write_volatile};

const DR: usize = 0x00;
const FR: usize = 0x18;
const LCR_H: usize = 0x2c;
const CR: usize = 0x30;
const IFLS: usize = 0x34;
const IMSC: usize = 0x38;
const RIS: usize = 0x3c;
const ICR: usize = 0x44;

const FR_RXFE: u32 = 1 << 4;
const FR_TXFF: u32 = 1 << 5;
const INT_RX: u32 = 1 << 4;
const INT_TX: u32 = 1 << 5;
const INT_RT: u32 = 1 << 6;
const INT_OE: u32 = 1 << 10;

/// The UART at one address. The hypervisor has one, inside of the console.
#[derive(Debug)]
pub struct Uart {
    base: usize,
    overruns: u64,
}

impl Uart {
    /// Sets up the UART at `base`: 8 bits, FIFOs on, receive interrupts enabled. Its baud rate is firmware's.
    ///
    /// # Safety
    /// The registers of a PL011 are mapped at `base` as device memory, for good, and nobody else drives them.
    pub unsafe fn new(base: u64) -> Uart {
        let mut uart = Uart { base: base as usize, overruns: 0 };
        uart.write(IMSC, 0);
        uart.write(ICR, 0x7ff);
        // WLEN 8 bits and FEN. LCR_H also latches the divisors, which keep their values.
        uart.write(LCR_H, 0b11 << 5 | 1 << 4);
        // Transmit interrupt when the FIFO is at most 1/8 full, receive at 1/8.
        uart.write(IFLS, 0);
        // UARTEN, TXE, RXE.
        uart.write(CR, 1 | 1 << 8 | 1 << 9);
        uart.write(IMSC, INT_RX | INT_RT);
        uart
    }

    fn read(&self, offset: usize) -> u32 {
        // SAFETY: `new`'s promise; offsets are this file's constants.
        unsafe { read_volatile(core::ptr::with_exposed_provenance(self.base.wrapping_add(offset))) }
    }

    fn write(&mut self, offset: usize, value: u32) {
        // SAFETY: as `read`; a UART's registers reach no memory.
        unsafe { write_volatile(core::ptr::with_exposed_provenance_mut(self.base.wrapping_add(offset)), value) }
    }

    /// Sends `byte`; false if there is no room for it.
    pub fn try_put(&mut self, byte: u8) -> bool {
        let room = self.read(FR) & FR_TXFF == 0;
        if room {
            self.write(DR, u32::from(byte));
        }
        room
    }

    /// A received byte.
    pub fn try_get(&mut self) -> Option<u8> {
        (self.read(FR) & FR_RXFE == 0).then(|| (self.read(DR) & 0xff) as u8)
    }

    /// Whether to interrupt when there is room again.
    pub fn want_transmit_interrupt(&mut self, on: bool) {
        self.write(IMSC, INT_RX | INT_RT | if on { INT_TX } else { 0 });
    }

    /// Clears what interrupts, but received bytes, which wait for [`Uart::try_get`].
    pub fn acknowledge_interrupts(&mut self) {
        // Set although its interrupt is masked, until it is cleared here (3.3.11).
        let overrun = self.read(RIS) & INT_OE != 0;
        self.overruns = self.overruns.saturating_add(u64::from(overrun));
        self.write(ICR, 0x7ff);
    }

    /// How often the receive FIFO was full.
    pub fn overruns(&self) -> u64 {
        self.overruns
    }
}

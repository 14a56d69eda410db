//! Offsets and bits of the 16550's registers (PC16550D, section 8). Only what the model looks at has a name.

/// RBR on a read, THR on a write; the divisor's low byte while LCR.DLAB is set.
pub(super) const DATA: u64 = 0;
/// IER; the divisor's high byte while LCR.DLAB is set.
pub(super) const IER: u64 = 1;
/// IIR on a read, FCR on a write.
pub(super) const IIR_FCR: u64 = 2;
/// Line control.
pub(super) const LCR: u64 = 3;
/// Modem control.
pub(super) const MCR: u64 = 4;
/// Line status.
pub(super) const LSR: u64 = 5;
/// Modem status.
pub(super) const MSR: u64 = 6;
/// Scratch.
pub(super) const SCR: u64 = 7;

/// Received data interrupt, and character time-out.
pub(super) const IER_RECEIVED: u8 = 1 << 0;
/// THR empty interrupt.
pub(super) const IER_EMPTY: u8 = 1 << 1;
/// Line status interrupt.
pub(super) const IER_LINE: u8 = 1 << 2;
/// Modem status interrupt.
pub(super) const IER_MODEM: u8 = 1 << 3;
/// All four.
pub(super) const IER_ALL: u8 = 0xf;

/// No interrupt is pending.
pub(super) const IIR_NONE: u8 = 0x01;
/// What the interrupt is, in the order of priority (PC16550D, table IV).
pub(super) const IIR_LINE: u8 = 0x06;
/// The receive FIFO has reached its trigger level.
pub(super) const IIR_RECEIVED: u8 = 0x04;
/// Characters wait below the trigger level.
pub(super) const IIR_TIMEOUT: u8 = 0x0c;
/// THR is empty.
pub(super) const IIR_EMPTY: u8 = 0x02;
/// The modem's lines have changed.
pub(super) const IIR_MODEM: u8 = 0x00;
/// The FIFOs are on.
pub(super) const IIR_FIFOS: u8 = 0xc0;

/// The FIFOs are on; without it the other bits of FCR are not taken.
pub(super) const FCR_ENABLE: u8 = 1 << 0;
/// Empties the receive FIFO.
pub(super) const FCR_CLEAR_RECEIVE: u8 = 1 << 1;

/// The first two offsets are the divisor.
pub(super) const LCR_DLAB: u8 = 1 << 7;

/// Data terminal ready.
pub(super) const MCR_DTR: u8 = 1 << 0;
/// Request to send.
pub(super) const MCR_RTS: u8 = 1 << 1;
/// An output for nothing in particular.
pub(super) const MCR_OUT1: u8 = 1 << 2;
/// Another; on a PC it lets the interrupt through.
pub(super) const MCR_OUT2: u8 = 1 << 3;
/// Loopback.
pub(super) const MCR_LOOP: u8 = 1 << 4;
/// The bits that exist.
pub(super) const MCR_ALL: u8 = 0x1f;

/// A character waits.
pub(super) const LSR_READY: u8 = 1 << 0;
/// Overrun.
pub(super) const LSR_OVERRUN: u8 = 1 << 1;
/// THR, or the transmit FIFO, is empty.
pub(super) const LSR_THR_EMPTY: u8 = 1 << 5;
/// So is the shift register.
pub(super) const LSR_IDLE: u8 = 1 << 6;

/// Clear to send. The four lines are the upper half of MSR, and their changes are the lower, in the same order.
pub(super) const MSR_CTS: u8 = 1 << 4;
/// Data set ready.
pub(super) const MSR_DSR: u8 = 1 << 5;
/// Ring indicator. Only that it ends is a change.
pub(super) const MSR_RI: u8 = 1 << 6;
/// Data carrier detect.
pub(super) const MSR_DCD: u8 = 1 << 7;

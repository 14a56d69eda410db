//! Offsets and bits of the PL011's registers (Arm DDI 0183G, chapter 3). Only what the model looks at has a name.

/// UARTDR: data and, on a read, its errors.
pub(super) const DR: u64 = 0x000;
/// UARTRSR on a read, UARTECR on a write.
pub(super) const RSR_ECR: u64 = 0x004;
/// UARTFR: flags.
pub(super) const FR: u64 = 0x018;
/// UARTILPR: IrDA low-power counter.
pub(super) const ILPR: u64 = 0x020;
/// UARTIBRD: integer baud rate divisor.
pub(super) const IBRD: u64 = 0x024;
/// UARTFBRD: fractional baud rate divisor.
pub(super) const FBRD: u64 = 0x028;
/// UARTLCR_H: line control.
pub(super) const LCR_H: u64 = 0x02c;
/// UARTCR: control.
pub(super) const CR: u64 = 0x030;
/// UARTIFLS: interrupt FIFO levels.
pub(super) const IFLS: u64 = 0x034;
/// UARTIMSC: interrupt mask, 1 lets through.
pub(super) const IMSC: u64 = 0x038;
/// UARTRIS: raw interrupts.
pub(super) const RIS: u64 = 0x03c;
/// UARTMIS: masked interrupts.
pub(super) const MIS: u64 = 0x040;
/// UARTICR: interrupt clear.
pub(super) const ICR: u64 = 0x044;
/// UARTDMACR: DMA control.
pub(super) const DMACR: u64 = 0x048;
/// UARTPeriphID0; the seven other identification registers follow.
pub(super) const PERIPH_ID0: u64 = 0xfe0;

/// UARTPeriphID0 to 3 of revision r1p5 (part 0x011, designer 0x41, revision 3: 32-deep FIFOs) and UARTPCellID0 to 3.
pub(super) const IDENTIFICATION: [u8; 8] = [0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

/// Overrun in UARTDR.
pub(super) const DR_OVERRUN: u16 = 1 << 11;
/// Overrun in UARTRSR.
pub(super) const RSR_OVERRUN: u16 = 1 << 3;

/// Clear to send.
pub(super) const FR_CTS: u16 = 1 << 0;
/// Data set ready.
pub(super) const FR_DSR: u16 = 1 << 1;
/// Data carrier detect.
pub(super) const FR_DCD: u16 = 1 << 2;
/// Transmitting.
pub(super) const FR_BUSY: u16 = 1 << 3;
/// Receive FIFO empty.
pub(super) const FR_RXFE: u16 = 1 << 4;
/// Transmit FIFO full.
pub(super) const FR_TXFF: u16 = 1 << 5;
/// Receive FIFO full.
pub(super) const FR_RXFF: u16 = 1 << 6;
/// Transmit FIFO empty.
pub(super) const FR_TXFE: u16 = 1 << 7;
/// Ring indicator.
pub(super) const FR_RI: u16 = 1 << 8;

/// FIFOs enabled.
pub(super) const LCR_FEN: u16 = 1 << 4;

/// UART enabled.
pub(super) const CR_UARTEN: u16 = 1 << 0;
/// Loopback.
pub(super) const CR_LBE: u16 = 1 << 7;
/// Transmit enabled.
pub(super) const CR_TXE: u16 = 1 << 8;
/// Receive enabled.
pub(super) const CR_RXE: u16 = 1 << 9;
/// Data terminal ready.
pub(super) const CR_DTR: u16 = 1 << 10;
/// Request to send.
pub(super) const CR_RTS: u16 = 1 << 11;
/// Out1: carrier detect of a DTE's other end.
pub(super) const CR_OUT1: u16 = 1 << 12;
/// Out2: ring indicator of a DTE's other end.
pub(super) const CR_OUT2: u16 = 1 << 13;

/// Ring indicator changed. The four modem interrupts are in the order RI, CTS, DCD, DSR.
pub(super) const INT_RI: u16 = 1 << 0;
/// CTS changed.
pub(super) const INT_CTS: u16 = 1 << 1;
/// DCD changed.
pub(super) const INT_DCD: u16 = 1 << 2;
/// DSR changed.
pub(super) const INT_DSR: u16 = 1 << 3;
/// Receive FIFO reached its level.
pub(super) const INT_RX: u16 = 1 << 4;
/// Transmit FIFO fell to its level.
pub(super) const INT_TX: u16 = 1 << 5;
/// Characters wait below the receive level.
pub(super) const INT_RT: u16 = 1 << 6;
/// Overrun.
pub(super) const INT_OE: u16 = 1 << 10;
/// All eleven.
pub(super) const INT_ALL: u16 = 0x7ff;

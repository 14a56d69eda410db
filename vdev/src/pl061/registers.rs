//! Offsets of the PL061's registers (Arm DDI 0190B, chapter 3), and its identification.

/// GPIODATA, 256 words: bits 9 to 2 of the address are the mask of the lines that an access touches.
pub(super) const DATA_END: u64 = 0x400;
/// GPIODIR: 1 is an output.
pub(super) const DIR: u64 = 0x400;
/// GPIOIS: 1 interrupts by level, 0 by edge.
pub(super) const IS: u64 = 0x404;
/// GPIOIBE: both edges.
pub(super) const IBE: u64 = 0x408;
/// GPIOIEV: 1 the rising edge or the high level, 0 the falling edge or the low one.
pub(super) const IEV: u64 = 0x40c;
/// GPIOIE: the interrupt mask, 1 lets through.
pub(super) const IE: u64 = 0x410;
/// GPIORIS: raw interrupts.
pub(super) const RIS: u64 = 0x414;
/// GPIOMIS: masked interrupts.
pub(super) const MIS: u64 = 0x418;
/// GPIOIC: interrupt clear.
pub(super) const IC: u64 = 0x41c;
/// GPIOAFSEL: lines that hardware controls.
pub(super) const AFSEL: u64 = 0x420;
/// GPIOPeriphID0; the seven other identification registers follow.
pub(super) const PERIPH_ID0: u64 = 0xfe0;

/// GPIOPeriphID0 to 3 (part 0x061, designer 0x41, revision 0) and GPIOPCellID0 to 3.
pub(super) const IDENTIFICATION: [u8; 8] = [0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

//! Registers of the MC146818A (Motorola data sheet, "address map" and "registers"), and the PC's one of the century.

/// The index of a register, on a write: port 0x70.
pub(super) const INDEX: u64 = 0;
/// The register: port 0x71.
pub(super) const DATA: u64 = 1;

/// The highest bit of the index masks NMI, of which there is none.
pub(super) const INDEX_BITS: u8 = 0x7f;

/// Seconds.
pub(super) const SECONDS: u8 = 0x00;
/// Seconds of the alarm.
pub(super) const SECONDS_ALARM: u8 = 0x01;
/// Minutes.
pub(super) const MINUTES: u8 = 0x02;
/// Minutes of the alarm.
pub(super) const MINUTES_ALARM: u8 = 0x03;
/// Hours.
pub(super) const HOURS: u8 = 0x04;
/// Hours of the alarm.
pub(super) const HOURS_ALARM: u8 = 0x05;
/// The day of the week, Sunday is 1.
pub(super) const WEEKDAY: u8 = 0x06;
/// The day of the month.
pub(super) const DAY: u8 = 0x07;
/// The month.
pub(super) const MONTH: u8 = 0x08;
/// The year, two digits.
pub(super) const YEAR: u8 = 0x09;
/// Divider, rate, and whether an update is near.
pub(super) const A: u8 = 0x0a;
/// What interrupts, and how time is written.
pub(super) const B: u8 = 0x0b;
/// What has come about; reading clears it.
pub(super) const C: u8 = 0x0c;
/// Whether the battery is good.
pub(super) const D: u8 = 0x0d;
/// The year's upper two digits, where ACPI's table says that they are.
pub(super) const CENTURY: u8 = 0x32;

/// UIP: the time changes within 244 microseconds.
pub(super) const A_UPDATES: u8 = 1 << 7;
/// DV: both bits set, the divider is held.
pub(super) const A_HELD: u8 = 0x60;
/// RS: the rate of the periodic interrupt.
pub(super) const A_RATE: u8 = 0x0f;
/// What firmware leaves: a crystal of 32,768 Hz, and a rate of 1,024 Hz.
pub(super) const A_RESET: u8 = 0x26;

/// SET: the time stands still to be set.
pub(super) const B_SET: u8 = 1 << 7;
/// PIE, AIE and UIE, each where its flag is in register C.
pub(super) const B_INTERRUPTS: u8 = PERIODIC | ALARM | UPDATE;
/// DM: binary, not BCD.
pub(super) const B_BINARY: u8 = 1 << 2;
/// 24 hours, not twice 12.
pub(super) const B_24_HOURS: u8 = 1 << 1;

/// PF.
pub(super) const PERIODIC: u8 = 1 << 6;
/// AF.
pub(super) const ALARM: u8 = 1 << 5;
/// UF.
pub(super) const UPDATE: u8 = 1 << 4;
/// IRQF.
pub(super) const C_INTERRUPTS: u8 = 1 << 7;

/// VRT.
pub(super) const D_VALID: u8 = 1 << 7;

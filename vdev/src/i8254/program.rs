//! What a control word makes of a counter: its mode, and how counts are written and read.

use core::num::NonZeroU64;

/// What the counter does, by the mode's number (82C54 data sheet, "mode definitions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// 0: OUT rises at the end of the count.
    TerminalCount,
    /// 1: a trigger lowers OUT for as long as the count.
    OneShot,
    /// 2: OUT is low for the last tick of every period.
    Rate,
    /// 3: OUT is high for the first half of every period.
    Square,
    /// 4: OUT is low for a tick at the end of the count.
    SoftwareStrobe,
    /// 5: the same, where a trigger starts the count.
    HardwareStrobe,
}

/// Bits 5 to 0 of a control word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Program(u8);

impl Program {
    pub(super) const fn new(control: u8) -> Program {
        Program(control & 0x3f)
    }

    /// As the status shows it.
    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn mode(self) -> Mode {
        match (self.0 >> 1) & 7 {
            0 => Mode::TerminalCount,
            1 => Mode::OneShot,
            2 | 6 => Mode::Rate,
            3 | 7 => Mode::Square,
            4 => Mode::SoftwareStrobe,
            _ => Mode::HardwareStrobe,
        }
    }

    /// Whether it begins anew by itself.
    pub(super) fn is_periodic(self) -> bool {
        matches!(self.mode(), Mode::Rate | Mode::Square)
    }

    /// Whether it is the gate that starts it.
    pub(super) fn is_triggered(self) -> bool {
        matches!(self.mode(), Mode::OneShot | Mode::HardwareStrobe)
    }

    /// Whether the low and the high byte of a count are written and read, in this order.
    pub(super) fn has_bytes(self) -> (bool, bool) {
        (self.0 & 0x10 != 0, self.0 & 0x20 != 0)
    }

    fn is_bcd(self) -> bool {
        self.0 & 1 != 0
    }

    /// How many counts there are.
    pub(super) fn modulus(self) -> NonZeroU64 {
        const DECIMAL: NonZeroU64 = NonZeroU64::new(10_000).unwrap();
        const BINARY: NonZeroU64 = NonZeroU64::new(0x1_0000).unwrap();
        if self.is_bcd() { DECIMAL } else { BINARY }
    }

    /// What there is to count from, of a count as it was written.
    pub(super) fn decode(self, written: u16) -> u64 {
        let count = if self.is_bcd() { from_bcd(written) } else { written.into() };
        match count {
            0 => self.modulus().get(),
            // Illegal, for there is no period of one tick; taken as the least that is legal.
            1 if self.is_periodic() => 2,
            count => count,
        }
    }

    /// A count as it is read.
    pub(super) fn encode(self, count: u64) -> u16 {
        let count = (count % self.modulus()) as u16;
        if self.is_bcd() { to_bcd(count) } else { count }
    }
}

/// The value of four decimal digits. One above nine, which is illegal, counts for what it is.
fn from_bcd(digits: u16) -> u64 {
    let digit = |shift: u32| u64::from((digits >> shift) & 0xf);
    [12, 8, 4, 0].into_iter().fold(0, |value: u64, shift| value.wrapping_mul(10).wrapping_add(digit(shift)))
}

/// Four decimal digits of a value below 10,000.
fn to_bcd(value: u16) -> u16 {
    [value / 1000, value / 100, value / 10, value].into_iter().fold(0, |digits, digit| (digits << 4) | (digit % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_were_written() {
        let [binary, decimal] = [0x34, 0x35].map(Program::new);
        for written in 0..=u16::MAX {
            assert!((1..=0x1_0000).contains(&binary.decode(written)));
            assert_eq!(binary.encode(binary.decode(written)), if written == 1 { 2 } else { written });
            if [0, 4, 8, 12].iter().all(|shift| (written >> shift) & 0xf < 10) && written != 1 {
                assert_eq!(decimal.encode(decimal.decode(written)), written);
            }
        }
        assert_eq!((decimal.decode(0x1234), decimal.decode(0), decimal.decode(0xffff)), (1234, 10_000, 16_665));
    }
}

//! How numbers and hours are written in the registers of the clock, by register B.

use super::registers::*;

/// BCD or binary, 12 or 24 hours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    is_binary: bool,
    has_24_hours: bool,
}

/// The bit of an hour in the afternoon, of 12.
const AFTERNOON: u8 = 1 << 7;
/// Both bits set, an alarm register matches everything.
const ANY: u8 = 0xc0;

impl Format {
    /// As register B says.
    pub(super) fn of(b: u8) -> Format {
        Format { is_binary: b & B_BINARY != 0, has_24_hours: b & B_24_HOURS != 0 }
    }

    /// A number. A BCD digit above nine, which is illegal, counts for what it is.
    pub(super) fn number(self, byte: u8) -> u64 {
        let number = u64::from(byte);
        if self.is_binary { number } else { (number >> 4).wrapping_mul(10).wrapping_add(number & 0xf) }
    }

    /// The byte of a number below 100.
    pub(super) fn byte(self, number: u64) -> u8 {
        let number = (number % 100) as u8;
        if self.is_binary { number } else { ((number / 10) << 4) | (number % 10) }
    }

    /// An hour. Of 12, twelve is the first.
    pub(super) fn hour(self, byte: u8) -> u64 {
        if self.has_24_hours {
            return self.number(byte);
        }
        let half = if byte & AFTERNOON != 0 { 12 } else { 0 };
        (self.number(byte & !AFTERNOON) % 12).wrapping_add(half)
    }

    /// The byte of an hour below 24.
    pub(super) fn hour_byte(self, hour: u64) -> u8 {
        if self.has_24_hours {
            return self.byte(hour);
        }
        let afternoon = if hour >= 12 { AFTERNOON } else { 0 };
        afternoon | self.byte(if hour.is_multiple_of(12) { 12 } else { hour % 12 })
    }

    /// What a register of the alarm wants of minutes or seconds: `None` is any.
    pub(super) fn wanted(self, byte: u8) -> Option<u64> {
        (byte & ANY != ANY).then(|| self.number(byte))
    }

    /// What it wants of the hour.
    pub(super) fn wanted_hour(self, byte: u8) -> Option<u64> {
        (byte & ANY != ANY).then(|| self.hour(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_numbers_are_read_as_they_were_written() {
        for format in [0, B_BINARY, B_24_HOURS, B_BINARY | B_24_HOURS].map(Format::of) {
            assert!((0..100).all(|number| format.number(format.byte(number)) == number));
            for hour in 0..24 {
                assert_eq!(
                    (format.hour(format.hour_byte(hour)), format.wanted_hour(format.hour_byte(hour))),
                    (hour, Some(hour))
                );
            }
        }
    }

    /// Motorola data sheet, "time, calendar, and alarm data modes".
    #[test]
    fn hours_that_are_known() {
        let bytes = |b, hour| Format::of(b).hour_byte(hour);
        assert_eq!([0, 1, 11, 12, 13, 23].map(|hour| bytes(0, hour)), [0x12, 0x01, 0x11, 0x92, 0x81, 0x91]);
        assert_eq!([0, 1, 11, 12, 13, 23].map(|hour| bytes(B_BINARY, hour)), [12, 1, 11, 0x8c, 0x81, 0x8b]);
        assert_eq!([0, 9, 10, 23].map(|hour| bytes(B_24_HOURS, hour)), [0x00, 0x09, 0x10, 0x23]);
        assert_eq!((Format::of(0).wanted(0xc0), Format::of(0).wanted_hour(0xff)), (None, None));
    }
}

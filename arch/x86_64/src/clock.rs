//! The board's wall clock: a PC's real-time clock (Motorola MC146818A), read once when a guest's is set by it.

/// The clock's registers, as they are.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_os = "none"), allow(dead_code, reason = "a host has another clock"))]
struct Shown {
    second: u8,
    minute: u8,
    hour: u8,
    day: u8,
    month: u8,
    year: u8,
    /// Register B: how the others are to be read.
    mode: u8,
}

/// Register B: binary, not decimal digits; 24 hours, not 12.
const BINARY: u8 = 1 << 2;
const HOURS_24: u8 = 1 << 1;
/// In the hours, with 12 of them: after noon.
const AFTERNOON: u8 = 1 << 7;

#[cfg_attr(not(target_os = "none"), allow(dead_code, reason = "a host has another clock"))]
impl Shown {
    fn number(&self, register: u8) -> u64 {
        match self.mode & BINARY {
            0 => u64::from(register >> 4).saturating_mul(10).saturating_add(u64::from(register & 0xf)),
            _ => u64::from(register),
        }
    }

    fn hour(&self) -> u64 {
        if self.mode & HOURS_24 != 0 {
            return self.number(self.hour);
        }
        let noon = if self.hour & AFTERNOON != 0 { 12 } else { 0 };
        (self.number(self.hour & !AFTERNOON) % 12).saturating_add(noon)
    }

    #[expect(clippy::arithmetic_side_effects, reason = "numbers of a hundred years, each checked above")]
    /// Seconds since 1970; `None` if that is no time. Two digits of a year are those of this century: no hypervisor of ours ran in the
    /// last one.
    fn seconds(&self) -> Option<u64> {
        let [second, minute, hour] = [self.number(self.second), self.number(self.minute), self.hour()];
        let [day, month] = [self.number(self.day), self.number(self.month)];
        let year = self.number(self.year).checked_add(2000)?;
        let is_time = second < 60 && minute < 60 && hour < 24 && (1..=31).contains(&day) && (1..=12).contains(&month);
        if !is_time || year > 2099 {
            return None;
        }
        // Days since 1970-01-01 with the year beginning in March, so that a leap day is its last: 2000 to 2099 has one in every
        // fourth year. 10,957 days lie between 1970 and 2000, and 60 before March of that year.
        let (years, months) = if month < 3 {
            (year.checked_sub(2001), month.checked_add(9)?)
        } else {
            (year.checked_sub(2000), month.checked_sub(3)?)
        };
        let before_march = 10_957 + 60;
        let days = match years {
            Some(years) => before_march + years * 365 + years / 4 + (months * 153 + 2) / 5 + day - 1,
            // January and February 2000.
            None => 10_957 + (month - 1) * 31 + day - 1,
        };
        Some(((days * 24 + hour) * 60 + minute) * 60 + second)
    }
}

/// Seconds since 1970; `None` if the board has no such clock.
#[cfg(target_os = "none")]
pub fn seconds_since_1970() -> Option<u64> {
    use crate::registers::{read_port8, write_port8};

    /// Looks at the clock before it is given up: an update takes two milliseconds at most.
    const PATIENCE: u32 = 100_000;
    let read = |register: u8| {
        // SAFETY: the clock's address register, or nothing; bit 7 keeps NMIs as they are out of reset, unmasked.
        unsafe { write_port8(0x70, register) };
        read_port8(0x71)
    };
    let shown = || Shown {
        second: read(0),
        minute: read(2),
        hour: read(4),
        day: read(7),
        month: read(8),
        year: read(9),
        mode: read(0xb),
    };
    // Register A's UIP: an update is near. Twice the same is no mixture.
    (0..PATIENCE).find(|_| read(0xa) & 1 << 7 == 0)?;
    let [first, second] = [shown().seconds()?, shown().seconds()?];
    (first.abs_diff(second) <= 1).then_some(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: [u8; 6], mode: u8) -> Option<u64> {
        let [year, month, day, hour, minute, second] = text;
        Shown { second, minute, hour, day, month, year, mode }.seconds()
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let digits = |text| seconds(text, HOURS_24);
        assert_eq!(digits([0, 1, 1, 0, 0, 0]), Some(946_684_800));
        assert_eq!(digits([0, 2, 0x29, 0x23, 0x59, 0x59]), Some(951_868_799));
        assert_eq!(digits([0, 3, 1, 0, 0, 0]), Some(951_868_800));
        assert_eq!(digits([1, 1, 1, 0, 0, 0]), Some(978_307_200));
        assert_eq!(digits([0x24, 2, 0x29, 0x12, 0, 0]), Some(1_709_208_000));
        assert_eq!(digits([0x26, 0x11, 0x28, 7, 3, 0x42]), Some(1_795_849_422));
        assert_eq!(digits([0x99, 0x12, 0x31, 0x23, 0x59, 0x59]), Some(4_102_444_799));
    }

    #[test]
    fn registers_are_read_as_register_b_says() {
        let noon = Some(1_709_208_000);
        assert_eq!(seconds([24, 2, 29, 12, 0, 0], BINARY | HOURS_24), noon);
        assert_eq!(seconds([0x24, 2, 0x29, 0x92, 0, 0], 0), noon);
        assert_eq!(seconds([0x24, 2, 0x29, 0x12, 0, 0], 0), noon.map(|noon| noon - 12 * 3600));
        assert_eq!(seconds([0x24, 2, 0x29, 0x81, 0, 0], 0), noon.map(|noon| noon + 3600));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [[0x24, 0, 1, 0, 0, 0], [0x24, 13, 1, 0, 0, 0], [0x24, 1, 0, 0, 0, 0], [0xff; 6]] {
            assert_eq!(seconds(text, HOURS_24), None, "{text:x?}");
        }
    }
}

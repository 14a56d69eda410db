//! What a PC's clock says, as seconds since 1970 (MC146818A data sheet, "Time, calendar, and alarm locations").
#![forbid(unsafe_code)]

/// Register B: numbers are binary, not BCD; hours to 24.
const BINARY: u8 = 1 << 2;
const TO_24: u8 = 1 << 1;
/// The hours' highest bit is PM if they are to 12.
const PM: u8 = 1 << 7;

/// The clock's registers, seconds, minutes, hours, day, month, year and century, with register B, as seconds since 1970. `None` if they
/// are no date after that.
pub(crate) fn seconds(values: [u8; 7], b: u8) -> Option<u64> {
    let number = |value: u8| match b & BINARY {
        0 => u64::from(value >> 4).wrapping_mul(10).wrapping_add(u64::from(value & 0xf)),
        _ => u64::from(value),
    };
    let [second, minute, hour, day, month, year, century] = values;
    let hour = match b & TO_24 {
        0 => (number(hour & !PM) % 12).wrapping_add(if hour & PM == 0 { 0 } else { 12 }),
        _ => number(hour),
    };
    let century = Some(number(century)).filter(|century| (19..=21).contains(century)).unwrap_or(20);
    let (year, month, day) = (century.wrapping_mul(100).wrapping_add(number(year)), number(month), number(day));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from 0000-03-01: the leap day is the last of a year that begins in March.
    let (year, month) =
        if month > 2 { (year, month.wrapping_sub(3)) } else { (year.wrapping_sub(1), month.wrapping_add(9)) };
    let leaps = (year / 4).wrapping_sub(year / 100).wrapping_add(year / 400);
    let months = month.wrapping_mul(153).wrapping_add(2) / 5;
    let days = year.wrapping_mul(365).wrapping_add(leaps).wrapping_add(months).wrapping_add(day).wrapping_sub(1);
    // 1970-01-01 is day 719468 of these.
    let days = days.checked_sub(719_468)?;
    let of_day = hour.wrapping_mul(60).wrapping_add(number(minute)).wrapping_mul(60).wrapping_add(number(second));
    Some(days.wrapping_mul(86_400).wrapping_add(of_day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form() {
        // `date -u -d "2026-11-28 13:05:09" +%s`
        let expected = Some(1_795_871_109);
        assert_eq!(seconds([0x09, 0x05, 0x13, 0x28, 0x11, 0x26, 0x20], TO_24), expected);
        assert_eq!(seconds([9, 5, 13, 28, 11, 26, 20], TO_24 | BINARY), expected);
        assert_eq!(seconds([9, 5, 1 | PM, 28, 11, 26, 20], BINARY), expected);
        assert_eq!(seconds([0x09, 0x05, 0x01 | PM, 0x28, 0x11, 0x26, 0x20], 0), expected);
        // Without a century that is one.
        assert_eq!(seconds([9, 5, 13, 28, 11, 26, 0], TO_24 | BINARY), expected);
    }

    #[test]
    fn noon_and_midnight_are_twelve() {
        let hour = |hour| seconds([0, 0, hour, 1, 1, 70, 19], BINARY).map(|seconds| seconds / 3600);
        assert_eq!([12, 1, 11, 12 | PM, 1 | PM, 11 | PM].map(hour), [0, 1, 11, 12, 13, 23].map(Some));
    }

    #[test]
    fn days_follow_one_another() {
        let mut expected = 0;
        for year in 1970..2200_u64 {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = [31, 28 + u8::from(is_leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, days) in (1..).zip(days) {
                for day in 1..=days {
                    let values = [0, 0, 0, day, month, (year % 100) as u8, (year / 100) as u8];
                    assert_eq!(seconds(values, BINARY | TO_24), Some(expected * 86_400), "{year}-{month}-{day}");
                    expected += 1;
                }
            }
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for (month, day) in [(0, 1), (13, 1), (1, 0), (1, 32)] {
            assert_eq!(seconds([0, 0, 0, day, month, 26, 20], BINARY | TO_24), None);
        }
        assert_eq!(seconds([0, 0, 0, 31, 12, 69, 19], BINARY | TO_24), None, "before 1970");
    }
}

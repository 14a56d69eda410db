//! Days and dates of the Gregorian calendar, by years that begin in March: the leap day is then a year's last.

/// Days until the beginning of each month, from March on.
const MONTHS: [u64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];
/// Days in 400 years, after which all repeats.
const DAYS_IN_400_YEARS: u64 = 146_097;
/// 1970-01-01 as a day.
pub(super) const DAY_OF_1970: u64 = 719_468;

/// A date; month and day begin with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: u64,
    pub(super) month: u64,
    pub(super) day: u64,
}

impl Date {
    /// The date of a day, which is counted from 0000-03-01.
    pub(super) fn of_day(days: u64) -> Date {
        // By the mean length of a year it is this one or one beside it.
        let mean = days.saturating_mul(400) / DAYS_IN_400_YEARS;
        let year = [mean.saturating_add(1), mean].into_iter().find(|&year| first_day(year) <= days);
        let year = year.unwrap_or(mean.saturating_sub(1));
        let into = days.saturating_sub(first_day(year));
        let months = MONTHS.partition_point(|&first| first <= into).saturating_sub(1);
        let day = into.saturating_sub(MONTHS.get(months).copied().unwrap_or(0)).saturating_add(1);
        let (year, month) = if months < 10 {
            (year, months.saturating_add(3))
        } else {
            (year.saturating_add(1), months.saturating_sub(9))
        };
        Date { year, month: month as u64, day }
    }

    /// The day of a date. What is beyond the end of a month is in the next; a month that is none is taken as the nearest.
    /// Before 0000-03-01 there is nothing.
    pub(super) fn day(self) -> u64 {
        let month = self.month.clamp(1, 12);
        let (year, months) = if month < 3 {
            (self.year.checked_sub(1), month.saturating_add(9))
        } else {
            (Some(self.year), month.saturating_sub(3))
        };
        let Some(year) = year else { return 0 };
        let months = usize::try_from(months).ok().and_then(|months| MONTHS.get(months)).copied().unwrap_or(0);
        first_day(year).saturating_add(months).saturating_add(self.day).saturating_sub(1)
    }
}

/// The day of the week, Sunday is one: 0000-03-01 was a Wednesday.
pub(super) fn weekday(days: u64) -> u64 {
    ((days % 7).saturating_add(3) % 7).saturating_add(1)
}

/// The first day of the year that begins in March of `year`.
fn first_day(year: u64) -> u64 {
    let leap_days = (year / 4).saturating_sub(year / 100).saturating_add(year / 400);
    year.saturating_mul(365).saturating_add(leap_days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        let mut date = Date { year: 0, month: 3, day: 1 };
        for days in 0..(3 * DAYS_IN_400_YEARS) {
            assert_eq!((Date::of_day(days), date.day()), (date, days));
            let Date { year, month, day } = date;
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + u64::from(is_leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            date = match (month, day == length) {
                (_, false) => Date { day: day + 1, ..date },
                (12, true) => Date { year: year + 1, month: 1, day: 1 },
                (_, true) => Date { month: month + 1, day: 1, ..date },
            };
        }
    }

    #[test]
    fn days_that_are_known() {
        for (year, month, day, since_1970, week) in
            [(1970, 1, 1, 0, 5), (2000, 2, 29, 11_016, 3), (2026, 11, 28, 20_785, 7), (9999, 12, 31, 2_932_896, 6)]
        {
            let date = Date { year, month, day };
            assert_eq!((date.day(), weekday(date.day())), (DAY_OF_1970 + since_1970, week));
        }
    }

    #[test]
    fn what_is_no_date_has_a_day() {
        assert_eq!(Date { year: 2026, month: 2, day: 31 }.day(), Date { year: 2026, month: 3, day: 3 }.day());
        assert_eq!(Date { year: 2026, month: 99, day: 1 }.day(), Date { year: 2026, month: 12, day: 1 }.day());
        assert_eq!((Date { year: 0, month: 1, day: 1 }.day(), Date { year: 0, month: 3, day: 0 }.day()), (0, 0));
        Date { year: u64::MAX, month: u64::MAX, day: u64::MAX }.day();
        Date::of_day(u64::MAX);
    }
}

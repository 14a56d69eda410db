//! The MC146818 by its data sheet, against a clock that ticks, and as Linux drives it.

use super::*;
use proptest::prelude::*;

/// 2026-11-28 07:30:15, a Saturday, in seconds since 1970.
const EPOCH: u64 = 1_795_851_015;
const SECOND: u64 = 32_768;

/// A clock whose crystal is the guest's counter, at time zero.
fn plain(presets: &'static [(u8, u8)]) -> Mc146818 {
    let mut clock = Mc146818::new(EPOCH, presets, HZ);
    clock.advance(0);
    clock
}

fn get(clock: &mut Mc146818, register: u8) -> u8 {
    clock.write(INDEX, Width::Byte, register.into());
    clock.read(DATA, Width::Byte).try_into().unwrap()
}

fn put(clock: &mut Mc146818, register: u8, value: u8) {
    clock.write(INDEX, Width::Byte, register.into());
    clock.write(DATA, Width::Byte, value.into());
}

/// Century, year, month, day, weekday, hours, minutes, seconds.
fn time(clock: &mut Mc146818) -> [u8; 8] {
    [CENTURY, YEAR, MONTH, DAY, WEEKDAY, HOURS, MINUTES, SECONDS].map(|register| get(clock, register))
}

#[test]
fn it_begins_with_the_time_that_it_is_given() {
    let mut clock = plain(&[]);
    assert_eq!(time(&mut clock), [0x20, 0x26, 0x11, 0x28, 0x07, 0x07, 0x30, 0x15]);
    assert_eq!([A, B, C, D].map(|register| get(&mut clock, register)), [0x26, 0x02, 0x00, 0x80]);
    assert_eq!((clock.line(), clock.deadline()), (false, None));
    clock.advance(SECOND - 1);
    assert_eq!(get(&mut clock, SECONDS), 0x15);
    clock.advance(SECOND);
    assert_eq!(get(&mut clock, SECONDS), 0x16);
    // 2028-02-29 12:00:00.
    clock.advance((1_835_438_400 - EPOCH) * SECOND);
    assert_eq!(time(&mut clock), [0x20, 0x28, 0x02, 0x29, 0x03, 0x12, 0x00, 0x00]);
}

#[test]
fn a_store_to_the_index_does_nothing_but_select() {
    let (mut latched, mut written) = (plain(&[]), plain(&[]));
    for value in 0..=u8::MAX {
        assert!(latched.latch(INDEX, value));
        written.write(INDEX, Width::Byte, value.into());
        assert_eq!(format!("{latched:?}"), format!("{written:?}"));
        assert!(!latched.latch(DATA, value));
        assert_eq!(format!("{latched:?}"), format!("{written:?}"), "nothing has changed");
    }
}

#[test]
fn time_is_written_as_register_b_says() {
    let mut clock = plain(&[]);
    clock.advance(12 * 3600 * SECOND);
    for (b, hours) in [(0x02, 0x19), (0x00, 0x87), (0x06, 19), (0x04, 0x87)] {
        put(&mut clock, B, b);
        let number = |number: u8| if b & B_BINARY != 0 { number } else { ((number / 10) << 4) | (number % 10) };
        let [century, year, month, day] = [20, 26, 11, 28].map(number);
        assert_eq!(time(&mut clock), [century, year, month, day, 7, hours, number(30), number(15)], "{b:#x}");
    }
}

#[test]
fn set_stops_the_time_and_it_goes_on_from_what_was_stored() {
    let mut clock = plain(&[]);
    clock.advance(SECOND / 4);
    put(&mut clock, B, B_SET | B_24_HOURS);
    clock.advance(10 * SECOND);
    assert_eq!(time(&mut clock), [0x20, 0x26, 0x11, 0x28, 0x07, 0x07, 0x30, 0x15]);
    // Another time, in another mode: nothing is converted.
    for (register, value) in
        [(CENTURY, 19), (YEAR, 99), (MONTH, 12), (DAY, 31), (WEEKDAY, 1), (HOURS, 23), (MINUTES, 59)]
    {
        put(&mut clock, register, value);
        assert_eq!(get(&mut clock, register), value);
    }
    put(&mut clock, SECONDS, 59);
    put(&mut clock, B, B_BINARY | B_24_HOURS);
    assert_eq!(time(&mut clock), [19, 99, 12, 31, 6, 23, 59, 59], "the day of the week follows from the date");
    clock.advance(11 * SECOND);
    assert_eq!(time(&mut clock), [20, 0, 1, 1, 7, 0, 0, 0]);
}

#[test]
fn what_is_stored_while_it_runs_takes_effect() {
    let mut clock = plain(&[]);
    clock.advance(SECOND / 2);
    put(&mut clock, MINUTES, 0x59);
    clock.advance(SECOND - 1);
    assert_eq!(time(&mut clock), [0x20, 0x26, 0x11, 0x28, 0x07, 0x07, 0x59, 0x15]);
    clock.advance(46 * SECOND);
    assert_eq!(time(&mut clock), [0x20, 0x26, 0x11, 0x28, 0x07, 0x08, 0x00, 0x01]);
}

/// Motorola data sheet, "UIP": while it is clear there are at least 244 microseconds.
#[test]
fn a_change_is_announced() {
    let mut clock = plain(&[]);
    for tick in 0..2 * SECOND {
        clock.advance(tick);
        assert_eq!(get(&mut clock, A) & A_UPDATES != 0, tick % SECOND >= SECOND - 8, "{tick}");
    }
    put(&mut clock, B, B_SET);
    assert_eq!(get(&mut clock, A), 0x26);
}

#[test]
fn updates_interrupt_until_register_c_is_read() {
    let mut clock = plain(&[]);
    put(&mut clock, B, UPDATE | B_24_HOURS);
    assert_eq!(clock.deadline(), Some(SECOND));
    clock.advance(SECOND - 1);
    assert!(!clock.line());
    clock.advance(SECOND);
    assert_eq!((clock.line(), clock.deadline()), (true, None));
    assert_eq!((get(&mut clock, C), clock.line()), (0xd0, false), "and the periodic flag, which does not interrupt");
    assert_eq!((get(&mut clock, C), clock.deadline()), (0, Some(2 * SECOND)));
    put(&mut clock, B, B_SET | UPDATE | B_24_HOURS);
    assert_eq!(get(&mut clock, B), B_SET | B_24_HOURS, "SET clears UIE");
    clock.advance(5 * SECOND);
    assert_eq!((get(&mut clock, C), clock.deadline()), (PERIODIC, None));
}

/// Motorola data sheet, table 5.
#[test]
fn the_periodic_interrupt_has_fifteen_rates() {
    let hertz = [0, 256, 128, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2];
    for (rate, hertz) in (0..).zip(hertz) {
        let mut clock = plain(&[]);
        put(&mut clock, B, PERIODIC);
        put(&mut clock, A, 0x20 | rate);
        let mut interrupts = 0;
        while let Some(due) = clock.deadline().filter(|&due| due <= SECOND) {
            clock.advance(due - 1);
            assert!(!clock.line());
            clock.advance(due);
            assert_eq!(get(&mut clock, C) & !UPDATE, C_INTERRUPTS | PERIODIC);
            interrupts += 1;
        }
        assert_eq!(interrupts, hertz, "{rate}");
        clock.advance(1 << 50);
        assert_eq!(clock.line(), hertz != 0, "however long nobody looked");
    }
}

#[test]
fn the_alarm_interrupts_at_its_time() {
    let mut clock = plain(&[]);
    put(&mut clock, B, ALARM | B_24_HOURS);
    // Any minute's 20th second; 7:31:20; the next day's 7:30:00; never.
    for (alarm, expected) in [
        ([0xff, 0xff, 0x20], Some(5)),
        ([0x07, 0x31, 0x20], Some(65)),
        ([0x07, 0x30, 0x00], Some(86_400 - 15)),
        ([0xc0, 0xff, 0xff], Some(1)),
        ([0xff, 0xff, 0x60], None),
        ([0x24, 0xff, 0xff], None),
    ] {
        for (register, value) in [HOURS_ALARM, MINUTES_ALARM, SECONDS_ALARM].into_iter().zip(alarm) {
            put(&mut clock, register, value);
        }
        assert_eq!(clock.deadline(), expected.map(|seconds| seconds * SECOND), "{alarm:x?}");
    }
    put(&mut clock, HOURS_ALARM, 0x07);
    put(&mut clock, MINUTES_ALARM, 0x31);
    put(&mut clock, SECONDS_ALARM, 0x20);
    clock.advance(65 * SECOND - 1);
    assert!(!clock.line());
    clock.advance(65 * SECOND);
    assert!(clock.line());
    assert_eq!(get(&mut clock, C), C_INTERRUPTS | ALARM | UPDATE | PERIODIC);
    assert_eq!(clock.deadline(), Some((86_400 + 65) * SECOND));
    clock.advance(1 << 50);
    assert!(clock.line(), "however long nobody looked");
}

/// Motorola data sheet, "divider stages": out of reset, the first update is half a second later.
#[test]
fn the_divider_can_be_held() {
    let mut clock = plain(&[]);
    put(&mut clock, A, 0x76);
    put(&mut clock, B, PERIODIC | UPDATE | B_24_HOURS);
    assert_eq!(clock.deadline(), None);
    clock.advance(100 * SECOND + 777);
    assert_eq!((get(&mut clock, SECONDS), get(&mut clock, C)), (0x15, 0));
    put(&mut clock, SECONDS, 0x30);
    put(&mut clock, B, UPDATE | B_24_HOURS);
    put(&mut clock, A, 0x26);
    assert_eq!(clock.deadline(), Some(100 * SECOND + 777 + SECOND / 2));
    clock.advance(100 * SECOND + 777 + SECOND / 2);
    assert_eq!((get(&mut clock, SECONDS), clock.line()), (0x31, true));
}

#[test]
fn memory_and_presets() {
    let mut clock = plain(&[(0x10, 0x12), (0x7f, 0x34), (B, B_BINARY | B_24_HOURS), (0x80, 1), (0xff, 1), (HOURS, 9)]);
    assert_eq!([0x10, 0x7f, 0x00, B].map(|register| get(&mut clock, register)), [0x12, 0x34, 15, 0x06]);
    assert_eq!(get(&mut clock, HOURS), 9);
    for register in (0x0e..0x80).filter(|&register| register != CENTURY) {
        put(&mut clock, register, register ^ 0xff);
    }
    for register in (0x0e..0x80).filter(|&register| register != CENTURY) {
        assert_eq!(get(&mut clock, register), register ^ 0xff);
        assert_eq!(get(&mut clock, register | 0x80), register ^ 0xff, "the mask of NMI is not part of the index");
    }
    for (register, value) in [(C, 0), (D, 0x80)] {
        put(&mut clock, register, 0xff);
        assert_eq!(get(&mut clock, register), value);
    }
    clock.reset();
    assert_eq!([0x10, 0x11, B].map(|register| get(&mut clock, register)), [0x12, 0x00, 0x06]);
}

#[test]
fn what_is_not_there_reads_as_zero_and_ignores_stores() {
    let mut clock = plain(&[]);
    for offset in [2, 0x100, u64::MAX] {
        clock.write(offset, Width::Word, u64::MAX);
        assert_eq!(clock.read(offset, Width::Word), 0);
    }
    assert_eq!(clock.read(INDEX, Width::Byte), 0xff);
    clock.write(INDEX, Width::Half, 0xff0b);
    assert_eq!(clock.read(DATA, Width::Word), 0x02, "of a wide access the first register is served");
}

#[test]
fn reset_and_quiesce() {
    let mut clock = plain(&[]);
    put(&mut clock, B, PERIODIC);
    put(&mut clock, YEAR, 0x99);
    clock.advance(SECOND + 5);
    clock.quiesce();
    assert_eq!((clock.line(), clock.deadline()), (false, None));
    clock.reset();
    assert_eq!((get(&mut clock, B), get(&mut clock, C)), (0x02, 0));
    assert_eq!(time(&mut clock), [0x20, 0x26, 0x11, 0x28, 0x07, 0x07, 0x30, 0x16], "time has gone on");
    // And goes on, although the counter has begun anew.
    clock.advance(3);
    clock.advance(3 + SECOND);
    assert_eq!(get(&mut clock, SECONDS), 0x17);
}

/// mc146818_get_time and hpet_rtc-less rtc_cmos of Linux (drivers/rtc): wait until no update is near, read all; an alarm in
/// two seconds; on a TSC of 5 GHz.
#[test]
fn linux_drives_it() {
    let tsc_hz = 5_000_000_000;
    let mut clock = Mc146818::new(EPOCH, &[], NonZeroU64::new(tsc_hz).unwrap());
    let mut tsc = 7 << 40;
    clock.advance(tsc);
    tsc += tsc_hz - 500_000;
    clock.advance(tsc);
    let mut polls = 0;
    while get(&mut clock, A) & A_UPDATES != 0 {
        tsc += 50_000;
        clock.advance(tsc);
        polls += 1;
    }
    assert_eq!((polls, get(&mut clock, D) & D_VALID), (10, D_VALID));
    assert_eq!(time(&mut clock), [0x20, 0x26, 0x11, 0x28, 0x07, 0x07, 0x30, 0x16]);

    // cmos_do_probe and cmos_set_alarm: BCD, 24 hours; everything off, the alarm, and on.
    let b = get(&mut clock, B);
    assert_eq!(b & (B_24_HOURS | B_BINARY), B_24_HOURS);
    put(&mut clock, B, b & !(PERIODIC | ALARM | UPDATE));
    get(&mut clock, C);
    put(&mut clock, HOURS_ALARM, 0x07);
    put(&mut clock, MINUTES_ALARM, 0x30);
    put(&mut clock, SECONDS_ALARM, 0x18);
    put(&mut clock, B, b | ALARM);
    let due = clock.deadline().unwrap();
    assert_eq!(due - tsc, 2 * tsc_hz);
    clock.advance(due);
    assert!(clock.line());
    assert_eq!(get(&mut clock, C) & (C_INTERRUPTS | ALARM), C_INTERRUPTS | ALARM);
    assert!(!clock.line());
}

/// A clock that ticks, four ticks of the crystal at a time. Its date is left out.
#[derive(Debug)]
struct Ticking {
    a: u8,
    b: u8,
    flags: u8,
    divider: u64,
    /// Hours, minutes, seconds, and the alarm's, as numbers; 255 is any.
    time: [u64; 3],
    alarm: [u64; 3],
}

impl Ticking {
    fn is_held(&self) -> bool {
        self.a & A_HELD == A_HELD
    }

    fn tick(&mut self) {
        if self.is_held() {
            return;
        }
        self.divider += 4;
        let period = [0, 128, 256, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];
        let period = period[usize::from(self.a & A_RATE)];
        if period != 0 && self.divider.is_multiple_of(period) {
            self.flags |= PERIODIC;
        }
        if self.divider.is_multiple_of(SECOND) && self.b & B_SET == 0 {
            self.flags |= UPDATE;
            let [hours, minutes, seconds] = &mut self.time;
            *seconds += 1;
            *minutes += *seconds / 60;
            *hours += *minutes / 60;
            (*seconds, *minutes, *hours) = (*seconds % 60, *minutes % 60, *hours % 24);
            if self.time.iter().zip(self.alarm).all(|(&now, alarm)| alarm == 255 || alarm == now) {
                self.flags |= ALARM;
            }
        }
    }

    fn set_a(&mut self, a: u8) {
        let was_held = self.is_held();
        self.a = a;
        if was_held && !self.is_held() {
            self.divider = SECOND / 2;
        }
    }

    fn set_b(&mut self, b: u8) {
        self.b = if b & !self.b & B_SET != 0 { b & !UPDATE } else { b };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// In binary and BCD, with 12 and 24 hours: the same time, flags and line at every look, and nobody who waits for the line
    /// misses it.
    #[test]
    fn it_does_what_one_does_that_ticks(
        format in prop::sample::select(vec![0, B_BINARY, B_24_HOURS, B_BINARY | B_24_HOURS]),
        steps in prop::collection::vec((0u8..12, any::<u8>(), 0u64..3, 1u64..12_000), 1..20),
    ) {
        let mut clock = Mc146818::new(1_709_164_797, &[], HZ);
        clock.advance(0);
        put(&mut clock, B, format);
        for register in [HOURS_ALARM, MINUTES_ALARM, SECONDS_ALARM] {
            put(&mut clock, register, 0xff);
        }
        let mut ticking = Ticking {
            a: A_RESET, b: format, flags: 0, divider: 0, time: [23, 59, 57], alarm: [255; 3],
        };
        let form = Format::of(format);
        let mut now = 0;
        for (kind, value, field, wait) in steps {
            let field = field as usize;
            let number = u64::from(value) % if field == 0 { 24 } else { 60 };
            let byte = if field == 0 { form.hour_byte(number) } else { form.byte(number) };
            match kind {
                0 | 1 => {
                    put(&mut clock, A, value & 0x0f | if value & 0x70 == 0 { 0x70 } else { 0x20 });
                    ticking.set_a(value & 0x0f | if value & 0x70 == 0 { 0x70 } else { 0x20 });
                }
                2..5 => {
                    put(&mut clock, B, value & 0xf0 | format);
                    ticking.set_b(value & 0xf0 | format);
                }
                5 | 6 => {
                    // Soon after now, or anything.
                    let number = if value & 1 == 0 { ticking.time[field] } else { number };
                    put(&mut clock, [HOURS_ALARM, MINUTES_ALARM, SECONDS_ALARM][field],
                        if field == 0 { form.hour_byte(number) } else { form.byte(number) });
                    ticking.alarm[field] = number;
                }
                7 => {
                    put(&mut clock, [HOURS, MINUTES, SECONDS][field], byte);
                    ticking.time[field] = number;
                }
                8 | 9 => {
                    let is_high = ticking.flags & ticking.b & B_INTERRUPTS != 0;
                    prop_assert_eq!(get(&mut clock, C), ticking.flags | if is_high { C_INTERRUPTS } else { 0 });
                    ticking.flags = 0;
                }
                _ => {}
            }
            let due = clock.deadline();
            let was_high = ticking.flags & ticking.b & B_INTERRUPTS != 0;
            prop_assert_eq!(clock.line(), was_high);
            prop_assert!(due.is_none() || !was_high);
            for _ in 0..wait {
                ticking.tick();
                now += 4;
                let is_high = ticking.flags & ticking.b & B_INTERRUPTS != 0;
                // Neither too late nor too early.
                prop_assert!(was_high || is_high == due.is_some_and(|due| due <= now), "{:?} at {}", due, now);
            }
            clock.advance(now);
            prop_assert_eq!(clock.line(), ticking.flags & ticking.b & B_INTERRUPTS != 0);
            prop_assert_eq!(clock.flags, ticking.flags);
            let shown = [HOURS, MINUTES, SECONDS].map(|register| get(&mut clock, register));
            let [hours, minutes, seconds] = ticking.time;
            prop_assert_eq!(shown, [form.hour_byte(hours), form.byte(minutes), form.byte(seconds)]);
        }
    }

    /// The next alarm is the first second whose fields match.
    #[test]
    fn the_next_alarm_is_the_first_that_matches(
        begin in 0u64..3 * 86_400,
        fields in prop::array::uniform3(prop_oneof![Just(255u8), 0u8..60, any::<u8>()]),
    ) {
        let mut clock = plain(&[]);
        put(&mut clock, B, B_BINARY | B_24_HOURS);
        for (register, value) in [HOURS_ALARM, MINUTES_ALARM, SECONDS_ALARM].into_iter().zip(fields) {
            put(&mut clock, register, value);
        }
        let is_match = |time: u64| {
            let now = [time / 3600 % 24, time / 60 % 60, time % 60];
            now.into_iter().zip(fields).all(|(now, alarm)| alarm >= 0xc0 || u64::from(alarm) == now)
        };
        let expected = (begin + 1..begin + 1 + 86_400).find(|&time| is_match(time));
        prop_assert_eq!(clock.alarm_after(begin), expected);
    }

    /// Whatever a guest does: no panic, no bits beyond a byte, and a deadline that is ahead.
    #[test]
    fn any_sequence_does_no_harm(
        epoch in any::<u64>(),
        counter_hz in prop_oneof![HZ.get()..1 << 34, HZ.get()..],
        steps in prop::collection::vec((0u64..4, any::<u64>(), 0u8..4, 0u8..16), 1..200),
    ) {
        let mut clock = Mc146818::new(epoch, &[], NonZeroU64::new(counter_hz).unwrap());
        let mut now = 0u64;
        for (offset, value, kind, register) in steps {
            match kind {
                0 => {
                    now += value >> (9 + value % 55);
                    clock.advance(now);
                    let due = clock.deadline();
                    prop_assert!(due.is_none_or(|due| due.wrapping_sub(now) as i64 > 0), "{:?} at {}", due, now);
                }
                1 => prop_assert!(clock.read(offset, Width::Double) <= 0xff),
                2 => put(&mut clock, register, value as u8),
                _ => clock.write(offset, Width::Double, value),
            }
            clock.deadline();
            prop_assert_eq!(clock.line(), clock.flags & clock.b & B_INTERRUPTS != 0);
        }
        clock.quiesce();
        prop_assert!(!clock.line() && clock.deadline().is_none());
    }
}

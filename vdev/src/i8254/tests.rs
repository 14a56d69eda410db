//! The 8254 by its data sheet, against counters that tick, and as Linux drives it.

use super::counter::Counter;
use super::*;
use proptest::prelude::*;

/// A timer whose clock is the guest's counter, at time zero.
fn plain() -> I8254 {
    let mut timer = I8254::new(HZ);
    timer.advance(0);
    timer
}

fn get(timer: &mut I8254, port: u64) -> u64 {
    timer.read(port, Width::Byte)
}

fn put(timer: &mut I8254, port: u64, value: u64) {
    timer.write(port, Width::Byte, value);
}

/// Programs a counter by control word and count, low byte first.
fn program(timer: &mut I8254, counter: u64, control: u64, count: u64) {
    put(timer, CONTROL, counter << 6 | control);
    put(timer, counter, count & 0xff);
    put(timer, counter, count >> 8);
}

/// The count of a counter that is programmed for two bytes, latched.
fn count(timer: &mut I8254, counter: u64) -> u64 {
    put(timer, CONTROL, counter << 6);
    get(timer, counter) | get(timer, counter) << 8
}

fn status(timer: &mut I8254, counter: u64) -> u64 {
    put(timer, CONTROL, 0xe0 | 2 << counter);
    get(timer, counter)
}

/// OUT of counter 0, and whether it has risen since the last call.
fn signals(timer: &mut I8254) -> (bool, bool) {
    let Signals { high, rose } = timer.signals();
    assert!(high | rose <= 1);
    (high == 1, rose == 1)
}

#[test]
fn mode_0_rises_once_a_tick_after_the_count() {
    let mut timer = plain();
    program(&mut timer, 0, 0x30, 1000);
    assert_eq!((signals(&mut timer), timer.deadline()), ((false, false), Some(1001)));
    timer.advance(1);
    assert_eq!(count(&mut timer, 0), 1000);
    timer.advance(1000);
    assert_eq!((count(&mut timer, 0), signals(&mut timer)), (1, (false, false)));
    timer.advance(1001);
    assert_eq!((count(&mut timer, 0), signals(&mut timer), timer.deadline()), (0, (true, true), None));
    timer.advance(1003);
    assert_eq!((count(&mut timer, 0), signals(&mut timer)), (0xfffe, (true, false)));
    // The first byte of a new count stops it and lowers OUT, the second begins it.
    put(&mut timer, 0, 10);
    timer.advance(2000);
    assert_eq!(signals(&mut timer), (false, false));
    put(&mut timer, 0, 0);
    timer.advance(2011);
    assert_eq!(signals(&mut timer), (true, true));
}

#[test]
fn a_count_of_zero_is_the_largest() {
    for (control, largest) in [(0x30, 0x1_0000), (0x31, 10_000)] {
        let mut timer = plain();
        program(&mut timer, 0, control, 0);
        assert_eq!(timer.deadline(), Some(largest + 1), "{control:#x}");
        timer.advance(largest);
        assert!(!signals(&mut timer).0);
        timer.advance(largest + 1);
        assert!(signals(&mut timer).0);
    }
}

#[test]
fn mode_2_is_low_for_the_last_tick_of_a_period() {
    let mut timer = plain();
    program(&mut timer, 0, 0x34, 1193);
    signals(&mut timer);
    assert_eq!(timer.deadline(), Some(1194));
    for period in 1..5 {
        timer.advance(1193 * period);
        assert_eq!((signals(&mut timer), count(&mut timer, 0)), ((false, false), 1));
        assert_eq!(timer.deadline(), Some(1193 * period + 1), "one that is near is not passed over");
        timer.advance(1193 * period + 1);
        assert_eq!((signals(&mut timer), count(&mut timer, 0)), ((true, true), 1193));
        assert_eq!(timer.deadline(), Some(1193 * (period + 1) + 1));
    }
    // However long nobody looked, it is one rise.
    timer.advance(1193 << 40);
    assert_eq!((signals(&mut timer), signals(&mut timer).1), ((false, true), false));
}

#[test]
fn mode_3_is_high_for_the_longer_half() {
    let mut timer = plain();
    program(&mut timer, 0, 0x36, 5);
    signals(&mut timer);
    let wave: Vec<_> = (1..=10)
        .map(|tick| {
            timer.advance(tick);
            (count(&mut timer, 0), signals(&mut timer))
        })
        .collect();
    let period = [(4, true), (2, true), (0, true), (4, false), (2, false)];
    for (tick, (value, (out, has_risen))) in wave.into_iter().enumerate() {
        assert_eq!((value, out), period[tick % 5], "{tick}");
        assert_eq!(has_risen, tick == 5, "{tick}");
    }
}

#[test]
fn a_wave_that_nobody_could_serve_is_not_waited_for() {
    for (control, count) in [(0x34, 2), (0x36, 3), (0x34, 1), (0x36, 118), (0x35, 1)] {
        let mut timer = plain();
        program(&mut timer, 0, control, count);
        let mut now = 0;
        for _ in 0..100 {
            let due = timer.deadline().unwrap();
            assert!((119..=240).contains(&(due - now)), "{control:#x} {count}: {due} after {now}");
            now = due;
            timer.advance(now);
            assert!(signals(&mut timer).1);
        }
    }
}

#[test]
fn control_words_lower_and_raise_out() {
    let mut timer = plain();
    put(&mut timer, CONTROL, 0x34);
    assert_eq!(signals(&mut timer), (true, true));
    put(&mut timer, CONTROL, 0x30);
    assert_eq!((signals(&mut timer), timer.deadline()), ((false, false), None));
    put(&mut timer, CONTROL, 0xb4);
    assert_eq!(signals(&mut timer), (false, false), "counter 2");
}

/// 82C54 data sheet, "counter latch command": kept until read, in two bytes, and not replaced.
#[test]
fn a_latched_count_is_kept_until_it_is_read() {
    let mut timer = plain();
    program(&mut timer, 1, 0x34, 0x1234);
    timer.advance(0x35);
    put(&mut timer, CONTROL, 0x40);
    timer.advance(0x45);
    put(&mut timer, CONTROL, 0x40);
    assert_eq!(get(&mut timer, 1), 0x00);
    timer.advance(0x55);
    assert_eq!(get(&mut timer, 1), 0x12);
    // Not latched, each byte is the count when it is read.
    assert_eq!(get(&mut timer, 1), 0xe0);
    timer.advance(0x1234);
    assert_eq!(get(&mut timer, 1), 0x00);
}

#[test]
fn counts_of_one_byte() {
    let mut timer = plain();
    put(&mut timer, CONTROL, 0x10);
    put(&mut timer, 0, 0x42);
    assert_eq!(timer.deadline(), Some(0x43));
    timer.advance(1);
    assert_eq!((get(&mut timer, 0), get(&mut timer, 0)), (0x42, 0x42));
    put(&mut timer, CONTROL, 0x20);
    put(&mut timer, 0, 0x42);
    assert_eq!(timer.deadline(), Some(0x4202));
    timer.advance(2);
    assert_eq!((get(&mut timer, 0), get(&mut timer, 0)), (0x42, 0x42));
}

/// 82C54 data sheet, "read-back command" and "null count operation".
#[test]
fn the_read_back_command_latches_counts_and_states() {
    let mut timer = plain();
    assert_eq!(status(&mut timer, 0), 0x70, "nothing is loaded");
    program(&mut timer, 0, 0x34, 100);
    put(&mut timer, CONTROL, 0x56);
    put(&mut timer, 1, 8);
    assert_eq!(status(&mut timer, 0), 0xf4, "the count is loaded with the next tick");
    timer.advance(1);
    // Both of both counters: the status comes first.
    put(&mut timer, CONTROL, 0xc6);
    timer.advance(50);
    assert_eq!([0; 3].map(|_| get(&mut timer, 0)), [0xb4, 100, 0]);
    assert_eq!([0; 2].map(|_| get(&mut timer, 1)), [0x96, 8]);
    put(&mut timer, 0, 50);
    assert_eq!(status(&mut timer, 0), 0xb4);
    put(&mut timer, 0, 0);
    assert_eq!(status(&mut timer, 0), 0xf4, "the new count waits for the end of the period");
    timer.advance(101);
    assert_eq!((status(&mut timer, 0), count(&mut timer, 0)), (0xb4, 50));
    put(&mut timer, CONTROL, 0xd0);
    assert_eq!(get(&mut timer, 0), 50, "no counter was selected");
}

#[test]
fn decimal_counts() {
    let mut timer = plain();
    program(&mut timer, 0, 0x31, 0x1000);
    timer.advance(2);
    assert_eq!(count(&mut timer, 0), 0x0999);
    timer.advance(1002);
    assert_eq!(count(&mut timer, 0), 0x9999);
}

#[test]
fn port_0x61_gates_counter_2_and_shows_its_out() {
    let mut timer = plain();
    program(&mut timer, 2, 0x30, 100);
    timer.advance(1000);
    assert_eq!((get(&mut timer, SYSTEM) & 0x2f, count(&mut timer, 2)), (0, 100), "the gate is low");
    put(&mut timer, SYSTEM, 0xff);
    timer.advance(1099);
    assert_eq!(get(&mut timer, SYSTEM) & 0x2f, 0x0f);
    timer.advance(1100);
    assert_eq!(get(&mut timer, SYSTEM) & 0x2f, 0x2f);
    assert_eq!((signals(&mut timer), timer.deadline()), ((false, false), None), "it does not interrupt");
    // The refresh bit changes every 15 microseconds.
    let mut changes = 0;
    let mut last = get(&mut timer, SYSTEM) & 0x10;
    for tick in 1101..1101 + 1800 {
        timer.advance(tick);
        let bit = get(&mut timer, SYSTEM) & 0x10;
        changes += u64::from(bit != last);
        last = bit;
    }
    assert_eq!(changes, 100);
}

#[test]
fn modes_1_and_5_are_triggered_by_the_gate() {
    for (control, pulse) in [(0x32, 1..=10), (0x3a, 11..=11)] {
        let mut timer = plain();
        program(&mut timer, 2, control, 10);
        timer.advance(100);
        for trigger in [100, 200] {
            put(&mut timer, SYSTEM, 1);
            for tick in 1..20 {
                timer.advance(trigger + tick);
                let out = get(&mut timer, SYSTEM) & 0x20 != 0;
                assert_eq!(out, !pulse.contains(&tick), "{control:#x}, {tick} after the trigger");
            }
            put(&mut timer, SYSTEM, 0);
            timer.advance(trigger + 100);
            assert_eq!(get(&mut timer, SYSTEM) & 0x20, 0x20);
        }
    }
}

#[test]
fn what_is_not_there_reads_as_zero_and_ignores_stores() {
    let mut timer = plain();
    for offset in [CONTROL, 5, 0x100, u64::MAX] {
        for width in [Width::Byte, Width::Half, Width::Word, Width::Double] {
            assert_eq!(timer.read(offset, width), 0, "{offset:#x}");
            if offset != CONTROL {
                timer.write(offset, width, u64::MAX);
            }
        }
    }
    timer.write(CONTROL, Width::Word, 0xffff_ff34);
    assert!(timer.line(), "of a wide access the first register is served");
}

#[test]
fn reset_and_quiesce() {
    let mut timer = plain();
    program(&mut timer, 0, 0x34, 1000);
    timer.advance(1001);
    timer.quiesce();
    assert_eq!((signals(&mut timer), timer.line(), timer.deadline()), ((false, false), false, None));
    timer.reset();
    timer.advance(5000);
    assert_eq!((signals(&mut timer), timer.deadline(), get(&mut timer, SYSTEM) & 0x2f), ((false, false), None, 0));
    program(&mut timer, 0, 0x34, 1000);
    assert_eq!(timer.deadline(), Some(6001));
    // The counter has begun anew.
    timer.reset();
    timer.advance(10);
    program(&mut timer, 0, 0x34, 1000);
    assert_eq!(timer.deadline(), Some(1011));
}

/// quick_pit_calibrate and pit_set_periodic of Linux (arch/x86/kernel/tsc.c, drivers/clocksource/i8253.c), on a TSC of 5 GHz.
#[test]
fn linux_drives_it() {
    let tsc_hz = 5_000_000_000;
    let mut timer = I8254::new(NonZeroU64::new(tsc_hz).unwrap());
    let mut tsc = 0x1234_5678_9abc;
    timer.advance(tsc);

    // The TSC's frequency: counter 2 in mode 0 from 0xffff, while its high byte goes down.
    let system = get(&mut timer, SYSTEM);
    put(&mut timer, SYSTEM, (system & !2) | 1);
    program(&mut timer, 2, 0x30, 0xffff);
    let mut wait = |timer: &mut I8254, high: u64| loop {
        tsc += 5_000;
        timer.advance(tsc);
        get(timer, 2);
        if get(timer, 2) == high {
            break tsc;
        }
    };
    let first = wait(&mut timer, 0xfe);
    let last = wait(&mut timer, 0xce);
    let measured = (last - first) * HZ.get() / (48 * 256);
    assert!(measured.abs_diff(tsc_hz) < tsc_hz / 2000, "{measured}");

    // The slow way: 10 ms of counter 2 in mode 0, until port 0x61 shows OUT.
    program(&mut timer, 2, 0x30, 11_931);
    let begin = tsc;
    while get(&mut timer, SYSTEM) & 0x20 == 0 {
        tsc += 5_000;
        timer.advance(tsc);
    }
    assert!((tsc - begin).abs_diff(tsc_hz / 100) < 20_000);

    // Its clock: 250 times a second.
    program(&mut timer, 0, 0x34, 4773);
    signals(&mut timer);
    let begin = tsc;
    for _ in 0..250 {
        tsc = timer.deadline().unwrap();
        timer.advance(tsc);
        assert!(signals(&mut timer).1);
    }
    assert!((tsc - begin).abs_diff(tsc_hz) < tsc_hz / 5000);
    // pit_shutdown.
    put(&mut timer, CONTROL, 0x30);
    assert_eq!(timer.deadline(), None);
}

/// A counter that ticks, as the data sheet has it.
#[derive(Debug)]
struct Ticking {
    mode: u64,
    register: u64,
    element: u64,
    is_loading: bool,
    is_counting: bool,
    is_done: bool,
    out: bool,
    gate: bool,
    /// A square wave from an odd count stays high for a tick at zero.
    lingers: bool,
}

impl Ticking {
    fn program(&mut self, mode: u64) {
        *self = Ticking { mode, is_loading: false, is_counting: false, out: mode != 0, ..*self };
    }

    fn write(&mut self, count: u64) {
        self.register = if count == 0 { 0x1_0000 } else { count };
        match self.mode {
            0 => (self.is_loading, self.out) = (true, false),
            4 => (self.is_loading, self.out) = (true, true),
            2 | 3 => self.is_loading |= !self.is_counting || !self.gate,
            _ => self.is_counting |= false,
        }
    }

    fn set_gate(&mut self, gate: bool) {
        let has_count = self.register != 0;
        match (self.mode, self.gate, gate) {
            (1 | 5, false, true) if has_count => (self.is_loading, self.out) = (true, self.mode == 5),
            (2 | 3, false, true) if self.is_counting || self.is_loading => self.is_loading = true,
            (2 | 3, true, false) => self.out = true,
            _ => {}
        }
        self.gate = gate;
    }

    fn tick(&mut self) {
        let is_periodic = matches!(self.mode, 2 | 3);
        if self.is_loading && (self.gate || !is_periodic) {
            self.element = if self.mode == 3 { self.register & !1 } else { self.register };
            self.lingers = self.register % 2 == 1;
            (self.is_loading, self.is_counting, self.is_done) = (false, true, false);
            self.out = !matches!(self.mode, 0 | 1);
            return;
        }
        if !self.is_counting || (!self.gate && !matches!(self.mode, 1 | 5)) {
            return;
        }
        match self.mode {
            2 if self.element == 1 => (self.element, self.out) = (self.register, true),
            2 => {
                self.element -= 1;
                self.out = self.element != 1;
            }
            3 => {
                let stays = self.out && self.lingers;
                if self.element > 2 || (self.element == 2 && stays) {
                    self.element -= 2;
                } else {
                    self.out = !self.out;
                    self.element = self.register & !1;
                    self.lingers = self.register % 2 == 1;
                }
            }
            _ => {
                let ended = self.element == 1 && !self.is_done;
                self.element = (self.element + 0xffff) % 0x1_0000;
                self.is_done |= ended;
                self.out = if matches!(self.mode, 4 | 5) { !ended } else { self.is_done };
            }
        }
    }
}

proptest! {
    /// In every mode, with counts and gates that change: the same OUT and the same count at every tick, whether looked at or
    /// not, and nobody who waits misses a rise. Between two things that are done there is a tick.
    #[test]
    fn a_counter_does_what_one_does_that_ticks(
        steps in prop::collection::vec((0u8..8, 0u64..6, 2u16..12, 1u64..30, any::<bool>()), 1..60),
    ) {
        let mut now = 1 << 40;
        let mut counter = Counter::new(true);
        counter.advance(now);
        let mut ticking = Ticking {
            mode: 0, register: 0, element: 0, is_loading: false, is_counting: false, is_done: false, out: false, gate: true,
            lingers: false,
        };
        for (kind, mode, count, wait, looks) in steps {
            match kind {
                0 => {
                    counter.set_program(Program::new(0x30 | (mode as u8) << 1));
                    ticking.program(mode);
                    ticking.register = 0;
                }
                1 | 2 => {
                    counter.set_gate(count % 2 == 0, now);
                    ticking.set_gate(count % 2 == 0);
                }
                3..6 => {
                    counter.set_count(count, now);
                    ticking.write(count.into());
                }
                _ => {}
            }
            prop_assert_eq!(counter.out(now), ticking.out, "{:?} {:?}", counter, ticking);
            let mut has_risen = false;
            let mut due = counter.deadline(now, 1);
            for _ in 0..wait {
                let before = ticking.out;
                ticking.tick();
                now += 1;
                let rises = ticking.out && !before;
                has_risen |= rises;
                prop_assert!(!rises || due.is_some_and(|due| due <= now), "a rise that nobody waited for: {:?}", counter);
                if looks {
                    prop_assert_eq!(counter.advance(now), rises);
                    due = counter.deadline(now, 1);
                } else if due.is_some_and(|due| due <= now) {
                    due = Some(0);
                }
            }
            if !looks {
                prop_assert_eq!(counter.advance(now), has_risen, "{:?} {:?}", counter, ticking);
            }
            prop_assert_eq!(counter.out(now), ticking.out, "{:?} {:?}", counter, ticking);
            if ticking.is_counting && (ticking.gate || !matches!(ticking.mode, 2 | 3)) {
                prop_assert_eq!(u64::from(counter.value(now)), ticking.element % 0x1_0000, "{:?} {:?}", counter, ticking);
            }
        }
    }

    /// Whatever a guest does, at whatever frequency: no panic, no bits beyond a byte, and a deadline that is ahead.
    #[test]
    fn any_sequence_does_no_harm(
        counter_hz in prop_oneof![1u64..1 << 34, 1u64..],
        steps in prop::collection::vec((0u64..7, any::<u64>(), 0u8..4), 1..200),
    ) {
        let mut timer = I8254::new(NonZeroU64::new(counter_hz).unwrap());
        let mut now = 0u64;
        for (offset, value, kind) in steps {
            match kind {
                0 => {
                    now += value >> (9 + value % 55);
                    timer.advance(now);
                    let due = timer.deadline();
                    // On a counter that is slower than the clock time comes to an end.
                    let is_ahead = due.is_none_or(|due| due.wrapping_sub(now) as i64 > 0);
                    prop_assert!(is_ahead || counter_hz < HZ.get(), "{:?} at {}", due, now);
                }
                1 => prop_assert!(timer.read(offset, Width::Double) <= 0xff),
                _ => timer.write(offset, Width::Double, value),
            }
            timer.deadline();
            prop_assert!(timer.signals().rose <= 1);
        }
        timer.quiesce();
        prop_assert!(timer.signals() == Signals::default() && timer.deadline().is_none());
    }
}

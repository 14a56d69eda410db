//! The HPET by its specification, against timers that tick, and as Linux drives it.

use super::*;
use proptest::prelude::*;

/// Lines 2 and 20 to 23.
const ROUTES: u32 = 0x00f0_0004;

const fn config(timer: u64) -> u64 {
    TIMERS + TIMER_STRIDE * timer + TIMER_CONFIG
}

const fn comparator(timer: u64) -> u64 {
    TIMERS + TIMER_STRIDE * timer + TIMER_COMPARATOR
}

const fn route(line: u64) -> u64 {
    line << ROUTE_SHIFT
}

/// Timers whose clock is the guest's counter, at time zero.
fn plain() -> Hpet {
    let mut hpet = Hpet::new(ROUTES, HZ);
    hpet.advance(0);
    hpet
}

fn get(hpet: &mut Hpet, offset: u64) -> u64 {
    hpet.read(offset, Width::Double)
}

fn put(hpet: &mut Hpet, offset: u64, value: u64) {
    hpet.write(offset, Width::Double, value);
}

fn signals(hpet: &mut Hpet) -> (u32, u32) {
    let Signals { high, rose } = hpet.signals();
    (high, rose)
}

#[test]
fn registers_after_reset() {
    let mut hpet = plain();
    assert_eq!(get(&mut hpet, CAPABILITIES), 0x05f5_e100_8086_a201);
    for offset in [CONFIG, STATUS, COUNTER] {
        assert_eq!(get(&mut hpet, offset), 0, "{offset:#x}");
    }
    for timer in 0..3 {
        assert_eq!(get(&mut hpet, config(timer)), 0x00f0_0004_0000_0030);
        assert_eq!(get(&mut hpet, comparator(timer)), u64::MAX);
    }
    assert_eq!((signals(&mut hpet), hpet.line(), hpet.deadline()), ((0, 0), false, None));
}

#[test]
fn registers_keep_the_bits_that_they_have() {
    let mut hpet = plain();
    for (offset, bits) in [(CAPABILITIES, 0x05f5_e100_8086_a201), (CONFIG, 3), (STATUS, 0)] {
        put(&mut hpet, offset, u64::MAX);
        assert_eq!(get(&mut hpet, offset), bits, "{offset:#x}");
    }
    put(&mut hpet, config(0), !ROUTE | route(20));
    assert_eq!(get(&mut hpet, config(0)), 0x00f0_0004_0000_297e);
    put(&mut hpet, config(0), route(5));
    assert_eq!(get(&mut hpet, config(0)), 0x00f0_0004_0000_2830, "a line that is not there is not kept");
    for offset in [0x008, 0x018, 0x028, 0x0e8, 0x110, 0x160, 0x168, 0x3f8, 0x400, !7] {
        put(&mut hpet, offset, u64::MAX);
        assert_eq!(get(&mut hpet, offset), 0, "{offset:#x}");
    }
}

#[test]
fn registers_are_reached_by_halves_and_not_by_less() {
    let mut hpet = plain();
    put(&mut hpet, COUNTER, 0x1122_3344_5566_7788);
    assert_eq!(hpet.read(COUNTER, Width::Word), 0x5566_7788);
    assert_eq!(hpet.read(COUNTER + 4, Width::Word), 0x1122_3344);
    hpet.write(COUNTER + 4, Width::Word, 0xaaaa_0000_0001);
    assert_eq!(get(&mut hpet, COUNTER), 1 << 32 | 0x5566_7788);
    hpet.write(COUNTER, Width::Word, 2);
    assert_eq!(get(&mut hpet, COUNTER), 1 << 32 | 2);
    for (offset, width) in
        [(0, Width::Byte), (0, Width::Half), (2, Width::Word), (4, Width::Double), (1, Width::Double)]
    {
        hpet.write(COUNTER + offset, width, u64::MAX);
        assert_eq!(hpet.read(COUNTER + offset, width), 0);
    }
    assert_eq!(get(&mut hpet, COUNTER), 1 << 32 | 2);
    assert_eq!(hpet.read(CAPABILITIES + 4, Width::Word), 100_000_000, "femtoseconds");
}

#[test]
fn the_counter_counts_while_it_is_enabled() {
    let mut hpet = plain();
    hpet.advance(100);
    assert_eq!(get(&mut hpet, COUNTER), 0);
    put(&mut hpet, CONFIG, ENABLE);
    hpet.advance(150);
    assert_eq!(get(&mut hpet, COUNTER), 50);
    put(&mut hpet, CONFIG, 0);
    hpet.advance(200);
    assert_eq!(get(&mut hpet, COUNTER), 50);
    put(&mut hpet, COUNTER, u64::MAX);
    put(&mut hpet, CONFIG, ENABLE);
    hpet.advance(202);
    assert_eq!(get(&mut hpet, COUNTER), 1);
}

#[test]
fn a_match_by_edge_is_a_rise() {
    let mut hpet = plain();
    put(&mut hpet, config(1), INTERRUPTS | route(21));
    put(&mut hpet, comparator(1), 1000);
    assert_eq!(hpet.deadline(), None, "the counter stands still");
    put(&mut hpet, CONFIG, ENABLE);
    assert_eq!(hpet.deadline(), Some(1000));
    hpet.advance(999);
    assert_eq!(signals(&mut hpet), (0, 0));
    hpet.advance(1000);
    assert_eq!((signals(&mut hpet), signals(&mut hpet)), ((0, 1 << 21), (0, 0)));
    assert_eq!((get(&mut hpet, STATUS), get(&mut hpet, comparator(1)), hpet.deadline()), (0, 1000, None));
    hpet.advance(1 << 40);
    assert_eq!(signals(&mut hpet), (0, 0), "once");
}

/// IA-PC HPET 1.0a, section 2.3.6: until the status is cleared.
#[test]
fn a_match_by_level_keeps_the_line_high() {
    let mut hpet = plain();
    put(&mut hpet, config(2), BY_LEVEL | route(2));
    put(&mut hpet, comparator(2), 10);
    put(&mut hpet, CONFIG, ENABLE);
    hpet.advance(20);
    assert_eq!((get(&mut hpet, STATUS), signals(&mut hpet)), (4, (0, 0)), "not enabled, the status shows it");
    put(&mut hpet, config(2), BY_LEVEL | INTERRUPTS | route(2));
    assert_eq!((signals(&mut hpet), hpet.line(), hpet.deadline()), ((4, 0), true, None));
    put(&mut hpet, CONFIG, 0);
    assert_eq!((signals(&mut hpet), get(&mut hpet, STATUS)), ((0, 0), 4));
    put(&mut hpet, CONFIG, ENABLE);
    put(&mut hpet, STATUS, 3);
    assert_eq!(signals(&mut hpet), (4, 0));
    put(&mut hpet, STATUS, 4);
    assert_eq!((signals(&mut hpet), get(&mut hpet, STATUS)), ((0, 0), 0));
}

#[test]
fn nobody_waits_for_a_line_that_is_high() {
    let mut hpet = plain();
    put(&mut hpet, config(2), BY_LEVEL | INTERRUPTS | PERIODIC | SETS_VALUE | route(2));
    put(&mut hpet, comparator(2), 5000);
    put(&mut hpet, CONFIG, ENABLE);
    hpet.advance(5000);
    assert_eq!((signals(&mut hpet), hpet.deadline()), ((4, 0), None));
    put(&mut hpet, STATUS, 4);
    assert_eq!((signals(&mut hpet), hpet.deadline()), ((0, 0), Some(10_000)));
}

#[test]
fn a_narrow_timer_matches_every_time_its_bits_come_round() {
    let mut hpet = plain();
    put(&mut hpet, config(0), INTERRUPTS | NARROW | route(20));
    put(&mut hpet, COUNTER, 0x7_ffff_fff0);
    put(&mut hpet, comparator(0), 0x10);
    put(&mut hpet, CONFIG, ENABLE);
    assert_eq!(hpet.deadline(), Some(0x20));
    hpet.advance(0x20);
    assert_eq!((signals(&mut hpet), hpet.deadline()), ((0, 1 << 20), Some(0x1_0000_0020)));
    hpet.advance(0x1_0000_0020);
    assert_eq!(signals(&mut hpet), (0, 1 << 20));
}

#[test]
fn a_periodic_timer_goes_on_by_its_interval() {
    let mut hpet = plain();
    put(&mut hpet, config(0), INTERRUPTS | PERIODIC | SETS_VALUE | route(22));
    put(&mut hpet, comparator(0), 5000);
    assert_eq!(get(&mut hpet, config(0)) & SETS_VALUE, 0, "it clears itself");
    put(&mut hpet, comparator(0), 2000);
    put(&mut hpet, CONFIG, ENABLE);
    for at in [5000, 7000, 9000] {
        assert_eq!((get(&mut hpet, comparator(0)), hpet.deadline()), (at, Some(at)));
        hpet.advance(at - 1);
        assert_eq!((signals(&mut hpet), hpet.deadline()), ((0, 0), Some(at)));
        hpet.advance(at);
        assert_eq!(signals(&mut hpet), (0, 1 << 22));
    }
    // However long nobody looked, it is one rise, and the beat stays.
    hpet.advance(1 << 50);
    assert_eq!((signals(&mut hpet), get(&mut hpet, comparator(0)) % 2000), ((0, 1 << 22), 1000));
    assert!((1..=2000).contains(&(hpet.deadline().unwrap() - (1 << 50))));
    // One store is enough for both.
    put(&mut hpet, COUNTER, 0);
    put(&mut hpet, config(0), INTERRUPTS | PERIODIC | SETS_VALUE | route(22));
    put(&mut hpet, comparator(0), 3000);
    let now = 1 << 50;
    hpet.advance(now + 3000);
    assert_eq!((signals(&mut hpet).1, hpet.deadline()), (1 << 22, Some(now + 6000)));
}

#[test]
fn intervals_that_nobody_could_serve_are_not_waited_for() {
    for interval in [1, 2, 7, 999, 1000, 1001] {
        let mut hpet = plain();
        put(&mut hpet, config(0), INTERRUPTS | PERIODIC | SETS_VALUE | route(22));
        put(&mut hpet, comparator(0), interval);
        put(&mut hpet, CONFIG, ENABLE);
        let mut now = 0;
        for _ in 0..100 {
            let due = hpet.deadline().unwrap();
            assert!(
                (1000..2000).contains(&(due - now)) && due.is_multiple_of(interval),
                "{interval}: {due} after {now}"
            );
            now = due;
            hpet.advance(now);
            assert_eq!(signals(&mut hpet).1, 1 << 22);
        }
    }
}

#[test]
fn an_interval_of_zero_is_none() {
    let mut hpet = plain();
    put(&mut hpet, config(0), INTERRUPTS | PERIODIC | SETS_VALUE | route(22));
    put(&mut hpet, comparator(0), 100);
    put(&mut hpet, comparator(0), 0);
    put(&mut hpet, CONFIG, ENABLE);
    hpet.advance(1 << 40);
    assert_eq!((signals(&mut hpet), get(&mut hpet, comparator(0)), hpet.deadline()), ((0, 1 << 22), 100, None));
}

#[test]
fn legacy_replacement_has_lines_0_and_8() {
    let mut hpet = plain();
    for timer in 0..3 {
        put(&mut hpet, config(timer), INTERRUPTS | route(20 + timer));
        put(&mut hpet, comparator(timer), 10 + timer);
    }
    put(&mut hpet, CONFIG, ENABLE | LEGACY);
    assert!(hpet.replaces_legacy());
    hpet.advance(12);
    assert_eq!(signals(&mut hpet), (0, 1 << 0 | 1 << 8 | 1 << 22));
}

#[test]
fn the_lines_are_asked_for_when_that_changes() {
    let mut hpet = plain();
    put(&mut hpet, CONFIG, ENABLE);
    assert_eq!(hpet.take_request(), None);
    for is_replaced in [true, false, true] {
        put(&mut hpet, CONFIG, if is_replaced { LEGACY } else { ENABLE });
        assert_eq!(hpet.take_request(), Some(Request::ReplaceLegacy(is_replaced)));
        put(&mut hpet, CONFIG, if is_replaced { LEGACY | ENABLE } else { 0 });
        assert_eq!(hpet.take_request(), None);
    }
    // After a reset the others have their lines without being asked.
    hpet.reset();
    assert_eq!(hpet.take_request(), None);
}

#[test]
fn a_timer_that_is_routed_nowhere_interrupts_nobody() {
    let mut hpet = plain();
    put(&mut hpet, config(0), INTERRUPTS);
    put(&mut hpet, comparator(0), 10);
    put(&mut hpet, CONFIG, ENABLE);
    hpet.advance(10);
    assert_eq!(signals(&mut hpet), (0, 0));
}

#[test]
fn reset_and_quiesce() {
    let mut hpet = plain();
    put(&mut hpet, config(0), INTERRUPTS | route(20));
    put(&mut hpet, config(1), INTERRUPTS | BY_LEVEL | route(21));
    put(&mut hpet, comparator(0), 10);
    put(&mut hpet, comparator(1), 10);
    put(&mut hpet, CONFIG, ENABLE | LEGACY);
    hpet.advance(10);
    hpet.quiesce();
    assert_eq!((signals(&mut hpet), hpet.line(), hpet.deadline()), ((0, 0), false, None));
    hpet.advance(20);
    hpet.reset();
    assert_eq!([CONFIG, STATUS, COUNTER].map(|offset| get(&mut hpet, offset)), [0; 3]);
    put(&mut hpet, CONFIG, ENABLE);
    hpet.advance(25);
    assert_eq!((get(&mut hpet, COUNTER), signals(&mut hpet)), (5, (0, 0)));
}

/// hpet_enable, hpet_clkevt_set_state_periodic and hpet_clkevt_set_next_event of Linux (arch/x86/kernel/hpet.c), on a TSC of
/// 5 GHz.
#[test]
fn linux_drives_it() {
    let tsc_hz = 5_000_000_000;
    let mut hpet = Hpet::new(ROUTES, NonZeroU64::new(tsc_hz).unwrap());
    let mut tsc = 1 << 45;
    hpet.advance(tsc);
    let get = |hpet: &mut Hpet, offset| hpet.read(offset, Width::Word);
    let put = |hpet: &mut Hpet, offset, value| hpet.write(offset, Width::Word, value);

    let period = get(&mut hpet, CAPABILITIES + 4);
    assert!((100_000..=100_000_000).contains(&period));
    assert_eq!((get(&mut hpet, CAPABILITIES) >> 8) & 0x1f, 2);
    put(&mut hpet, CONFIG, ENABLE);
    tsc += 5_000;
    hpet.advance(tsc);
    assert_ne!(get(&mut hpet, COUNTER), 0, "it counts");

    // Legacy replacement, timer 0 periodic with 250 Hz.
    put(&mut hpet, CONFIG, 0);
    put(&mut hpet, COUNTER, 0);
    put(&mut hpet, COUNTER + 4, 0);
    put(&mut hpet, CONFIG, ENABLE | LEGACY);
    let delta = 40_000;
    put(&mut hpet, config(0), INTERRUPTS | PERIODIC | SETS_VALUE | NARROW);
    put(&mut hpet, comparator(0), delta);
    put(&mut hpet, comparator(0), delta);
    let begin = tsc;
    for _ in 0..250 {
        tsc = hpet.deadline().unwrap();
        hpet.advance(tsc);
        assert_eq!(signals(&mut hpet), (0, 1));
    }
    assert_eq!(tsc - begin, tsc_hz);

    // One shot: an interrupt in so many ticks, unless they are over already.
    put(&mut hpet, config(0), INTERRUPTS | NARROW);
    let next = get(&mut hpet, COUNTER) + 192;
    put(&mut hpet, comparator(0), next);
    assert!(next - get(&mut hpet, COUNTER) >= 128);
    tsc += 192 * 500 - 1;
    hpet.advance(tsc);
    assert_eq!(signals(&mut hpet), (0, 0));
    hpet.advance(tsc + 1);
    assert_eq!(signals(&mut hpet), (0, 1));
}

/// A timer that ticks.
#[derive(Debug)]
struct Ticking {
    counter: u64,
    comparator: u64,
    interval: u64,
    periodic: bool,
    mask: u64,
}

impl Ticking {
    /// Whether it matches with this tick.
    fn tick(&mut self) -> bool {
        self.counter = self.counter.wrapping_add(1);
        let is_match = (self.counter ^ self.comparator) & self.mask == 0;
        if is_match && self.periodic {
            self.comparator =
                (self.comparator & !self.mask) | (self.comparator.wrapping_add(self.interval) & self.mask);
        }
        is_match
    }
}

proptest! {
    /// Of every size, periodic or not, around where the counter wraps: the same matches, whether looked at or not, and nobody
    /// who waits misses one.
    #[test]
    fn a_timer_does_what_one_does_that_ticks(
        (periodic, narrow) in any::<(bool, bool)>(),
        (before, ahead, interval) in (0u64..50, 0u64..50, 0u64..20),
        base in prop::sample::select(vec![0, 1 << 32, u64::MAX, 1 << 40]),
        steps in prop::collection::vec((1u64..40, any::<bool>()), 1..20),
    ) {
        let mut timer = Timer::new();
        let flags = [(PERIODIC | SETS_VALUE, periodic), (NARROW, narrow)];
        timer.set_config(flags.into_iter().filter(|(_, is)| *is).fold(0, |config, (bit, _)| config | bit), u32::MAX);
        let mut counter = u64::wrapping_sub(base, before);
        let comparator = counter.wrapping_add(ahead);
        timer.set_comparator(comparator, u64::MAX);
        if periodic {
            timer.set_comparator(interval, u64::MAX);
        }
        let mask = if narrow { u32::MAX.into() } else { u64::MAX };
        let mut ticking = Ticking { counter, comparator, interval, periodic, mask };
        for (ticks, looks) in steps {
            let mut matched = false;
            let mut due = timer.wait(counter, 1);
            for tick in 1..=ticks {
                let matches = ticking.tick();
                prop_assert!(!matches || due.is_some_and(|due| due <= tick), "{:?} {:?}", timer, due);
                matched |= matches;
                if looks {
                    prop_assert_eq!(timer.advance(counter, 1), matches);
                    counter = counter.wrapping_add(1);
                    due = timer.wait(counter, 1).and_then(|wait| wait.checked_add(tick));
                }
            }
            if !looks {
                prop_assert_eq!(timer.advance(counter, ticks), matched);
                counter = counter.wrapping_add(ticks);
            }
            prop_assert_eq!(timer.comparator(), ticking.comparator);
        }
    }

    /// Whatever a guest does: no panic, no bits beyond the width, no line that is not there, and a deadline that is ahead.
    #[test]
    fn any_sequence_does_no_harm(
        counter_hz in prop_oneof![HZ.get()..1 << 34, HZ.get()..],
        steps in prop::collection::vec((0u64..0x180, any::<u64>(), 0usize..4, 0u8..4), 1..200),
    ) {
        let mut hpet = Hpet::new(ROUTES, NonZeroU64::new(counter_hz).unwrap());
        let widths = [Width::Byte, Width::Half, Width::Word, Width::Double];
        let mut now = 0u64;
        for (offset, value, width, kind) in steps {
            match kind {
                0 => {
                    now += value >> (9 + value % 55);
                    hpet.advance(now);
                    let due = hpet.deadline();
                    prop_assert!(due.is_none_or(|due| due.wrapping_sub(now) as i64 > 0), "{:?} at {}", due, now);
                }
                1 => prop_assert_eq!(hpet.read(offset, widths[width]) & !widths[width].mask(), 0),
                // As often small values, which do something, and aligned registers.
                2 => hpet.write(offset & !7, Width::Double, value >> (value % 64)),
                _ => hpet.write(offset, widths[width], value),
            }
            hpet.deadline();
            let Signals { high, rose } = hpet.signals();
            prop_assert_eq!((high | rose) & !(ROUTES | 0x101), 0);
        }
        hpet.quiesce();
        prop_assert!(hpet.signals() == Signals::default() && hpet.deadline().is_none());
    }
}

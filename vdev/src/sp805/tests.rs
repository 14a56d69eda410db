//! The SP805 by its manual, against a model that ticks, and as Linux drives it.

use super::*;
use proptest::prelude::*;

const ON: u64 = (INTEN | RESEN) as u64;

fn hz(hz: u32) -> NonZeroU32 {
    NonZeroU32::new(hz).unwrap()
}

/// One whose clock is the guest's counter.
fn plain() -> Sp805 {
    Sp805::new(hz(1), hz(1))
}

fn get(watchdog: &mut Sp805, offset: u64) -> u64 {
    watchdog.read(offset, Width::Word)
}

fn put(watchdog: &mut Sp805, offset: u64, value: u64) {
    watchdog.write(offset, Width::Word, value);
}

#[test]
fn registers_after_reset() {
    let mut watchdog = plain();
    let expected = [(LOAD, 0xffff_ffff), (VALUE, 0xffff_ffff), (CONTROL, 0), (RIS, 0), (MIS, 0), (LOCK, 0), (ITCR, 0)];
    for (offset, value) in expected {
        assert_eq!(get(&mut watchdog, offset), value, "{offset:#x}");
    }
    assert_eq!((watchdog.line(), watchdog.bites(), watchdog.deadline()), (false, false, None));
}

/// amba_read_periphid of Linux, and its table: mask 0x00ffffff, id 0x00141805.
#[test]
fn linux_finds_its_identification() {
    let mut watchdog = plain();
    let id = |watchdog: &mut Sp805, base: u64| (0..4).fold(0, |id, n| id | get(watchdog, base + 4 * n) << (8 * n));
    assert_eq!(id(&mut watchdog, 0xfe0), 0x0014_1805);
    assert_eq!(id(&mut watchdog, 0xff0), 0xb105_f00d);
}

#[test]
fn the_first_time_out_interrupts_and_the_second_bites() {
    let mut watchdog = plain();
    watchdog.advance(1000);
    put(&mut watchdog, LOAD, 10);
    put(&mut watchdog, CONTROL, ON);
    assert_eq!(watchdog.deadline(), Some(1010));
    watchdog.advance(1009);
    assert_eq!((get(&mut watchdog, VALUE), watchdog.line()), (1, false));
    watchdog.advance(1010);
    assert_eq!((get(&mut watchdog, VALUE), watchdog.line(), watchdog.bites()), (0, true, false));
    assert_eq!((get(&mut watchdog, RIS), get(&mut watchdog, MIS)), (1, 1));
    watchdog.advance(1011);
    assert_eq!((get(&mut watchdog, VALUE), watchdog.deadline()), (10, Some(1021)));
    watchdog.advance(1020);
    assert!(!watchdog.bites());
    watchdog.advance(1021);
    assert_eq!((watchdog.bites(), watchdog.deadline()), (true, Some(1021)));
    watchdog.reset();
    assert_eq!((watchdog.bites(), watchdog.line(), get(&mut watchdog, CONTROL)), (false, false, 0));
}

#[test]
fn both_time_outs_may_be_found_at_once() {
    let mut watchdog = plain();
    put(&mut watchdog, LOAD, 10);
    put(&mut watchdog, CONTROL, ON);
    watchdog.advance(21);
    assert!(watchdog.line() && watchdog.bites());
}

#[test]
fn fed_in_time_it_does_not_bite() {
    let mut watchdog = plain();
    put(&mut watchdog, LOAD, 10);
    put(&mut watchdog, CONTROL, ON);
    for feeding in 1..=100 {
        // After the interrupt, just before the bite.
        watchdog.advance(feeding * 20);
        assert!(watchdog.line() && !watchdog.bites());
        put(&mut watchdog, INTCLR, feeding);
        assert_eq!((watchdog.line(), get(&mut watchdog, VALUE)), (false, 10));
    }
}

#[test]
fn without_resen_it_never_bites_and_waits_for_nothing_after_the_interrupt() {
    let mut watchdog = plain();
    put(&mut watchdog, LOAD, 10);
    put(&mut watchdog, CONTROL, INTEN.into());
    watchdog.advance(10);
    assert_eq!((watchdog.line(), watchdog.deadline()), (true, None));
    watchdog.advance(1 << 40);
    assert!(!watchdog.bites());
    put(&mut watchdog, CONTROL, ON);
    assert!(watchdog.bites(), "RESEN is a mask over what has come about");
}

#[test]
fn off_it_stands_still_and_on_it_begins_anew() {
    let mut watchdog = plain();
    put(&mut watchdog, LOAD, 10);
    put(&mut watchdog, CONTROL, ON);
    watchdog.advance(4);
    put(&mut watchdog, CONTROL, RESEN.into());
    watchdog.advance(100);
    assert_eq!((get(&mut watchdog, VALUE), watchdog.line(), watchdog.deadline()), (6, false, None));
    put(&mut watchdog, CONTROL, ON);
    assert_eq!((get(&mut watchdog, VALUE), watchdog.deadline()), (10, Some(110)));
    watchdog.advance(105);
    put(&mut watchdog, CONTROL, ON);
    assert_eq!(get(&mut watchdog, VALUE), 5, "it was on");
}

#[test]
fn locked_it_keeps_everything() {
    let mut watchdog = plain();
    put(&mut watchdog, LOAD, 10);
    put(&mut watchdog, CONTROL, ON);
    put(&mut watchdog, LOCK, 1);
    watchdog.advance(10);
    for (offset, value) in [(LOAD, 5), (CONTROL, 0), (INTCLR, 1), (ITCR, 1), (ITOP, 3)] {
        put(&mut watchdog, offset, value);
    }
    assert_eq!((get(&mut watchdog, LOAD), get(&mut watchdog, CONTROL), get(&mut watchdog, LOCK)), (10, ON, 1));
    assert!(watchdog.line() && !watchdog.bites());
    put(&mut watchdog, LOCK, UNLOCK.into());
    assert_eq!(get(&mut watchdog, LOCK), 0);
    put(&mut watchdog, INTCLR, 0);
    assert!(!watchdog.line());
}

#[test]
fn integration_test_mode_drives_the_outputs() {
    let mut watchdog = plain();
    put(&mut watchdog, ITOP, 3);
    assert!(!watchdog.line() && !watchdog.bites());
    put(&mut watchdog, ITCR, 1);
    assert!(watchdog.line() && watchdog.bites());
    watchdog.quiesce();
    assert!(!watchdog.line() && !watchdog.bites());
}

#[test]
fn a_load_of_zero_divides_nothing() {
    let mut watchdog = plain();
    put(&mut watchdog, LOAD, 0);
    put(&mut watchdog, CONTROL, ON);
    assert!(watchdog.line() && !watchdog.bites());
    assert_eq!(watchdog.deadline(), Some(1));
    watchdog.advance(1);
    assert!(watchdog.bites());
}

#[test]
fn time_that_seems_to_go_back_does_no_harm() {
    let mut watchdog = plain();
    watchdog.advance(1000);
    put(&mut watchdog, LOAD, 10);
    put(&mut watchdog, CONTROL, ON);
    watchdog.advance(999);
    assert_eq!((watchdog.line(), get(&mut watchdog, VALUE)), (false, 10));
}

#[test]
fn the_counter_may_wrap() {
    let mut watchdog = plain();
    watchdog.advance(u64::MAX - 4);
    put(&mut watchdog, LOAD, 10);
    put(&mut watchdog, CONTROL, ON);
    assert_eq!(watchdog.deadline(), Some(5));
    watchdog.advance(4);
    assert!(!watchdog.line());
    watchdog.advance(5);
    assert!(watchdog.line());
}

/// sp805_wdt of Linux: 25 MHz, a counter of 62.5 MHz, a time-out of 60 s, of which the load is half.
#[test]
fn linux_drives_it() {
    let mut watchdog = Sp805::new(hz(25_000_000), hz(62_500_000));
    let second = 62_500_000;
    let config = |watchdog: &mut Sp805, ping: bool| {
        put(watchdog, LOCK, UNLOCK.into());
        put(watchdog, LOAD, 25_000_000 / 2 * 60 - 1);
        put(watchdog, INTCLR, 1);
        if !ping {
            put(watchdog, CONTROL, ON);
        }
        put(watchdog, LOCK, 1);
        get(watchdog, LOCK);
    };
    watchdog.advance(7 * second);
    config(&mut watchdog, false);
    watchdog.advance(37 * second);
    assert!(watchdog.line() && !watchdog.bites());
    config(&mut watchdog, true);
    assert!(!watchdog.line());
    // wdt_timeleft.
    watchdog.advance(47 * second);
    assert_eq!(get(&mut watchdog, VALUE).div_ceil(25_000_000), 20);
    watchdog.advance(37 * second + 60 * second - 10);
    assert!(!watchdog.bites());
    watchdog.advance(37 * second + 60 * second);
    assert!(watchdog.bites());
}

/// The manual's flow chart, tick by tick.
#[derive(Debug)]
struct Ticking {
    load: u32,
    value: u32,
    control: u32,
    raised: bool,
    expired: bool,
}

impl Ticking {
    fn tick(&mut self) {
        if self.control & INTEN == 0 {
            return;
        }
        self.set(if self.value == 0 { self.load } else { self.value - 1 });
    }

    fn set(&mut self, value: u32) {
        self.value = value;
        if value == 0 && self.control & INTEN != 0 {
            self.expired |= self.raised;
            self.raised = true;
        }
    }

    fn write(&mut self, offset: u64, value: u32) {
        match offset {
            LOAD => {
                self.load = value;
                self.set(value);
            }
            CONTROL => {
                let on = value & !self.control & INTEN != 0;
                self.control = value;
                if on {
                    self.set(self.load);
                }
            }
            _ => {
                (self.raised, self.expired) = (false, false);
                self.set(self.load);
            }
        }
    }
}

proptest! {
    #[test]
    fn it_does_what_one_does_that_ticks(
        steps in prop::collection::vec((prop::sample::select(vec![LOAD, CONTROL, INTCLR]), 0u32..4, 0u64..12), 1..60),
    ) {
        let mut watchdog = plain();
        let mut ticking = Ticking { load: u32::MAX, value: u32::MAX, control: 0, raised: false, expired: false };
        let mut now = 1 << 50;
        watchdog.advance(now);
        for (offset, value, wait) in steps {
            put(&mut watchdog, offset, value.into());
            ticking.write(offset, value);
            for _ in 0..wait {
                let before = (watchdog.line(), watchdog.bites());
                let due = watchdog.deadline().filter(|_| !watchdog.bites());
                ticking.tick();
                now += 1;
                // Whoever waits for the deadline misses nothing.
                if due.is_some_and(|due| due <= now) {
                    watchdog.advance(now);
                    prop_assert_ne!((watchdog.line(), watchdog.bites()), before);
                }
                prop_assert_eq!(watchdog.line(), ticking.raised && ticking.control & INTEN != 0);
                prop_assert_eq!(watchdog.bites(), ticking.expired && ticking.control & RESEN != 0);
            }
            watchdog.advance(now);
            prop_assert_eq!(get(&mut watchdog, VALUE), u64::from(ticking.value));
            prop_assert_eq!(get(&mut watchdog, RIS), u64::from(ticking.raised));
        }
    }

    /// Whatever a guest does, at whatever frequency: no panic, and no bits beyond the width.
    #[test]
    fn any_sequence_does_no_harm(
        (clock, counter) in (1u32.., 1u32..),
        steps in prop::collection::vec((0u64..0x1004, any::<u64>(), 0usize..4, any::<bool>()), 1..100),
    ) {
        let mut watchdog = Sp805::new(hz(clock), hz(counter));
        let widths = [Width::Byte, Width::Half, Width::Word, Width::Double];
        for (offset, value, width, advances) in steps {
            if advances {
                watchdog.advance(value);
            }
            let small = if offset & 1 == 0 { offset & 0xc } else { offset };
            watchdog.write(small, widths[width], value);
            prop_assert_eq!(watchdog.read(offset, widths[width]) & !widths[width].mask(), 0);
            prop_assert!(watchdog.read(VALUE, Width::Word) <= u32::MAX.into());
            watchdog.deadline();
        }
        watchdog.quiesce();
        prop_assert!(!watchdog.line() && !watchdog.bites() && watchdog.deadline().is_none());
    }
}

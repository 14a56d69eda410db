//! The watchdog: its times by their codes, what starts it anew, and what it does at its end.

use super::*;
use proptest::prelude::*;

const HZ: u64 = 1_000;

fn watchdog() -> Ib700 {
    Ib700::new(NonZeroU64::new(HZ).unwrap())
}

fn start(watchdog: &mut Ib700, code: u64) {
    watchdog.write(START, Width::Byte, code);
}

#[test]
fn it_bites_when_the_time_is_over_and_no_sooner() {
    for (code, seconds) in [(0, 30), (1, 28), (8, 14), (14, 2), (0xf0, 30), (0x1e, 2)] {
        let mut watchdog = watchdog();
        watchdog.advance(5);
        start(&mut watchdog, code);
        let end = 5 + seconds * HZ;
        assert_eq!((watchdog.deadline(), watchdog.line()), (Some(end), false));
        watchdog.advance(end - 1);
        assert!(!watchdog.bites(), "code {code}");
        watchdog.advance(end);
        assert!(watchdog.bites(), "code {code}");
        // It is too late to stop it.
        watchdog.write(STOP, Width::Byte, 0);
        assert!(watchdog.bites());
    }
}

#[test]
fn no_time_at_all_is_over_at_once() {
    let mut watchdog = watchdog();
    start(&mut watchdog, 15);
    assert!(watchdog.bites());
}

#[test]
fn off_it_waits_for_nothing() {
    let mut watchdog = watchdog();
    assert_eq!((watchdog.deadline(), watchdog.bites()), (None, false));
    start(&mut watchdog, 14);
    watchdog.write(STOP, Width::Byte, 0xff);
    watchdog.advance(1 << 40);
    assert_eq!((watchdog.deadline(), watchdog.bites()), (None, false));
}

#[test]
fn reads_are_nobodys_and_a_store_beside_it_is_nothing() {
    let mut watchdog = watchdog();
    assert_eq!(watchdog.read(STOP, Width::Byte), 0xff);
    assert_eq!(watchdog.read(START, Width::Half), 0xffff);
    watchdog.write(Ib700::FRAME_BYTES, Width::Byte, 0);
    assert_eq!(watchdog.deadline(), None);
}

#[test]
fn a_vm_that_stops_is_not_bitten_and_the_next_life_begins_with_it_off() {
    let mut watchdog = watchdog();
    start(&mut watchdog, 14);
    watchdog.advance(2 * HZ);
    watchdog.quiesce();
    assert_eq!((watchdog.deadline(), watchdog.bites()), (None, false));
    watchdog.reset();
    // The counter may have begun anew.
    watchdog.advance(1);
    assert_eq!((watchdog.deadline(), watchdog.bites()), (None, false));
    start(&mut watchdog, 14);
    assert_eq!(watchdog.deadline(), Some(1 + 2 * HZ));
}

proptest! {
    /// Fed or stopped often enough it never bites, wherever the counter begins; once it is not, it does.
    #[test]
    fn fed_in_time_it_does_not_bite(
        origin: u64,
        feedings in prop::collection::vec((0_u64..15, any::<bool>(), 0_u64..100), 1..100),
    ) {
        let mut watchdog = watchdog();
        let mut now = origin;
        watchdog.advance(now);
        for (code, stops, part) in feedings {
            start(&mut watchdog, code);
            let span = (15 - code) * 2 * HZ;
            if stops {
                watchdog.write(STOP, Width::Byte, 0);
                prop_assert_eq!(watchdog.deadline(), None);
            } else {
                prop_assert_eq!(watchdog.deadline(), Some(now.wrapping_add(span)));
            }
            now = now.wrapping_add(if stops { 100 * span } else { span * part / 100 });
            watchdog.advance(now);
            prop_assert!(!watchdog.bites());
        }
        start(&mut watchdog, 0);
        watchdog.advance(now.wrapping_add(30 * HZ));
        prop_assert!(watchdog.bites());
    }
}

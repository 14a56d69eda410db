//! The local APIC's timer, against one that counts step by step.

use super::super::{
    TSC_DEADLINE,
    timer::{Mode, Timer},
};
use super::*;
use proptest::prelude::*;

#[test]
fn one_shot() {
    let mut world = World::new(1);
    world.set(0, DIVIDE, 0b1011);
    world.set(0, LVT_TIMER, 0x40);
    world.now = 1000;
    world.set(0, INITIAL, 500);
    assert_eq!(world.apics[0].deadline(), Some(1500));
    world.now = 1200;
    assert_eq!(world.read(0, CURRENT), 300);
    world.apics[0].tick(1499);
    assert_eq!(world.take(0), None);
    world.apics[0].tick(1500);
    assert_eq!((world.take(0), world.apics[0].deadline()), (Some(0x40), None));
    assert_eq!((world.read(0, CURRENT), world.read(0, INITIAL)), (0, 500));
    // Zero stops.
    world.set(0, INITIAL, 500);
    world.set(0, INITIAL, 0);
    assert_eq!(world.apics[0].deadline(), None);
}

#[test]
fn periodic() {
    let mut world = World::new(1);
    // Divided by 16.
    world.set(0, DIVIDE, 0b0011);
    world.set(0, LVT_TIMER, 1 << 17 | 0x40);
    world.set(0, INITIAL, 100);
    assert_eq!(world.apics[0].deadline(), Some(1600));
    world.apics[0].tick(1610);
    assert_eq!((world.take(0), world.apics[0].deadline()), (Some(0x40), Some(3200)));
    // Those that nobody saw are one; the phase stays.
    world.set(0, EOI, 0);
    world.apics[0].tick(16_032);
    assert_eq!((world.take(0), world.apics[0].deadline()), (Some(0x40), Some(17_600)));
    world.now = 16_032;
    assert_eq!(world.read(0, CURRENT), 98);
    // Masked, it counts on.
    world.set(0, EOI, 0);
    world.set(0, LVT_TIMER, 1 << 17 | 1 << 16 | 0x40);
    world.apics[0].tick(17_600);
    assert_eq!((world.take(0), world.apics[0].deadline()), (None, Some(19_200)));
}

#[test]
fn tsc_deadline() {
    let mut world = World::new(1);
    // In another mode the MSR does nothing.
    assert!(world.write_msr(0, TSC_DEADLINE, 77).is_some());
    assert_eq!(world.read_msr(0, TSC_DEADLINE), Some(0));
    world.set(0, INITIAL, 500);
    world.set(0, LVT_TIMER, 2 << 17 | 0x40);
    assert_eq!(world.apics[0].deadline(), None);
    world.set(0, INITIAL, 500);
    assert_eq!((world.apics[0].deadline(), world.read(0, CURRENT)), (None, 0));
    world.wrmsr(0, TSC_DEADLINE, 5000);
    assert_eq!((world.apics[0].deadline(), world.read_msr(0, TSC_DEADLINE)), (Some(5000), Some(5000)));
    world.apics[0].tick(5000);
    assert_eq!((world.take(0), world.read_msr(0, TSC_DEADLINE)), (Some(0x40), Some(0)));
    world.wrmsr(0, TSC_DEADLINE, 6000);
    world.wrmsr(0, TSC_DEADLINE, 0);
    assert_eq!(world.apics[0].deadline(), None);
    // Another mode disarms.
    world.wrmsr(0, TSC_DEADLINE, 6000);
    world.set(0, LVT_TIMER, 0x40);
    assert_eq!(world.apics[0].deadline(), None);
}

#[test]
fn divisors() {
    for (divide, by) in [(0, 2), (1, 4), (2, 8), (3, 16), (8, 32), (9, 64), (10, 128), (11, 1)] {
        let mut timer = Timer::new();
        timer.set_divide(divide, 0);
        timer.set_initial_count(10, 0);
        assert_eq!(timer.deadline(), Some(10 * by), "{divide}");
        assert_eq!((timer.count(by - 1), timer.count(by), timer.count(9 * by)), (10, 9, 1));
    }
}

proptest! {
    /// One that is decremented once a step, with a divisor of 1.
    #[test]
    fn counts_as_one_that_counts(initial in 1..50_u32, is_periodic: bool, steps in prop::collection::vec(1..40_u64, 1..20)) {
        let mut timer = Timer::new();
        timer.set_divide(0b1011, 0);
        timer.set_mode(if is_periodic { Mode::Periodic } else { Mode::OneShot }, 0);
        timer.set_initial_count(initial, 0);
        let (mut now, mut count, mut running) = (0, initial, true);
        for step in steps {
            let mut fired = false;
            for _ in 0..step {
                now += 1;
                if running {
                    count -= 1;
                    if count == 0 {
                        fired = true;
                        running = is_periodic;
                        count = if is_periodic { initial } else { 0 };
                    }
                }
            }
            prop_assert_eq!(timer.fires(now), fired);
            prop_assert_eq!(timer.count(now), count);
        }
    }

    /// No values overflow, and a deadline is never behind.
    #[test]
    fn any_values(writes in prop::collection::vec((0..5, any::<u32>(), any::<u64>()), 1..30)) {
        let mut timer = Timer::new();
        for (what, value, now) in writes {
            match what {
                0 => timer.set_initial_count(value, now),
                1 => timer.set_divide(value, now),
                2 => timer.set_mode(Mode::from_entry(value), now),
                3 => timer.set_tsc_deadline(now),
                _ => {
                    let _ = timer.fires(now);
                    prop_assert!(timer.deadline().is_none_or(|deadline| deadline > now || now == u64::MAX));
                }
            }
            prop_assert!(timer.count(now) <= timer.initial_count());
        }
    }
}

//! Shares, order and bookkeeping of time, by cases and by random histories.

use super::*;
use proptest::prelude::*;

const HZ: u64 = 250_000;
/// One slice in ticks.
const SLICE: u64 = 1000;

fn list(entries: &[(u8, Policy)]) -> Vec<Entry> {
    entries.iter().map(|&(priority, policy)| Entry::new(priority, policy)).collect()
}

/// All of them on.
fn scheduler(entries: &mut [Entry]) -> Scheduler<'_> {
    let mut scheduler = Scheduler::new(entries, HZ);
    for seat in 0..scheduler.entries.len() {
        scheduler.ready(seat, 0);
    }
    scheduler
}

/// It waits, and has no pCPU.
fn wait(scheduler: &mut Scheduler<'_>, seat: usize, now: u64, deadline: Option<u64>) {
    scheduler.wait(seat, now);
    scheduler.wake_at(seat, deadline);
}

#[test]
fn equals_take_turns_of_a_slice() {
    let mut entries = list(&[(10, Policy::RoundRobin); 3]);
    let mut scheduler = scheduler(&mut entries);
    let mut now = 0;
    for round in 0..9 {
        assert_eq!(scheduler.choose(now), Some(round % 3));
        assert_eq!(scheduler.until(), Some(now + SLICE));
        // A look before the slice has ended changes nothing.
        assert_eq!(scheduler.choose(now + SLICE / 2), Some(round % 3));
        assert_eq!(scheduler.until(), Some(now + SLICE));
        now += SLICE;
    }
    scheduler.choose(now);
    assert_eq!([0, 1, 2].map(|seat| scheduler.ran(seat)), [3 * SLICE; 3]);
}

#[test]
fn one_alone_in_its_priority_needs_no_alarm() {
    let mut entries = list(&[(10, Policy::RoundRobin), (9, Policy::RoundRobin)]);
    let mut scheduler = scheduler(&mut entries);
    assert_eq!(scheduler.choose(0), Some(0));
    assert_eq!(scheduler.until(), None);
    assert_eq!(scheduler.choose(50 * SLICE), Some(0));
}

#[test]
fn a_higher_one_preempts_and_the_lower_one_keeps_its_place_and_its_slice() {
    let mut entries = list(&[(10, Policy::RoundRobin), (10, Policy::RoundRobin), (20, Policy::RoundRobin)]);
    let mut scheduler = scheduler(&mut entries);
    assert_eq!(scheduler.choose(0), Some(2));
    wait(&mut scheduler, 2, 10, Some(300));
    assert_eq!(scheduler.choose(10), Some(0));
    assert_eq!(scheduler.until(), Some(300), "the higher one's timer");
    assert_eq!(scheduler.choose(300), Some(2));
    wait(&mut scheduler, 2, 400, None);
    assert_eq!(scheduler.choose(400), Some(0), "it was not its turn that ended");
    assert_eq!(scheduler.until(), Some(400 + SLICE - 290));
    assert_eq!(scheduler.choose(400 + SLICE - 290), Some(1));
}

#[test]
fn fifo_goes_on_until_it_waits() {
    let mut entries = list(&[(10, Policy::Fifo), (10, Policy::RoundRobin)]);
    let mut scheduler = scheduler(&mut entries);
    assert_eq!(scheduler.choose(0), Some(0));
    assert_eq!(scheduler.until(), None);
    assert_eq!(scheduler.choose(100 * SLICE), Some(0));
    scheduler.give_way(0, 100 * SLICE);
    assert_eq!(scheduler.choose(100 * SLICE), Some(1));
    assert_eq!(scheduler.choose(101 * SLICE), Some(0));
    wait(&mut scheduler, 0, 101 * SLICE, None);
    assert_eq!(scheduler.choose(101 * SLICE), Some(1));
    scheduler.ready(0, 101 * SLICE + 1);
    assert_eq!(scheduler.choose(101 * SLICE + 1), Some(1), "an equal one does not preempt");
}

#[test]
fn what_a_ready_one_waits_is_stolen_from_it_and_what_a_waiting_one_waits_is_not() {
    let mut entries = list(&[(10, Policy::RoundRobin); 2]);
    let mut scheduler = scheduler(&mut entries);
    scheduler.choose(0);
    scheduler.choose(SLICE);
    assert_eq!((scheduler.stolen(0), scheduler.stolen(1)), (0, SLICE));
    wait(&mut scheduler, 1, SLICE + 10, None);
    scheduler.choose(SLICE + 10);
    assert_eq!(scheduler.stolen(0), 10);
    scheduler.ready(1, SLICE + 500);
    wait(&mut scheduler, 0, SLICE + 600, None);
    scheduler.choose(SLICE + 600);
    assert_eq!(scheduler.stolen(1), SLICE + 100);
}

#[test]
fn nobody_runs_when_all_wait() {
    let mut entries = list(&[(10, Policy::RoundRobin); 2]);
    let mut scheduler = scheduler(&mut entries);
    scheduler.choose(0);
    wait(&mut scheduler, 0, 5, Some(80));
    scheduler.off(1, 5);
    assert_eq!(scheduler.choose(5), None);
    assert_eq!(scheduler.until(), Some(80));
    assert_eq!(scheduler.choose(79), None);
    assert_eq!(scheduler.choose(80), Some(0));
    assert_eq!(scheduler.ran(0), 5);
}

#[test]
fn one_that_waits_on_the_pcpu_needs_no_alarm_and_one_that_runs_has_no_deadline() {
    let mut entries = list(&[(10, Policy::RoundRobin); 2]);
    let mut scheduler = scheduler(&mut entries);
    scheduler.off(1, 0);
    assert_eq!(scheduler.choose(0), Some(0));
    scheduler.wake_at(0, Some(5));
    assert_eq!((scheduler.choose(6), scheduler.until()), (Some(0), None));
    scheduler.wait(0, 10);
    assert_eq!((scheduler.choose(10), scheduler.until()), (None, None));
    scheduler.wake_at(0, Some(80));
    assert_eq!(scheduler.until(), Some(80));
}

#[test]
fn a_deadline_that_comes_while_a_higher_one_runs_is_when_stealing_begins() {
    let mut entries = list(&[(10, Policy::RoundRobin), (20, Policy::RoundRobin)]);
    let mut scheduler = scheduler(&mut entries);
    assert_eq!(scheduler.choose(0), Some(1));
    wait(&mut scheduler, 1, 10, Some(100));
    assert_eq!(scheduler.choose(10), Some(0));
    wait(&mut scheduler, 0, 20, Some(100));
    assert_eq!(scheduler.choose(100), Some(1));
    assert_eq!(scheduler.until(), None, "the lower one disturbs nobody");
    wait(&mut scheduler, 1, 5000, None);
    assert_eq!(scheduler.choose(5000), Some(0));
    assert_eq!(scheduler.stolen(0), 10 + 4900);
}

#[test]
fn what_is_stolen_begins_when_the_alarm_comes_or_when_it_waits() {
    let mut entries = list(&[(10, Policy::RoundRobin), (20, Policy::RoundRobin)]);
    let mut scheduler = scheduler(&mut entries);
    assert_eq!(scheduler.choose(0), Some(1));
    wait(&mut scheduler, 1, 4000, Some(5000));
    assert_eq!(scheduler.choose(4000), Some(0));
    assert_eq!(scheduler.choose(5007), Some(1), "a late alarm");
    assert_eq!(scheduler.stolen(1), 0);
    wait(&mut scheduler, 1, 6000, None);
    assert_eq!(scheduler.choose(6000), Some(0));
    wait(&mut scheduler, 0, 7000, Some(0));
    scheduler.ready(1, 7000);
    assert_eq!(scheduler.choose(7000), Some(1));
    wait(&mut scheduler, 1, 7100, None);
    assert_eq!(scheduler.choose(7100), Some(0));
    assert_eq!(scheduler.stolen(0), 4000 + 993 + 100, "not since a timer that was due before it waited");
}

#[test]
fn who_is_held_leaves_the_pcpu_to_lower_ones_until_its_deadline() {
    let mut entries = list(&[(20, Policy::RoundRobin), (10, Policy::RoundRobin), (20, Policy::Fifo)]);
    let mut scheduler = scheduler(&mut entries);
    scheduler.off(2, 0);
    assert_eq!(scheduler.choose(0), Some(0));
    scheduler.hold(0, 900);
    assert_eq!((scheduler.choose(100), scheduler.until()), (Some(1), Some(900)));
    scheduler.ready(2, 200);
    assert_eq!((scheduler.choose(200), scheduler.until()), (Some(2), None), "it does not go before a FIFO equal");
    scheduler.off(2, 300);
    assert_eq!((scheduler.choose(300), scheduler.until()), (Some(1), Some(900)));
    assert_eq!(scheduler.choose(899), Some(1));
    assert_eq!(scheduler.choose(900), Some(0));
    scheduler.hold(0, 2000);
    scheduler.off(0, 1000);
    scheduler.ready(0, 1100);
    assert_eq!(scheduler.choose(1100), Some(0), "a new life is not held");
    scheduler.off(1, 1100);
    scheduler.hold(0, 3000);
    assert_eq!((scheduler.choose(1200), scheduler.until()), (None, Some(3000)), "not even if nobody else runs");
}

#[derive(Clone, Debug)]
enum Step {
    Ready(usize),
    Wait(Option<u64>),
    Off,
    GiveWay,
    /// Time goes by, at most to the alarm.
    Run(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6_usize).prop_map(Step::Ready),
        2 => prop::option::of(1..5000_u64).prop_map(Step::Wait),
        1 => Just(Step::Off),
        1 => Just(Step::GiveWay),
        8 => (1..3000_u64).prop_map(Step::Run),
    ]
}

proptest! {
    #[test]
    fn the_best_runs_and_all_time_is_somebodys(
        kinds in prop::collection::vec((1..4_u8, any::<bool>()), 1..6),
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let policy = |fifo| if fifo { Policy::Fifo } else { Policy::RoundRobin };
        let mut entries = list(&kinds.iter().map(|&(priority, fifo)| (priority, policy(fifo))).collect::<Vec<_>>());
        let mut scheduler = scheduler(&mut entries);
        let (mut now, mut idle) = (0, 0);
        for step in steps {
            let running = scheduler.choose(now);
            match (step, running) {
                (Step::Ready(seat), _) => scheduler.ready(seat, now),
                (Step::Wait(after), Some(seat)) => wait(&mut scheduler, seat, now, after.map(|after| now + after)),
                (Step::Off, Some(seat)) => scheduler.off(seat, now),
                (Step::GiveWay, Some(seat)) => scheduler.give_way(seat, now),
                (Step::Run(time), running) => {
                    let until = scheduler.until().unwrap_or(u64::MAX).max(now);
                    let time = time.min(until - now);
                    now += time;
                    idle += if running.is_none() { time } else { 0 };
                }
                _ => {}
            }
            let running = scheduler.choose(now);
            let ready = || of(scheduler.entries, scheduler.ready).map(|(_, entry)| entry.priority);
            let best = ready().max();
            prop_assert_eq!(running.map(|seat| scheduler.entries[seat].priority), best);
            // An alarm is never in the past, and there is one while equals share.
            prop_assert!(scheduler.until().is_none_or(|until| until > now));
            if let Some(seat) = running {
                let own = scheduler.entries[seat];
                let equals = ready().filter(|&priority| priority == own.priority).count();
                prop_assert!(equals < 2 || own.policy == Policy::Fifo || scheduler.until().is_some());
            }
        }
        let ran: u64 = (0..scheduler.entries.len()).map(|seat| scheduler.ran(seat)).sum();
        prop_assert_eq!(ran + idle, now);
    }

    #[test]
    fn equals_that_never_wait_get_equal_shares(count in 2..8_usize, looks in prop::collection::vec(1..700_u64, 300..500)) {
        let mut entries = list(&vec![(10, Policy::RoundRobin); count]);
        let mut scheduler = scheduler(&mut entries);
        let mut now = 0;
        for time in looks {
            scheduler.choose(now);
            now += time.min(scheduler.until().unwrap() - now);
        }
        scheduler.choose(now);
        let ran: Vec<u64> = (0..count).map(|seat| scheduler.ran(seat)).collect();
        prop_assert!(ran.iter().max().unwrap() - ran.iter().min().unwrap() <= SLICE, "{:?}", ran);
    }
}

//! Lives by cases and by random histories, and by several threads at once.

use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// A VM that runs, and its tickets.
fn running<const SEATS: usize>() -> (Life, [Ticket; SEATS]) {
    let life = Life::new(SEATS as u16);
    assert!(life.step(Step::Begin));
    assert_eq!(life.settle(), Settled::Opened);
    (life, [Ticket::default(); SEATS])
}

#[test]
fn a_life_ends_when_the_last_one_has_left() {
    let (vm, [mut first, mut second]) = running();
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
    assert_eq!((vm.ask(Step::Stop), vm.ask(Step::Stop)), (Some(Asked::Ring), None));
    assert_eq!(vm.look(&mut first), Look::Leave);
    assert!(!vm.leave(&mut first));
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::Out, Look::Leave));
    assert!(vm.leave(&mut second));
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::Out, Look::Out));
    assert_eq!(vm.settle(), Settled::Ended);
    assert!([Step::End, Step::Renew, Step::Begin].into_iter().all(|step| vm.step(step)));
    assert_eq!(vm.settle(), Settled::Opened);
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
}

#[test]
fn who_is_paused_goes_on_where_it_was() {
    let (vm, [mut first, mut second]) = running();
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
    assert_eq!(vm.ask(Step::Pause), Some(Asked::Ring));
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::StepAside, Look::StepAside));
    assert!(!vm.leave(&mut first) && vm.leave(&mut second));
    assert_eq!((vm.settle(), vm.state()), (Settled::Paused, State::Paused));
    assert_eq!(vm.ask(Step::Resume), Some(Asked::Yours));
    assert_eq!((vm.settle(), vm.state()), (Settled::Opened, State::Running));
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
}

#[test]
fn who_changes_its_mind_before_all_have_stepped_aside_is_obeyed() {
    let (vm, [mut first, mut second]) = running();
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
    vm.ask(Step::Pause);
    assert_eq!(vm.look(&mut first), Look::StepAside);
    vm.leave(&mut first);
    assert_eq!(vm.ask(Step::Resume), Some(Asked::Ring));
    assert_eq!(vm.look(&mut second), Look::StepAside);
    assert!(vm.leave(&mut second));
    assert_eq!(vm.settle(), Settled::Opened);
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
}

#[test]
fn who_is_paused_is_called_in_to_leave() {
    let (vm, [mut first, mut second]) = running();
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
    vm.ask(Step::Pause);
    assert!(!vm.leave(&mut first) && vm.leave(&mut second));
    vm.settle();
    assert_eq!(vm.ask(Step::Stop), Some(Asked::Yours));
    assert_eq!(vm.settle(), Settled::Opened);
    assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::Leave, Look::Leave));
    assert!(!vm.leave(&mut second) && vm.leave(&mut first));
    assert_eq!(vm.settle(), Settled::Ended);
    assert!(vm.step(Step::End) && !vm.is_over());
    vm.retire();
    assert!(vm.is_over());
}

#[test]
fn a_stop_before_it_begins_ends_it() {
    let vm = Life::new(1);
    assert_eq!(vm.ask(Step::Stop), Some(Asked::Ring));
    assert!(!vm.step(Step::Begin));
    assert_eq!(vm.settle(), Settled::Ended);
}

#[test]
fn nobody_is_in_while_the_holder_works_on_the_vm() {
    const ENDS: u32 = 500;
    const SEATS: usize = 4;
    let (vm, _) = running::<SEATS>();
    let (inside, ends) = (AtomicU32::new(0), AtomicU32::new(0));
    let settle = || {
        assert_eq!(inside.load(SeqCst), 0);
        if vm.settle() == Settled::Ended {
            ends.fetch_add(1, SeqCst);
            vm.step(Step::End);
            vm.step(Step::Renew);
            vm.step(Step::Begin);
            assert_eq!(vm.settle(), Settled::Opened);
        }
    };
    std::thread::scope(|scope| {
        for seat in 0..SEATS {
            let (vm, inside, ends) = (&vm, &inside, &ends);
            scope.spawn(move || {
                let mut ticket = Ticket::default();
                let mut was_in = false;
                while ends.load(SeqCst) < ENDS {
                    match vm.look(&mut ticket) {
                        Look::In => {
                            if !core::mem::replace(&mut was_in, true) {
                                inside.fetch_add(1, SeqCst);
                            }
                            vm.ask(if seat == 0 { Step::Stop } else { Step::Pause });
                        }
                        Look::StepAside | Look::Leave => {
                            if core::mem::take(&mut was_in) {
                                inside.fetch_sub(1, SeqCst);
                            }
                            if vm.leave(&mut ticket) {
                                settle();
                            }
                        }
                        Look::Out => match vm.ask(Step::Resume) {
                            Some(Asked::Yours) => settle(),
                            // Asleep, so that on a machine with few CPUs those who are in get one.
                            _ => std::thread::sleep(std::time::Duration::from_micros(20)),
                        },
                    }
                }
            });
        }
    });
}

proptest! {
    /// One vCPU after the other looks and obeys while anybody asks for anything: the holder is one at a time, the VM is empty
    /// when it is held, and what the state says becomes true as soon as all have looked.
    #[test]
    fn what_is_asked_for_becomes_true(acts in prop::collection::vec(0_usize..7, 0..300)) {
        let (vm, mut tickets) = running::<3>();
        let mut inside = [false; 3];
        let settle = |inside: &[bool]| {
            assert!(inside.iter().all(|is_in| !is_in));
            if vm.settle() == Settled::Ended {
                assert!(vm.step(Step::Fail) && vm.step(Step::Renew) && vm.step(Step::Begin));
                assert_eq!(vm.settle(), Settled::Opened);
            }
        };
        let mut obey = |seat: usize| match vm.look(&mut tickets[seat]) {
            Look::In => inside[seat] = true,
            Look::Out => assert!(!inside[seat]),
            Look::StepAside | Look::Leave => {
                inside[seat] = false;
                if vm.leave(&mut tickets[seat]) {
                    settle(&inside);
                }
            }
        };
        for act in acts {
            let step = match act {
                seat @ 0..3 => {
                    obey(seat);
                    continue;
                }
                3 => Step::Pause,
                4 | 5 => Step::Resume,
                _ => Step::Stop,
            };
            if vm.ask(step) == Some(Asked::Yours) {
                // Nobody is in, as `settle` finds when somebody leaves.
                prop_assert_eq!(vm.settle(), Settled::Opened);
            }
        }
        for _ in 0..4 {
            (0..3).for_each(&mut obey);
        }
        prop_assert!(matches!(vm.state(), State::Running | State::Paused));
        prop_assert_eq!(inside, [vm.state() == State::Running; 3]);
    }
}

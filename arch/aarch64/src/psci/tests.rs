//! PSCI against a plain reference model, and two threads that race for one vCPU.

use super::{Outcome, Power, Psci, State, status};
use crate::smccc::Call;
use model::Gpa;
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

const RAM: core::ops::Range<u64> = 0x4000_0000..0x8000_0000;

fn is_ram(gpa: Gpa) -> bool {
    RAM.contains(&gpa.0)
}

fn call(psci: &Psci<'_>, caller: u32, registers: [u64; 4]) -> Outcome {
    psci.call(caller, &Call::new(registers), is_ram)
}

fn cpu_on(psci: &Psci<'_>, target: u64) -> Outcome {
    call(psci, 0, [0xc400_0003, target, 0x4000_0000, 7])
}

fn cpus<const N: usize>() -> [Power; N] {
    [const { Power::new() }; N]
}

#[test]
fn the_version_and_what_is_not_there() {
    let cpus = cpus::<1>();
    let psci = Psci::new(&cpus);
    assert_eq!(call(&psci, 0, [0x8400_0000, 0, 0, 0]), Outcome::Return(0x1_0001));
    assert_eq!(call(&psci, 0, [0x8400_0006, 0, 0, 0]), Outcome::Return(2));
    // MIGRATE, MIGRATE_INFO_UP_CPU, CPU_FREEZE, SYSTEM_SUSPEND, MEM_PROTECT, PSCI_VERSION as a 64-bit call.
    for function in [0x8400_0005, 0xc400_0007, 0x8400_000b, 0xc400_000e, 0x8400_0013, 0xc400_0000] {
        assert_eq!(call(&psci, 0, [function, 0, 0, 0]), Outcome::Return(status::NOT_SUPPORTED), "{function:#x}");
        assert_eq!(call(&psci, 0, [0x8400_000a, function, 0, 0]), Outcome::Return(status::NOT_SUPPORTED));
    }
    for function in [0x8400_0001, 0xc400_0003, 0x8400_000a, 0xc400_0012, 0x8000_0000] {
        assert_eq!(call(&psci, 0, [0x8400_000a, function, 0, 0]), Outcome::Return(status::SUCCESS), "{function:#x}");
    }
}

#[test]
fn a_vcpu_walks_from_off_to_on_and_back() {
    let cpus = cpus::<18>();
    let psci = Psci::new(&cpus);
    psci.reset();
    let info = |target| call(&psci, 0, [0xc400_0004, target, 0, 0]);
    assert_eq!(info(0x101), Outcome::Return(1));
    assert_eq!(cpu_on(&psci, 0x101), Outcome::TurnOn { vcpu: 17, entry: Gpa(0x4000_0000), context: 7 });
    assert_eq!(info(0x101), Outcome::Return(2));
    assert_eq!(cpu_on(&psci, 0x101), Outcome::Return(status::ON_PENDING));
    psci.turned_on(17);
    assert_eq!(info(0x101), Outcome::Return(0));
    assert_eq!(cpu_on(&psci, 0x101), Outcome::Return(status::ALREADY_ON));
    assert_eq!(call(&psci, 17, [0x8400_0002, 0, 0, 0]), Outcome::TurnOff);
    assert_eq!(cpu_on(&psci, 0x101), Outcome::Return(status::ALREADY_ON));
    assert!(!psci.turned_off(17));
    assert!(matches!(cpu_on(&psci, 0x101), Outcome::TurnOn { .. }));
    psci.turned_off(17);
    assert!(psci.turned_off(0));
}

#[test]
fn bad_targets_and_entries_are_refused() {
    let cpus = cpus::<2>();
    let psci = Psci::new(&cpus);
    psci.reset();
    for target in [2, 0x100, 1 << 24, 1 << 31, 1 | 1 << 40, u64::MAX] {
        assert_eq!(cpu_on(&psci, target), Outcome::Return(status::INVALID_PARAMETERS), "{target:#x}");
    }
    for entry in [0x3fff_fffc, 0x8000_0000, 0x4000_0001, 0x4000_0002, !3] {
        let outcome = call(&psci, 0, [0xc400_0003, 1, entry, 0]);
        assert_eq!(outcome, Outcome::Return(status::INVALID_ADDRESS), "{entry:#x}");
    }
    assert_eq!(psci.state(1), Some(State::Off));
    // As a 32-bit call the upper halves do not count.
    let outcome = call(&psci, 0, [0x8400_0003, 0xffff_ffff_0000_0001, 0xffff_ffff_4000_0004, u64::MAX]);
    assert_eq!(outcome, Outcome::TurnOn { vcpu: 1, entry: Gpa(0x4000_0004), context: 0xffff_ffff });
}

#[test]
fn affinity_levels_cover_groups() {
    let cpus = cpus::<20>();
    let psci = Psci::new(&cpus);
    psci.reset();
    let info = |target, level| call(&psci, 0, [0xc400_0004, target, level, 0]);
    assert_eq!(info(0x000, 1), Outcome::Return(0));
    assert_eq!(info(0x100, 1), Outcome::Return(1));
    assert_eq!(info(0x100, 2), Outcome::Return(0));
    assert!(matches!(cpu_on(&psci, 0x103), Outcome::TurnOn { vcpu: 19, .. }));
    assert_eq!(info(0x100, 1), Outcome::Return(2));
    assert_eq!(info(0x200, 1), Outcome::Return(status::INVALID_PARAMETERS));
    assert_eq!(info(0, 4), Outcome::Return(status::INVALID_PARAMETERS));
}

#[test]
fn suspend_off_and_reset() {
    let cpus = cpus::<1>();
    let psci = Psci::new(&cpus);
    psci.reset();
    assert_eq!(call(&psci, 0, [0xc400_0001, 0x0101_0003, 0, 0]), Outcome::Suspend);
    assert_eq!(call(&psci, 0, [0xc400_0001, 1 << 30, 0, 0]), Outcome::Return(status::INVALID_PARAMETERS));
    assert_eq!(call(&psci, 0, [0x8400_0008, 0, 0, 0]), Outcome::SystemOff);
    assert_eq!(call(&psci, 0, [0x8400_0009, 0, 0, 0]), Outcome::SystemReset);
    assert_eq!(call(&psci, 0, [0xc400_0012, 0, 5, 0]), Outcome::SystemReset);
    assert_eq!(call(&psci, 0, [0xc400_0012, 1, 0, 0]), Outcome::Return(status::INVALID_PARAMETERS));
    assert_eq!(call(&psci, 0, [0x8400_0012, 1 << 31, 0, 0]), Outcome::Return(status::INVALID_PARAMETERS));
}

/// Each round two callers race to turn vCPU 2 on while it may still be going off; exactly one wins each time it is off.
#[test]
fn of_two_racing_cpu_on_one_wins() {
    let cpus = cpus::<3>();
    let psci = Psci::new(&cpus);
    psci.reset();
    let (wins, rounds) = (AtomicU32::new(0), 2000);
    let barrier = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for caller in 0..2 {
            let (psci, wins, barrier) = (&psci, &wins, &barrier);
            scope.spawn(move || {
                for round in 0..rounds {
                    barrier.wait();
                    match call(psci, caller, [0xc400_0003, 2, RAM.start, round]) {
                        Outcome::TurnOn { vcpu: 2, context, .. } => {
                            assert_eq!(context, round);
                            wins.fetch_add(1, Ordering::SeqCst);
                            assert_eq!(psci.state(2), Some(State::OnPending));
                            psci.turned_on(2);
                        }
                        Outcome::Return(status::ON_PENDING | status::ALREADY_ON) => {}
                        other => panic!("{other:?}"),
                    }
                    if barrier.wait().is_leader() {
                        assert_eq!(psci.state(2), Some(State::On));
                        psci.turned_off(2);
                    }
                }
            });
        }
    });
    assert_eq!(u64::from(wins.load(Ordering::SeqCst)), rounds);
}

/// The target goes off and comes on by itself while others call CPU_ON without any order: it is started exactly as
/// often as somebody was told that it would be.
#[test]
fn cpu_on_races_with_cpu_off() {
    let cpus = cpus::<3>();
    let psci = Psci::new(&cpus);
    psci.reset();
    let (told, started) = (AtomicU32::new(0), AtomicU32::new(0));
    let (sender, receiver) = std::sync::mpsc::sync_channel::<u64>(1);
    std::thread::scope(|scope| {
        for caller in 0..2 {
            let (psci, told, sender) = (&psci, &told, sender.clone());
            scope.spawn(move || {
                for _ in 0..3000 {
                    if let Outcome::TurnOn { context, .. } = call(psci, caller, [0xc400_0003, 2, RAM.start, 9]) {
                        told.fetch_add(1, Ordering::SeqCst);
                        sender.try_send(context).expect("only one start can be under way");
                    }
                }
            });
        }
        drop(sender);
        let (psci, started) = (&psci, &started);
        scope.spawn(move || {
            for context in receiver {
                assert_eq!(context, 9);
                psci.turned_on(2);
                started.fetch_add(1, Ordering::SeqCst);
                assert_eq!(call(psci, 2, [0x8400_0002, 0, 0, 0]), Outcome::TurnOff);
                psci.turned_off(2);
            }
        });
    });
    assert_eq!(told.load(Ordering::SeqCst), started.load(Ordering::SeqCst));
}

#[derive(Clone, Debug)]
enum Step {
    On(u32),
    Started(u32),
    Off(u32),
    Gone(u32),
    Info(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..4_u32, 0..5_u8).prop_map(|(cpu, kind)| match kind {
        0 => Step::On(cpu),
        1 => Step::Started(cpu),
        2 => Step::Off(cpu),
        3 => Step::Gone(cpu),
        _ => Step::Info(cpu),
    });
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn as_the_reference_model(steps in steps()) {
        let cpus = cpus::<4>();
        let psci = Psci::new(&cpus);
        psci.reset();
        let mut model = [State::On, State::Off, State::Off, State::Off];
        for step in steps {
            match step {
                Step::On(cpu) => {
                    let state = &mut model[cpu as usize];
                    let expected = match state {
                        State::On => Outcome::Return(status::ALREADY_ON),
                        State::OnPending => Outcome::Return(status::ON_PENDING),
                        State::Off => {
                            *state = State::OnPending;
                            Outcome::TurnOn { vcpu: cpu, entry: Gpa(RAM.start), context: 7 }
                        }
                    };
                    prop_assert_eq!(cpu_on(&psci, cpu.into()), expected);
                }
                Step::Started(cpu) if model[cpu as usize] == State::OnPending => {
                    psci.turned_on(cpu);
                    model[cpu as usize] = State::On;
                }
                Step::Off(cpu) if model[cpu as usize] == State::On => {
                    prop_assert_eq!(call(&psci, cpu, [0x8400_0002, 0, 0, 0]), Outcome::TurnOff);
                }
                Step::Gone(cpu) if model[cpu as usize] == State::On => {
                    model[cpu as usize] = State::Off;
                    prop_assert_eq!(psci.turned_off(cpu), model.iter().all(|&state| state == State::Off));
                }
                Step::Info(cpu) => {
                    let expected = Outcome::Return(model[cpu as usize] as u64);
                    prop_assert_eq!(call(&psci, 0, [0x8400_0004, cpu.into(), 0, 0]), expected);
                }
                Step::Started(_) | Step::Off(_) | Step::Gone(_) => {}
            }
        }
    }
}

//! Interrupts of the board that are the guest's: each comes again when the guest is done with it, and not before.

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::vapic::Ends;

const LEVEL: u64 = 1 << 15;
const MASKED: u64 = 1 << 16;
const NMI: u64 = 4 << 8;
const LOW: u32 = 5;
const HIGH: u32 = 20;

/// The board's ends of the lines: level-triggered ones, which stay active until the guest is done with them.
#[derive(Debug, Default)]
struct Board {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Lines that are high, and those that were handed in.
    high: u32,
    active: u32,
    /// How often an end was told of something that was not handed in.
    extra: u32,
}

impl Ends for Board {
    fn over(&self, line: u32) {
        let mut state = self.state.lock().unwrap();
        state.extra += u32::from(state.active & 1 << line == 0);
        state.active &= !(1 << line);
    }
}

/// A VM with lines of the board's.
struct Passing {
    world: World,
    board: &'static Board,
}

impl Passing {
    fn new(vcpus: u32) -> Passing {
        let board: &'static Board = Box::leak(Box::default());
        let World { vapic, apics, now } = World::new(vcpus);
        Passing { world: World { vapic: vapic.with_ends(board), apics, now }, board }
    }

    /// The board's line changes, and comes if it may.
    fn set(&mut self, line: u32, is_high: bool) {
        let mut state = self.board.state.lock().unwrap();
        state.high = state.high & !(1 << line) | u32::from(is_high) << line;
        drop(state);
        self.settle();
    }

    /// What is high and not active arrives.
    fn settle(&mut self) {
        for line in [LOW, HIGH] {
            let mut state = self.board.state.lock().unwrap();
            if state.high & !state.active & 1 << line != 0 {
                state.active |= 1 << line;
                drop(state);
                let _ = self.world.vapic.passed_pending(line);
            }
        }
    }

    fn is_active(&self, line: u32) -> bool {
        self.board.state.lock().unwrap().active & 1 << line != 0
    }

    fn entry(&mut self, line: u32, entry: u64) {
        let _ = self.world.write_entry(line, entry);
        self.settle();
    }

    fn end(&mut self, vcpu: u32) {
        let _ = self.world.write(vcpu, EOI, 0);
        self.settle();
    }

    /// A store to the 8259s: offsets of [`Vapic::pic_write`].
    fn pic(&mut self, offset: u64, value: u8) {
        let _ = self.world.vapic.pic_write(offset, value);
        self.settle();
    }
}

#[test]
fn it_is_masked_until_the_guest_has_ended_it_however_its_entry_is_triggered() {
    for trigger in [0, LEVEL] {
        let mut vm = Passing::new(1);
        vm.entry(HIGH, trigger | 0x44);
        vm.set(HIGH, true);
        for _ in 0..3 {
            assert_eq!(vm.world.take(0), Some(0x44));
            assert_eq!(vm.world.take(0), None);
            assert!(vm.is_active(HIGH));
            vm.end(0);
            assert!(vm.is_active(HIGH), "its line is high: it has come again");
        }
        vm.set(HIGH, false);
        assert_eq!(vm.world.take(0), Some(0x44));
        vm.end(0);
        assert!(!vm.is_active(HIGH));
        assert_eq!(vm.world.take(0), None);
    }
}

#[test]
fn at_a_masked_entry_it_waits_and_a_moved_one_ends_where_it_was_sent() {
    let mut vm = Passing::new(2);
    vm.set(HIGH, true);
    assert!(vm.is_active(HIGH), "or it would fire for ever");
    assert_eq!(vm.world.take(0), None);
    vm.entry(HIGH, 0x44);
    assert_eq!(vm.world.take(0), Some(0x44));
    vm.set(HIGH, false);
    // As Linux does: to another CPU and vector from within the handler, before EOI.
    vm.entry(HIGH, 1 << 56 | 0x55);
    assert!(vm.is_active(HIGH));
    vm.end(0);
    assert!(!vm.is_active(HIGH));
    vm.set(HIGH, true);
    assert_eq!((vm.world.take(0), vm.world.take(1)), (None, Some(0x55)));
}

#[test]
fn the_8259s_end_it_too() {
    let mut vm = Passing::new(1);
    vm.set(LOW, true);
    vm.pic(1, 0);
    assert_eq!(vm.world.take(0), Some(0x08 + 5));
    assert_eq!(vm.world.take(0), None);
    vm.set(LOW, false);
    assert!(vm.is_active(LOW));
    vm.pic(0, 0x20);
    assert!(!vm.is_active(LOW));
    // The I/O APIC has forgotten it.
    vm.entry(LOW, 0x44);
    assert_eq!(vm.world.take(0), None);
    // Again, and ICW1 forgets that it is in service.
    vm.entry(LOW, MASKED);
    vm.set(LOW, true);
    assert_eq!(vm.world.take(0), Some(0x08 + 5));
    vm.set(LOW, false);
    vm.pic(0, 0x11);
    assert!(!vm.is_active(LOW));
}

#[test]
fn ended_at_the_io_apic_it_is_gone_from_the_8259s() {
    let mut vm = Passing::new(1);
    vm.entry(LOW, 0x44);
    vm.set(LOW, true);
    assert_eq!(vm.world.take(0), Some(0x44));
    vm.set(LOW, false);
    vm.end(0);
    vm.pic(1, 0);
    assert_eq!(vm.world.take(0), None);
}

#[test]
fn what_nobody_can_end_is_over_at_once() {
    let mut vm = Passing::new(2);
    vm.entry(HIGH, NMI);
    vm.set(HIGH, true);
    vm.set(HIGH, false);
    vm.entry(LOW, 0x0f);
    vm.set(LOW, true);
    vm.set(LOW, false);
    // Each came once more while its line was high, and that is over as well.
    vm.settle();
    assert!(!vm.is_active(HIGH) && !vm.is_active(LOW));
    // INIT forgets what the CPU has in service.
    vm.entry(HIGH, 1 << 56 | 0x44);
    vm.set(HIGH, true);
    assert_eq!(vm.world.take(1), Some(0x44));
    vm.set(HIGH, false);
    let _ = vm.world.write(0, ICR_HIGH, 1 << 24);
    let _ = vm.world.write(0, ICR, 5 << 8 | 1 << 14);
    assert!(vm.world.apics[1].take_signals(&vm.world.vapic).init);
    assert!(!vm.is_active(HIGH));
}

#[test]
fn a_reset_forgets_it() {
    let mut vm = Passing::new(1);
    vm.set(HIGH, true);
    vm.world.vapic.reset();
    vm.entry(HIGH, 0x44);
    assert_eq!(vm.world.take(0), None);
    assert!(vm.is_active(HIGH), "the board's was deactivated before, and nobody tells of it once more");
}

proptest! {
    /// Whatever the guest does to its controllers: at the end, with everything handled, all that the board has is over, and what is
    /// raised then arrives.
    #[test]
    fn it_is_over_in_the_end(steps in prop::collection::vec((0..12_u8, 0..2_u32, any::<u8>()), 1..80)) {
        let mut vm = Passing::new(2);
        for (step, vcpu, value) in steps {
            let line = if value & 1 == 0 { LOW } else { HIGH };
            let vector = u64::from(0x40 | value >> 4);
            let to = u64::from(vcpu) << 56;
            match step {
                0 | 1 => vm.set(line, true),
                2 => vm.set(line, false),
                3 | 4 => {
                    let _ = vm.world.take(vcpu);
                }
                5 | 6 => vm.end(vcpu),
                7 => vm.entry(line, to | vector | if value & 2 == 0 { LEVEL } else { 0 }),
                8 => vm.entry(line, to | vector | MASKED),
                9 => vm.pic(u64::from(value & 1), value),
                10 => vm.pic(0, 0x20),
                _ => {
                    let _ = vm.world.write(vcpu, SVR, if value & 2 == 0 { 0x1ff } else { 0xff });
                }
            }
        }
        // The 8259s in order and masked, the entries as edges and then open, all that is in service ended, nothing high.
        for (offset, value) in [(0, 0x11), (1, 0x08), (1, 4), (1, 1), (1, 0xff)] {
            vm.pic(offset, value);
        }
        for line in [LOW, HIGH] {
            vm.set(line, false);
            vm.entry(line, MASKED);
        }
        for vcpu in 0..2 {
            let _ = vm.world.write(vcpu, SVR, 0x1ff);
            let _ = vm.world.write(vcpu, LINT0, 1 << 16);
        }
        for line in [LOW, HIGH] {
            vm.entry(line, 0x60 + u64::from(line));
        }
        for _ in 0..40 {
            for vcpu in 0..2 {
                vm.world.take(vcpu);
                vm.end(vcpu);
            }
        }
        for line in [LOW, HIGH] {
            prop_assert!(!vm.is_active(line), "{} waits for ever", line);
            vm.set(line, true);
            prop_assert!(vm.is_active(line));
            prop_assert_eq!(vm.world.take(0), Some(0x60 + line as u8));
            vm.set(line, false);
            vm.end(0);
        }
        prop_assert_eq!(vm.board.state.lock().unwrap().extra, 0);
    }
}

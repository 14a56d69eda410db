//! Interrupts of the board that are the guest's: each comes again when the guest is done with it, and not before.

use super::world::*;
use model::GicVersion;
use proptest::prelude::*;

const VERSIONS: [GicVersion; 2] = [GicVersion::V2, GicVersion::V3];

#[test]
fn it_is_masked_until_the_guest_has_handled_it() {
    for version in VERSIONS {
        let mut world = uart_world(version, 1, 4);
        world.board.set(UART, true);
        world.settle();
        for _ in 0..3 {
            assert_eq!(world.acknowledge(0), Some(UART));
            assert_eq!(world.acknowledge(0), None);
            assert!(world.board.is_active(UART));
            world.end(0, UART);
            assert!(world.board.is_active(UART), "its line is high: it has come again");
        }
        assert_eq!(world.acknowledge(0), Some(UART));
        world.board.set(UART, false);
        world.end(0, UART);
        assert!(!world.board.is_active(UART));
        assert_eq!(world.acknowledge(0), None);
    }
}

/// Other interrupts of its word, looked at while it is active, do not make it pending once more.
#[test]
fn it_comes_once_for_each_time_that_the_boards_does() {
    let mut world = uart_world(GicVersion::V3, 1, 4);
    world.write_bit(0, SET_ENABLE, UART + 1);
    world.set_priority(0, UART, 0x80);
    world.set_priority(0, UART + 1, 0x40);
    world.board.set(UART, true);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.board.set(UART, false);
    world.pulse(model::Irq::Shared(UART + 1));
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART + 1));
    world.end(0, UART + 1);
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), None);
    assert!(!world.board.is_active(UART));
}

#[test]
fn one_that_is_disabled_waits_and_one_that_is_cleared_comes_again() {
    let mut world = uart_world(GicVersion::V3, 1, 4);
    world.write_bit(0, CLEAR_ENABLE, UART);
    world.board.set(UART, true);
    world.settle();
    assert_eq!(world.acknowledge(0), None);
    assert!(world.board.is_active(UART), "or it would fire for ever");
    world.board.set(UART, false);
    world.write_bit(0, CLEAR_PENDING, UART);
    assert!(!world.board.is_active(UART));
    world.board.set(UART, true);
    world.settle();
    world.write_bit(0, SET_ENABLE, UART);
    world.settle();
    // Listed, it is cleared by way of its claimer; its line is high, so it is there again.
    world.write_bit(0, CLEAR_PENDING, UART);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
}

#[test]
fn another_vcpu_may_deactivate_it() {
    for version in VERSIONS {
        let mut world = uart_world(version, 2, 4);
        world.cpus.iter_mut().for_each(|cpu| cpu.hardware.split = true);
        world.board.set(UART, true);
        world.settle();
        assert_eq!(world.acknowledge(0), Some(UART));
        world.board.set(UART, false);
        world.end(0, UART);
        assert!(world.board.is_active(UART), "its priority was dropped, and no more");
        world.deactivate(1, UART);
        assert!(!world.board.is_active(UART));
    }
}

#[test]
fn it_survives_its_vcpu_losing_the_pcpu_and_going_off() {
    let mut world = uart_world(GicVersion::V3, 2, 4);
    world.board.set(UART, true);
    world.settle();
    world.switch(0);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.switch(0);
    world.settle();
    assert!(world.board.is_active(UART));
    world.board.set(UART, false);
    world.stop(0);
    world.settle();
    assert!(world.board.is_active(UART), "active, and with nobody");
    world.write_bit(1, CLEAR_ACTIVE, UART);
    assert!(!world.board.is_active(UART));
}

#[test]
fn a_reset_forgets_it() {
    let mut world = uart_world(GicVersion::V3, 1, 4);
    world.board.set(UART, true);
    world.settle();
    world.stop(0);
    world.vgic.reset();
    // The distributor was told to deactivate it before; nobody tells it once more.
    world.start(0);
    world.write_bit(0, CLEAR_PENDING, UART);
    world.settle();
    assert!(world.board.is_active(UART));
}

proptest! {
    /// Whatever the guest does to its controller: at the end, with everything handled, all that the board has is deactivated, and
    /// what is raised then arrives.
    #[test]
    fn it_is_over_in_the_end_and_never_twice(
        version in prop::sample::select(VERSIONS.to_vec()),
        steps in prop::collection::vec((0..12_u8, 0..3_usize, 0..3_u32), 1..80),
    ) {
        let mut world = World::of(version, 3, 2);
        let lines = [UART, UART + 1, 80];
        for intid in lines {
            world.write_bit(0, SET_ENABLE, intid);
        }
        let mut handled: Vec<Vec<u32>> = vec![Vec::new(); 3];
        for (step, vcpu, which) in steps {
            let intid = lines[which as usize];
            match step {
                0 | 1 => world.board.set(intid, true),
                2 => world.board.set(intid, false),
                3 | 4 => handled[vcpu].extend(world.acknowledge(vcpu)),
                5 | 6 => {
                    if let Some(intid) = handled[vcpu].pop() {
                        world.end(vcpu, intid);
                    }
                }
                7 => world.write_bit(vcpu, CLEAR_ENABLE, intid),
                8 => world.write_bit(vcpu, SET_ENABLE, intid),
                9 => world.write_bit(vcpu, if which == 0 { SET_PENDING } else { CLEAR_PENDING }, intid),
                10 if version == GicVersion::V3 => world.route(vcpu, intid, [0, 1, ROUTE_TO_ANY][vcpu]),
                10 => world.set_targets(vcpu, intid, [1, 2, 7][vcpu]),
                _ => world.switch(vcpu),
            }
            world.settle();
        }
        // All is handled, and nothing more comes.
        for intid in lines {
            world.board.set(intid, false);
            world.write_bit(0, SET_ENABLE, intid);
        }
        world.settle();
        for _ in 0..10 {
            for (vcpu, handled) in handled.iter_mut().enumerate() {
                handled.extend(world.acknowledge(vcpu));
                while let Some(intid) = handled.pop() {
                    world.end(vcpu, intid);
                }
            }
        }
        for intid in lines {
            prop_assert!(!world.board.is_active(intid), "{intid} waits for ever");
            world.board.set(intid, true);
            world.settle();
            prop_assert!(world.board.is_active(intid));
            let taken = (0..3).find_map(|vcpu| Some((vcpu, world.acknowledge(vcpu)?)));
            prop_assert_eq!(taken.map(|(_, taken)| taken), Some(intid));
            world.board.set(intid, false);
            world.end(taken.unwrap().0, intid);
        }
    }
}

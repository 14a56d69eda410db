//! Physical private interrupts (the timers) behind virtual ones.

use super::world::*;

const TIMER: u32 = 27;

fn timer_world() -> World {
    let mut world = World::new(1, 4);
    world.write_bit(0, SET_ENABLE, TIMER);
    world.settle();
    world
}

#[test]
fn the_timer_is_deactivated_by_its_guest() {
    let mut world = timer_world();
    for _ in 0..3 {
        world.cpus[0].hardware.line = 1 << TIMER;
        world.settle();
        assert_eq!(world.acknowledge(0), Some(TIMER));
        world.cpus[0].hardware.line = 0;
        world.cpus[0].hardware.end(TIMER);
        assert_eq!(world.cpus[0].hardware.active, 0);
        assert!(!world.cpus[0].hardware.maintenance());
    }
    // Line still high at the end: it fires again at once.
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    for _ in 0..3 {
        assert_eq!(world.acknowledge(0), Some(TIMER));
        world.end(0, TIMER);
    }
}

#[test]
fn a_timer_that_fires_again_shows_as_pending() {
    let mut world = timer_world();
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    assert!(world.read_bit(0, SET_PENDING, TIMER));
    assert_eq!(world.acknowledge(0), Some(TIMER));
    assert!(!world.read_bit(0, SET_PENDING, TIMER));
    world.end(0, TIMER);
    assert!(world.read_bit(0, SET_PENDING, TIMER));
}

#[test]
fn a_timer_that_is_disabled_waits_and_one_that_drops_goes_away() {
    let mut world = timer_world();
    world.write_bit(0, CLEAR_ENABLE, TIMER);
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    assert_eq!(world.acknowledge(0), None);
    assert_eq!(world.cpus[0].hardware.active, 1 << TIMER, "or it would fire for ever");
    world.write_bit(0, CLEAR_PENDING, TIMER);
    world.settle();
    assert!(world.read_bit(0, SET_PENDING, TIMER), "the line is high");
    world.cpus[0].hardware.line = 0;
    world.write_bit(0, SET_ENABLE, TIMER);
    world.settle();
    assert_eq!(world.acknowledge(0), None);
    assert_eq!(world.cpus[0].hardware.active, 0);
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    assert_eq!(world.acknowledge(0), Some(TIMER));
}

#[test]
fn another_vcpu_clears_a_timer_that_has_dropped() {
    let mut world = World::new(2, 4);
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    world.cpus[0].hardware.line = 0;
    let kick = world.vgic.redistributor_write(0, 0x1_0000 + CLEAR_PENDING, 4, 1 << TIMER);
    world.kick_from(kick, 1);
    world.settle();
    assert_eq!(world.cpus[0].hardware.active, 0);
}

#[test]
fn clearing_the_timer_s_active_state_deactivates_the_physical_one() {
    let mut world = timer_world();
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    assert_eq!(world.acknowledge(0), Some(TIMER));
    world.cpus[0].hardware.line = 0;
    world.write_bit(0, CLEAR_ACTIVE, TIMER);
    world.settle();
    assert_eq!(world.cpus[0].hardware.active, 0);
}

#[test]
fn a_timer_made_pending_while_active_is_deactivated_at_its_last_end() {
    let mut world = timer_world();
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    assert_eq!(world.acknowledge(0), Some(TIMER));
    world.cpus[0].hardware.line = 0;
    world.write_bit(0, SET_PENDING, TIMER);
    world.settle();
    world.end(0, TIMER);
    assert_eq!(world.acknowledge(0), Some(TIMER));
    world.end(0, TIMER);
    assert_eq!(world.cpus[0].hardware.active, 0);
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    assert_eq!(world.acknowledge(0), Some(TIMER));
}

#[test]
fn a_stopped_vcpu_leaves_no_physical_interrupt_active() {
    for acknowledged in [false, true] {
        let mut world = timer_world();
        world.cpus[0].hardware.line = 1 << TIMER;
        world.settle();
        if acknowledged {
            world.acknowledge(0);
        }
        world.stop(0);
        assert_eq!(world.cpus[0].hardware.active, 0);
        assert!(world.cpus[0].hardware.listed().is_empty());
    }
    // Nor one that the guest has not even enabled.
    let mut world = World::new(1, 4);
    world.cpus[0].hardware.line = 1 << TIMER;
    world.settle();
    world.stop(0);
    assert_eq!(world.cpus[0].hardware.active, 0);
}

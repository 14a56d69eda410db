//! Which vCPU gets an interrupt: routes, 1 of N, SGIs, groups.

use super::world::*;
use model::{GicVersion, Irq};

fn world(vcpus: usize, list_registers: usize) -> World {
    uart_world(GicVersion::V3, vcpus, list_registers)
}

#[test]
fn a_rerouted_interrupt_changes_hands() {
    let mut world = world(2, 4);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    world.route(0, UART, 1);
    world.settle();
    assert_eq!((world.acknowledge(0), world.acknowledge(1)), (None, Some(UART)));
    // While it is active there, a new route waits for its end.
    world.route(1, UART, 0);
    world.settle();
    assert_eq!(world.acknowledge(0), None);
    world.end(1, UART);
    assert_eq!((world.acknowledge(1), world.acknowledge(0)), (None, Some(UART)));
}

/// An edge of the UART's is active on vCPU 0, and the next ones are for vCPU 1.
fn rerouted_while_active() -> World {
    let mut world = world(2, 4);
    world.set_edge(0, UART);
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.route(0, UART, 1);
    world.settle();
    world
}

#[test]
fn an_edge_for_a_new_route_waits_for_the_end_on_the_old_one() {
    let mut world = rerouted_while_active();
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!(world.acknowledge(1), None);
    world.end(0, UART);
    assert_eq!((world.acknowledge(0), world.acknowledge(1)), (None, Some(UART)));
}

#[test]
fn an_edge_after_the_end_goes_by_the_new_route() {
    let mut world = rerouted_while_active();
    world.end(0, UART);
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!((world.acknowledge(0), world.acknowledge(1)), (None, Some(UART)));
}

#[test]
fn a_route_to_nobody_waits() {
    let mut world = world(2, 4);
    world.route(0, UART, 5);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    assert_eq!((world.acknowledge(0), world.acknowledge(1)), (None, None));
    assert!(world.read_bit(0, SET_PENDING, UART));
    world.route(0, UART, 1);
    world.settle();
    assert_eq!(world.acknowledge(1), Some(UART));
}

#[test]
fn one_of_n_goes_to_one_and_survives_its_going_off() {
    let mut world = world(3, 4);
    world.set_edge(0, UART);
    world.route(0, UART, ROUTE_TO_ANY);
    world.settle();
    let kick = world.vgic.pulse(Irq::Shared(UART)).unwrap();
    assert_eq!(kick.iter().count(), 1);
    let first = kick.iter().next().unwrap() as usize;
    world.settle();
    world.stop(first);
    world.settle();
    let takers = (0..3).filter(|&vcpu| vcpu != first && world.acknowledge(vcpu) == Some(UART)).count();
    assert_eq!(takers, 1);
}

#[test]
fn sgis_reach_their_targets() {
    let mut world = World::new(18, 4);
    for vcpu in 0..18 {
        world.write_private(vcpu, SET_ENABLE, 4, 0xffff);
    }
    world.settle();
    // SGI 5 to 0.0.1.1, which is vCPU 17, and to 0.0.1.7, which is not there.
    world.send_sgi(0, 5 << 24 | 1 << 16 | 0b1000_0010);
    world.settle();
    for vcpu in 0..18 {
        assert_eq!(world.acknowledge(vcpu), (vcpu == 17).then_some(5));
    }
    world.end(17, 5);
    // A range above 15 and other affinities name nobody.
    for nobody in [1 << 44, 1 << 48, 1 << 32, 2 << 16] {
        world.send_sgi(0, nobody | 0xffff);
    }
    // To all but self.
    world.send_sgi(3, 1 << 40 | 9 << 24);
    world.settle();
    for vcpu in 0..18 {
        assert_eq!(world.acknowledge(vcpu), (vcpu != 3).then_some(9));
    }
}

#[test]
fn a_group0_write_reaches_group0_sgis_only() {
    let mut world = World::new(1, 4);
    world.write_private(0, SET_ENABLE, 4, 0xffff);
    world.write_private(0, GROUP, 4, 1 << 2);
    world.settle();
    for sgi in [1, 2] {
        let kick = world.vgic.send_group0_sgi(0, sgi << 24 | 1);
        world.kick_from(kick, 0);
    }
    world.settle();
    assert_eq!(world.acknowledge(0), Some(1));
    world.end(0, 1);
    assert_eq!(world.acknowledge(0), None);
}

#[test]
fn a_disabled_group_is_not_forwarded() {
    let mut world = world(1, 4);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    world.write(0, DISTRIBUTOR_CONTROL, 4, 1);
    world.settle();
    assert_eq!(world.acknowledge(0), None);
    world.write(0, DISTRIBUTOR_CONTROL, 4, 2);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
}

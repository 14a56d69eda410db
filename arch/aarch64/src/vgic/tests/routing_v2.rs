//! Which vCPU gets an interrupt on a GICv2: several targets, SGIs and who sent them.

use super::world::*;
use model::{GicVersion, Irq};

fn world(vcpus: usize, list_registers: usize) -> World {
    uart_world(GicVersion::V2, vcpus, list_registers)
}

/// What GICV_IAR says of an SGI.
fn from(sender: u32, sgi: u32) -> Option<u32> {
    Some(sender << 10 | sgi)
}

#[test]
fn of_several_targets_one_gets_it() {
    let mut world = world(4, 4);
    world.set_edge(0, UART);
    world.set_targets(0, UART, 0b1010);
    for _ in 0..10 {
        world.pulse(Irq::Shared(UART));
        world.settle();
        let takers: Vec<usize> = (0..4).filter(|&vcpu| world.acknowledge(vcpu) == Some(UART)).collect();
        assert!(takers == [1] || takers == [3], "{takers:?}");
        world.end(takers[0], UART);
    }
}

#[test]
fn a_target_that_is_off_leaves_it_to_the_others() {
    let mut world = world(4, 4);
    world.set_edge(0, UART);
    world.set_targets(0, UART, 0b1010);
    world.pulse(Irq::Shared(UART));
    world.settle();
    let listed = (0..4).find(|&vcpu| !world.cpus[vcpu].hardware.listed().is_empty()).unwrap();
    world.stop(listed);
    world.settle();
    assert_eq!(world.acknowledge(4 - listed), Some(UART));
    world.end(4 - listed, UART);
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!(world.acknowledge(4 - listed), Some(UART));
}

#[test]
fn no_target_is_a_place_to_wait() {
    let mut world = world(2, 4);
    world.set_targets(0, UART, 0);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    assert_eq!((world.acknowledge(0), world.acknowledge(1)), (None, None));
    assert!(world.read_bit(0, SET_PENDING, UART));
    world.set_targets(0, UART, 2);
    world.settle();
    assert_eq!((world.acknowledge(0), world.acknowledge(1)), (None, Some(UART)));
}

#[test]
fn target_lists_have_filters() {
    let mut world = world(3, 4);
    for (sender, register, receivers) in [
        (0, 0b101 << 16 | 5, &[0, 2][..]),
        // Those that do not exist are nobody.
        (1, 0xf8 << 16 | 5, &[]),
        (1, 1 << 24 | 0xff << 16 | 6, &[0, 2]),
        (1, 2 << 24 | 0xff << 16 | 7, &[1]),
        (1, 3 << 24 | 0xff << 16 | 8, &[]),
    ] {
        world.write(sender, SOFTWARE_INTERRUPT, 4, register);
        world.settle();
        for vcpu in 0..3 {
            let expected = from(sender as u32, register as u32 & 0xf).filter(|_| receivers.contains(&vcpu));
            assert_eq!(world.acknowledge(vcpu), expected, "vCPU {vcpu}, {register:#x}");
            if let Some(acknowledged) = expected {
                world.end(vcpu, acknowledged);
            }
        }
    }
}

#[test]
fn an_sgi_comes_once_from_each_sender() {
    for list_registers in [1, 4] {
        let mut world = world(4, list_registers);
        for _ in 0..3 {
            for sender in [3, 0, 1, 3] {
                world.send_sgi_to(sender, 2, 0b0010);
            }
            world.settle();
            let mut senders = Vec::new();
            while let Some(acknowledged) = world.acknowledge(1) {
                assert_eq!(acknowledged & 0x3ff, 2);
                senders.push(acknowledged >> 10);
                world.end(1, acknowledged);
            }
            senders.sort_unstable();
            assert_eq!(senders, [0, 1, 3], "{list_registers} list registers");
        }
    }
}

#[test]
fn an_sgi_sent_again_while_it_is_handled_comes_again() {
    let mut world = world(2, 4);
    world.send_sgi_to(0, 2, 0b10);
    world.settle();
    assert_eq!(world.acknowledge(1), from(0, 2));
    world.send_sgi_to(0, 2, 0b10);
    world.send_sgi_to(1, 2, 0b10);
    world.settle();
    assert_eq!(world.acknowledge(1), None, "its priority runs");
    world.end(1, 2);
    let second = world.acknowledge(1).unwrap();
    world.end(1, second);
    let third = world.acknowledge(1).unwrap();
    world.end(1, third);
    let mut senders = [second >> 10, third >> 10];
    senders.sort_unstable();
    assert_eq!((senders, world.acknowledge(1)), ([0, 1], None));
}

#[test]
fn a_sender_is_cleared_also_where_it_is_listed() {
    let mut world = world(2, 4);
    world.send_sgi_to(0, 2, 0b10);
    world.send_sgi_to(1, 2, 0b10);
    world.settle();
    // vCPU 0's is in the list register.
    world.write(1, CLEAR_SENDERS + 2, 1, 0b01);
    world.settle();
    assert_eq!(world.acknowledge(1), from(1, 2));
    world.end(1, 1 << 10 | 2);
    assert_eq!(world.acknowledge(1), None);
}

#[test]
fn a_vcpu_that_lost_its_pcpu_still_knows_the_senders() {
    let mut world = world(4, 4);
    world.send_sgi_to(3, 2, 0b10);
    world.settle();
    world.send_sgi_to(2, 2, 0b10);
    world.switch(1);
    world.settle();
    let first = world.acknowledge(1).unwrap();
    world.switch(1);
    world.settle();
    world.end(1, first);
    let second = world.acknowledge(1).unwrap();
    world.end(1, second);
    let mut senders = [first >> 10, second >> 10];
    senders.sort_unstable();
    assert_eq!((senders, world.acknowledge(1)), ([2, 3], None));
}

#[test]
fn any_vcpu_deactivates_when_eoi_is_split() {
    let mut world = world(2, 4);
    deactivated_by_another(&mut world);
    // An SGI is deactivated with its sender's number next to it.
    world.send_sgi_to(1, 2, 1);
    world.settle();
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), from(1, 2));
    world.end(0, 1 << 10 | 2);
    world.deactivate(0, 1 << 10 | 2);
    assert!(!world.read_bit(0, SET_ACTIVE, 2));
}

//! Single stories, one behaviour each.

use super::super::CpuInterface;
use super::super::bank::Bank;
use super::world::*;
use model::Irq;

const UART: u32 = 37;
const TIMER: u32 = 27;

/// A world of `vcpus` with the UART's interrupt enabled and routed to vCPU 0.
fn world(vcpus: usize, list_registers: usize) -> World {
    let mut world = World::new(vcpus, list_registers);
    world.write_bit(0, SET_ENABLE, UART);
    world.settle();
    world
}

fn timer_world() -> World {
    let mut world = World::new(1, 4);
    world.write_bit(0, SET_ENABLE, TIMER);
    world.settle();
    world
}

#[test]
fn a_level_fires_again_while_the_line_is_high() {
    let mut world = world(1, 4);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    for _ in 0..3 {
        assert_eq!(world.acknowledge(0), Some(UART));
        assert_eq!(world.acknowledge(0), None);
        world.end(0, UART);
    }
    assert_eq!(world.acknowledge(0), Some(UART));
    world.set_line(Irq::Shared(UART), false);
    world.settle();
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), None);
}

#[test]
fn a_level_that_drops_before_it_is_taken_goes_away() {
    let mut world = world(1, 4);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    world.set_line(Irq::Shared(UART), false);
    world.settle();
    assert_eq!(world.acknowledge(0), None);
    assert!(!world.read_bit(0, SET_PENDING, UART));
}

#[test]
fn when_the_handler_lowers_the_line_its_end_costs_no_exit() {
    let mut world = world(1, 4);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.set_line(Irq::Shared(UART), false);
    world.settle();
    world.cpus[0].hardware.end(UART);
    assert!(!world.cpus[0].hardware.maintenance());
}

#[test]
fn edges_are_delivered_once_each_also_while_active() {
    let mut world = world(1, 4);
    world.set_edge(0, UART);
    world.pulse(Irq::Shared(UART));
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert!(world.read_bit(0, SET_PENDING, UART) && world.read_bit(0, SET_ACTIVE, UART));
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), Some(UART));
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), None);
}

#[test]
fn a_disabled_interrupt_leaves_the_list_register_and_stays_pending() {
    let mut world = world(2, 4);
    world.set_edge(0, UART);
    world.pulse(Irq::Shared(UART));
    world.settle();
    // The other vCPU disables it: RWP says when it can't come any more.
    world.write_bit(1, CLEAR_ENABLE, UART);
    assert!(world.vgic.distributor_read(1, DISTRIBUTOR_CONTROL, 4).value & 1 << 31 != 0);
    world.settle();
    assert!(world.vgic.distributor_read(1, DISTRIBUTOR_CONTROL, 4).value & 1 << 31 == 0);
    assert_eq!(world.acknowledge(0), None);
    assert!(world.read_bit(1, SET_PENDING, UART));
    world.write_bit(1, SET_ENABLE, UART);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
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

#[test]
fn an_edge_for_a_new_route_waits_for_the_end_on_the_old_one() {
    let mut world = world(2, 4);
    world.set_edge(0, UART);
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.route(0, UART, 1);
    world.settle();
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!(world.acknowledge(1), None);
    world.end(0, UART);
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
fn better_interrupts_push_worse_ones_out() {
    for list_registers in [1, 2, 4] {
        let mut world = World::new(1, list_registers);
        for intid in 40..60 {
            world.set_priority(0, intid, (intid - 40) as u8 * 8);
            world.write_bit(0, SET_ENABLE, intid);
        }
        for intid in (40..60).rev() {
            world.set_edge(0, intid);
            world.pulse(Irq::Shared(intid));
            world.settle();
        }
        for intid in 40..60 {
            assert_eq!(world.acknowledge(0), Some(intid), "{list_registers} list registers");
            world.settle();
            world.end(0, intid);
        }
        assert_eq!(world.acknowledge(0), None);
    }
}

#[test]
fn nested_interrupts_outnumber_the_list_registers() {
    for split in [false, true] {
        let mut world = World::new(1, 1);
        world.cpus[0].hardware.split = split;
        let priority = |intid: u32| (80 - 8 * (intid - 40)) as u8;
        for intid in 40..50 {
            world.set_priority(0, intid, priority(intid));
            world.write_bit(0, SET_ENABLE, intid);
            world.set_line(Irq::Shared(intid), true);
            world.settle();
            assert_eq!(world.acknowledge(0), Some(intid));
            world.settle();
        }
        for intid in (40..50).rev() {
            assert!(world.read_bit(0, SET_ACTIVE, intid));
            world.set_line(Irq::Shared(intid), false);
            world.settle();
            world.end(0, intid);
            if split {
                assert!(world.read_bit(0, SET_ACTIVE, intid));
                world.deactivate(0, intid);
            }
            assert!(!world.read_bit(0, SET_ACTIVE, intid), "{intid}, split {split}");
        }
        assert_eq!(world.acknowledge(0), None);
    }
}

#[test]
fn the_end_of_an_interrupt_that_had_to_make_room_is_seen_at_once() {
    let mut world = world(1, 1);
    world.set_priority(0, UART, 0x80);
    world.write_bit(0, SET_ENABLE, 40);
    world.set_edge(0, 40);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.pulse(Irq::Shared(40));
    world.settle();
    assert_eq!(world.acknowledge(0), Some(40));
    world.end(0, 40);
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), Some(UART), "its line is still high");
}

#[test]
fn another_vcpu_may_deactivate_when_eoi_is_split() {
    let mut world = world(2, 4);
    for cpu in &mut world.cpus {
        cpu.hardware.split = true;
    }
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), None);
    world.deactivate(1, UART);
    assert_eq!(world.acknowledge(0), Some(UART));
}

#[test]
fn the_guest_can_set_and_clear_active() {
    let mut world = world(2, 4);
    world.write_bit(0, SET_ACTIVE, UART);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    assert_eq!(world.acknowledge(0), None);
    assert!(world.read_bit(1, SET_ACTIVE, UART));
    world.write_bit(1, CLEAR_ACTIVE, UART);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    // Cleared by the other vCPU while it is in vCPU 0's list register.
    world.write_bit(1, CLEAR_ACTIVE, UART);
    world.settle();
    assert!(!world.read_bit(1, SET_ACTIVE, UART));
}

#[test]
fn set_active_takes_a_pending_one_away() {
    let mut world = world(1, 4);
    world.set_edge(0, UART);
    world.pulse(Irq::Shared(UART));
    world.settle();
    world.write_bit(0, SET_ACTIVE, UART);
    world.settle();
    assert_eq!(world.acknowledge(0), None);
    world.write_bit(0, CLEAR_ACTIVE, UART);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
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
fn what_software_made_pending_once_does_not_keep_a_level_pending() {
    let mut world = world(1, 4);
    world.write_bit(0, SET_PENDING, UART);
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.end(0, UART);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    world.set_line(Irq::Shared(UART), false);
    world.settle();
    assert_eq!(world.acknowledge(0), None);
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

#[test]
fn one_interrupt_costs_one_list_register_write_and_nothing_costs_nothing() {
    let mut world = world(1, 4);
    world.set_edge(0, UART);
    world.settle();
    let before = world.cpus[0].hardware.lr_writes;
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!(world.cpus[0].hardware.lr_writes, before + 1);
    assert_eq!(world.acknowledge(0), Some(UART));
    world.end(0, UART);
    world.sync(0);
    world.settle();
    assert_eq!(world.cpus[0].hardware.lr_writes, before + 1);
}

#[test]
fn wfi_ends_for_what_the_guest_could_take() {
    let mut world = world(1, 4);
    world.set_priority(0, UART, 0x80);
    world.settle();
    let enabled = 0xff << 24 | 2;
    let wakes = |world: &World, vmcr| world.cpus[0].interface.wakes(&world.cpus[0].hardware, vmcr);
    assert!(!wakes(&world, enabled));
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    assert!(wakes(&world, enabled));
    assert!(!wakes(&world, 0xff << 24 | 1), "its group is not enabled");
    assert!(!wakes(&world, 0x80 << 24 | 2), "its priority is masked");
    assert_eq!(world.acknowledge(0), Some(UART));
    assert!(!wakes(&world, enabled), "it was taken");
}

#[test]
fn a_vcpu_that_shares_its_pcpu_finds_its_interrupts_again() {
    let mut world = world(2, 4);
    world.set_edge(0, UART);
    world.pulse(Irq::Shared(UART));
    world.settle();
    assert_eq!(world.acknowledge(0), Some(UART));
    world.pulse(Irq::Shared(UART));
    world.settle();
    world.sync(0);
    let cpu = &mut world.cpus[0];
    let (mask, split) = (cpu.hardware.mask, cpu.hardware.split);
    assert_eq!((mask, split), (0xff, false));
    for index in 0..4 {
        use super::super::ListRegisters;
        cpu.hardware.write(index, 0);
    }
    cpu.interface.reload();
    world.settle();
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), Some(UART));
}

#[test]
fn what_does_not_exist_is_refused() {
    let world = world(2, 4);
    for irq in [
        Irq::Shared(31),
        Irq::Shared(512),
        Irq::Shared(u32::MAX),
        Irq::Private { vcpu: 2, intid: 20 },
        Irq::Private { vcpu: 0, intid: 32 },
        Irq::Message { device: 0, event: 0 },
    ] {
        assert!(world.vgic.inject(irq, true).is_err(), "{irq:?}");
    }
    assert!(world.vgic.hardware_pending(0, 32).is_empty());
    assert!(world.vgic.hardware_pending(7, 27).is_empty());
}

#[test]
fn reset_is_power_on() {
    let mut world = world(1, 4);
    world.set_line(Irq::Shared(UART), true);
    world.settle();
    world.acknowledge(0);
    world.stop(0);
    world.vgic.reset();
    for (register, expected) in [(GROUP, 0), (SET_ENABLE, 0), (SET_ACTIVE, 0), (SET_PENDING, 1 << (UART % 32))] {
        let read = world.vgic.distributor_read(0, register + 4, 4).value;
        assert_eq!(read, expected, "{register:#x}: only the line is the device's");
    }
}

#[test]
fn the_state_has_the_size_that_is_documented() {
    assert_eq!(size_of::<Bank>(), 128);
    assert!(size_of::<CpuInterface>() <= 320);
}

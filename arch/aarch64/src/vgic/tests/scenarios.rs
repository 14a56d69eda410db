//! Single stories, one behaviour each.

use super::super::CpuInterface;
use super::super::bank::Bank;
use super::world::*;
use model::{GicVersion, Irq};

fn world(vcpus: usize, list_registers: usize) -> World {
    uart_world(GicVersion::V3, vcpus, list_registers)
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
    deactivated_by_another(&mut world);
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
    world.switch(0);
    world.settle();
    world.end(0, UART);
    assert_eq!(world.acknowledge(0), Some(UART));
}

#[test]
fn what_waits_for_a_vcpu_without_pcpu_goes_to_another() {
    let mut world = world(2, 4);
    world.set_edge(0, UART);
    world.route(0, UART, ROUTE_TO_ANY);
    world.pulse(Irq::Shared(UART));
    world.settle();
    let first = (0..2).find(|&vcpu| !world.cpus[vcpu].hardware.listed().is_empty()).unwrap();
    let cpu = &mut world.cpus[first];
    let kick = cpu.interface.unload(&world.vgic, &mut cpu.hardware);
    world.kick_from(kick, first);
    // The other one alone settles.
    let other = &mut world.cpus[1 - first];
    let _ = other.interface.flush(&world.vgic, &mut other.hardware);
    assert_eq!(world.acknowledge(1 - first), Some(UART));
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

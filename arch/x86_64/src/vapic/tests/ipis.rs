//! Who gets an IPI or a message, by destination modes and shorthands (SDM volume 3, 11.6.2 and 11.12.10).

use super::super::{APIC_BASE, Signals};
use super::*;

fn got(world: &mut World, vector: u8) -> Vec<u32> {
    let vectors = world.vectors();
    (0..vectors.len() as u32)
        .filter(|&vcpu| vectors[vcpu as usize] == Some(vector))
        .inspect(|&vcpu| {
            assert_eq!(world.take(vcpu), Some(vector));
            world.set(vcpu, EOI, 0);
            if world.apics[vcpu as usize].page().is_none() {
                world.wrmsr(vcpu, 0x80b, 0);
            }
        })
        .collect()
}

/// An IPI by vCPU 1, in xAPIC mode. The kicks are of those that get it, but itself.
fn send(world: &mut World, high: u32, low: u32) -> Vec<u32> {
    world.set(1, ICR_HIGH, high << 24);
    let kick = world.write(1, ICR, low);
    let got = got(world, low as u8);
    let others: Vec<_> = got.iter().copied().filter(|&vcpu| vcpu != 1).collect();
    assert_eq!(kick.without(1).iter().collect::<Vec<_>>(), others);
    got
}

#[test]
fn physical_and_shorthands() {
    let mut world = World::new(4);
    assert_eq!(send(&mut world, 2, 0x40), [2]);
    assert_eq!(send(&mut world, 1, 0x40), [1]);
    assert_eq!(send(&mut world, 9, 0x40), []);
    assert_eq!(send(&mut world, 0xff, 0x40), [0, 1, 2, 3]);
    assert_eq!(send(&mut world, 0, 1 << 18 | 0x40), [1]);
    assert_eq!(send(&mut world, 0, 2 << 18 | 0x40), [0, 1, 2, 3]);
    assert_eq!(send(&mut world, 0, 3 << 18 | 0x40), [0, 2, 3]);
    // Lowest priority: one.
    assert_eq!(send(&mut world, 0xff, 0x140), [0]);
}

#[test]
fn logical() {
    let mut world = World::new(4);
    for vcpu in 0..4 {
        world.set(vcpu, LDR, 1 << (24 + vcpu));
    }
    assert_eq!(send(&mut world, 0b1010, 0x840), [1, 3]);
    assert_eq!(send(&mut world, 0xff, 0x840), [0, 1, 2, 3]);
    assert_eq!(send(&mut world, 0b1_0000, 0x840), []);
    // Lowest priority, of those that take vectors.
    world.set(1, LDR, 0b10 << 24);
    world.set(0, SVR, 0xff);
    assert_eq!(send(&mut world, 0xff, 0x940), [1]);
    world.set(0, SVR, 0x1ff);
    // Two clusters of two.
    for (vcpu, logical) in [(0, 0x01), (1, 0x02), (2, 0x11), (3, 0x12)] {
        world.set(vcpu, DFR, 0);
        world.set(vcpu, LDR, logical << 24);
    }
    assert_eq!(send(&mut world, 0x03, 0x840), [0, 1]);
    assert_eq!(send(&mut world, 0x12, 0x840), [3]);
    assert_eq!(send(&mut world, 0xf1, 0x840), [0, 2]);
    assert_eq!(send(&mut world, 0x23, 0x840), []);
}

#[test]
fn x2apic() {
    let mut world = World::new(20);
    for vcpu in 0..20 {
        world.wrmsr(vcpu, APIC_BASE, 0xfee0_0c00);
    }
    let mut send = |destination: u64, low: u64| {
        let kick = world.write_msr(1, 0x830, destination << 32 | low).unwrap();
        let got = got(&mut world, low as u8);
        assert_eq!(
            kick.without(1).iter().collect::<Vec<_>>(),
            got.iter().copied().filter(|&v| v != 1).collect::<Vec<_>>()
        );
        got
    };
    assert_eq!(send(19, 0x40), [19]);
    // 255 is an ID here, and not all.
    assert_eq!(send(0xff, 0x40), []);
    assert_eq!(send(0xffff_ffff, 0x40), Vec::from_iter(0..20));
    assert_eq!(send(0xffff_ffff, 0x840), Vec::from_iter(0..20));
    assert_eq!(send(0x8003, 0x840), [0, 1, 15]);
    assert_eq!(send(0x1_000a, 0x840), [17, 19]);
    assert_eq!(send(0x2_ffff, 0x840), []);
    // Devices address with eight bits, and 255 is all.
    assert_eq!(world.vapic.message(0xfee0_0000 | 0xff << 12, 0x41).iter().count(), 20);
    assert_eq!(got(&mut world, 0x41).len(), 20);
    let _ = world.vapic.message(0xfee0_0000 | 0x06 << 12 | 1 << 2, 0x42);
    assert_eq!(got(&mut world, 0x42), [1, 2]);
    // Redirection hint: one of them.
    let _ = world.vapic.message(0xfee0_0000 | 0x06 << 12 | 1 << 3 | 1 << 2, 0x43);
    assert_eq!(got(&mut world, 0x43), [1]);
    assert_eq!(world.vapic.message(0xfed0_0000, 0x44), KickMask::NONE);
}

#[test]
fn starting_others() {
    let mut world = World::new(3);
    let signals = |world: &mut World, vcpu: usize| world.apics[vcpu].take_signals(&world.vapic);
    world.set(2, TPR, 0x30);
    let _ = world.vapic.message(0xfee0_2000, 0x55);
    // INIT, its de-assert, two start-up IPIs: to all but vCPU 0.
    assert_eq!(world.write(0, ICR, 0xc_4500), KickMask::of(1));
    assert_eq!(world.write(0, ICR, 0xc_8500), KickMask::NONE);
    assert_eq!(world.write(0, ICR, 0xc_4609), KickMask::NONE);
    assert_eq!(world.write(0, ICR, 0xc_460a), KickMask::NONE);
    let expected = Signals { init: true, start_up: Some(9), nmi: false };
    assert_eq!(signals(&mut world, 1), expected);
    assert_eq!(signals(&mut world, 1), Signals::default());
    assert_eq!(signals(&mut world, 2), expected);
    // INIT has reset the APIC and what was sent to it.
    assert_eq!((world.read(2, TPR), world.read(2, SVR), world.take(2)), (0, 0xff, None));
    world.set(2, SVR, 0x1ff);
    let _ = world.vapic.message(0xfee0_2000, 0x56);
    assert_eq!(world.read(2, IRR + 0x20), 1 << 0x16);
    assert_eq!(signals(&mut world, 0), Signals::default());
    // INIT after a start-up IPI undoes it.
    let _ = world.write(0, ICR, 0xc_4609);
    let _ = world.write(0, ICR, 0xc_4500);
    assert_eq!(signals(&mut world, 1), Signals { init: true, start_up: None, nmi: false });
    assert!(signals(&mut world, 2).init);
    // An NMI.
    assert_eq!(world.write(0, ICR, 0xc_4400), KickMask(0b110));
    assert!(!world.apics[1].is_idle(&world.vapic));
    assert_eq!(signals(&mut world, 1), Signals { init: false, start_up: None, nmi: true });
    assert_eq!(world.vapic.send_nmi(0), KickMask::of(0));
    assert!(signals(&mut world, 0).nmi);
}

#[test]
fn a_reset_forgets_what_was_sent_to_who_has_not_started_since() {
    let mut world = World::new(2);
    // An NMI, a start-up IPI, and a vector.
    for command in [0x400, 0x608, 0x40] {
        world.set(0, ICR_HIGH, 1 << 24);
        assert_eq!(world.write(0, ICR, command).without(1), KickMask::NONE);
    }
    world.vapic.reset();
    assert_eq!(world.vapic.take_start_up(1), None);
    assert_eq!((world.apics[1].take_signals(&world.vapic), world.take(1)), (Signals::default(), None));
    // It takes no vectors before its software has turned it on again.
    assert_eq!(world.vapic.message(0xfee0_1000, 0x40), KickMask::NONE);
    assert!(!world.vapic.message(0xfee0_1000, 0x400).is_empty(), "but it is there");
}

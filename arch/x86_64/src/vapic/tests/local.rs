//! Registers of a local APIC and the order of interrupts (SDM volume 3, chapter 11).

use super::*;

#[test]
fn power_on() {
    let posted: Vec<Posted> = (0..2).map(|_| Posted::new()).collect();
    let vapic = Vapic::new(&posted, false, 40);
    let mut apic = LocalApic::new(1);
    apic.reset(&vapic);
    let mut read = |offset| apic.read(&vapic, offset, 4, || 0);
    assert_eq!((read(ID), read(VERSION)), (1 << 24, 0x5_0014));
    assert_eq!((read(TPR), read(PPR), read(LDR), read(DFR), read(SVR)), (0, 0, 0, u32::MAX, 0xff));
    for entry in (LVT_TIMER..=LVT_ERROR).step_by(16) {
        assert_eq!(read(entry), 1 << 16, "{entry:#x}");
    }
    assert_eq!((read(ICR), read(ESR), read(INITIAL), read(CURRENT), read(DIVIDE)), (0, 0, 0, 0, 0));
    assert_eq!(apic.page(), Some(model::Pc::LOCAL_APIC));
    // As firmware leaves it.
    let mut bsp = LocalApic::new(0);
    assert_eq!(bsp.read(&vapic, LINT0, 4, || 0), 0x8700);
}

#[test]
fn highest_first_and_only_above_what_is_in_service() {
    let mut world = World::new(1);
    let send = |world: &mut World, vector| world.vapic.message(0xfee0_0000, vector);
    assert_eq!(send(&mut world, 0x31), KickMask::of(0));
    // One kick is enough until it has looked.
    assert_eq!(send(&mut world, 0x41), KickMask::NONE);
    assert_eq!(world.vectors(), [Some(0x41)]);
    assert_eq!(send(&mut world, 0x42), KickMask::of(0));
    assert_eq!(world.read(0, IRR + 0x10), 1 << 17);
    assert_eq!(world.read(0, IRR + 0x20), 0b110);
    assert_eq!(world.take(0), Some(0x42));
    assert_eq!((world.read(0, ISR + 0x20), world.read(0, IRR + 0x20)), (0b100, 0b010));
    // 0x41 is of the same class as 0x42.
    assert_eq!(world.take(0), None);
    let _ = send(&mut world, 0x50);
    assert_eq!(world.take(0), Some(0x50));
    assert_eq!(world.read(0, PPR), 0x50);
    world.set(0, EOI, 0);
    assert_eq!(world.read(0, PPR), 0x40);
    assert_eq!(world.take(0), None);
    world.set(0, EOI, 0);
    assert_eq!(world.take(0), Some(0x41));
    world.set(0, EOI, 0);
    assert_eq!(world.take(0), Some(0x31));
    world.set(0, EOI, 0);
    assert_eq!(world.take(0), None);
    // An EOI of nothing.
    world.set(0, EOI, 0);
}

#[test]
fn task_priority() {
    let mut world = World::new(1);
    let _ = world.vapic.message(0xfee0_0000, 0x55);
    world.set(0, TPR, 0x50);
    assert_eq!((world.read(0, PPR), world.take(0)), (0x50, None));
    assert_eq!(world.apics[0].cr8(), 5);
    // For a CPU that compares by itself.
    assert_eq!(world.apics[0].highest(&world.vapic), Some(0x55));
    world.apics[0].set_cr8(4);
    assert_eq!((world.read(0, TPR), world.take(0)), (0x40, Some(0x55)));
    // Sub-classes: with the class of what is in service, what is in service counts; TPR with its sub-class if it is not lower.
    world.set(0, TPR, 0x53);
    assert_eq!(world.read(0, PPR), 0x53);
    // CR8 as it was changes nothing.
    world.apics[0].set_cr8(5);
    assert_eq!(world.read(0, TPR), 0x53);
    world.set(0, TPR, 0x4f);
    assert_eq!(world.read(0, PPR), 0x50);
}

#[test]
fn software_disabled() {
    let mut world = World::new(1);
    world.set(0, LVT_TIMER, 0x31);
    let _ = world.vapic.message(0xfee0_0000, 0x55);
    let _ = world.read(0, IRR);
    world.set(0, SVR, 0xff);
    // LVT is masked and stays so, vectors are not taken, NMIs are; what was there stays.
    assert_eq!(world.read(0, LVT_TIMER), 0x1_0031);
    world.set(0, LVT_TIMER, 0x31);
    assert_eq!(world.read(0, LVT_TIMER), 0x1_0031);
    assert_eq!(world.vapic.message(0xfee0_0000, 0x66), KickMask::NONE);
    assert_eq!(world.vapic.message(0xfee0_0000, 0x400), KickMask::of(0));
    assert!(world.apics[0].take_signals(&world.vapic).nmi);
    assert_eq!(world.take(0), Some(0x55));
}

#[test]
fn what_can_be_written() {
    let mut world = World::new(1);
    for (offset, bits) in [
        (ID, None),
        (VERSION, None),
        (PPR, None),
        (CURRENT, None),
        (ISR, None),
        (TMR, None),
        (IRR, None),
        (TPR, Some(0xff)),
        (LDR, Some(0xff00_0000)),
        (SVR, Some(0x3ff)),
        (ICR_HIGH, Some(0xff00_0000)),
        (LVT_TIMER, Some(0x7_00ff)),
        (0x330, Some(0x1_07ff)),
        (0x340, Some(0x1_07ff)),
        (LINT0, Some(0x1_a7ff)),
        (0x360, Some(0x1_a7ff)),
        (LVT_ERROR, Some(0x1_00ff)),
        (DIVIDE, Some(0xb)),
    ] {
        let before = world.read(0, offset);
        world.set(0, offset, u32::MAX);
        assert_eq!(world.read(0, offset), bits.unwrap_or(before), "{offset:#x}");
    }
    world.set(0, DFR, 0);
    assert_eq!(world.read(0, DFR), 0x0fff_ffff);
    // Registers have four bytes, every sixteen.
    assert_eq!(world.apics[0].read(&world.vapic, TPR, 1, || 0), 0);
    assert_eq!(world.apics[0].read(&world.vapic, TPR + 4, 4, || 0), 0);
}

#[test]
fn errors() {
    let mut world = World::new(1);
    world.set(0, LVT_ERROR, 0xee);
    // An IPI with an illegal vector: the error interrupts, and shows when ESR has been written.
    world.set(0, ICR, 1 << 18 | 15);
    assert_eq!((world.read(0, ESR), world.take(0)), (0, Some(0xee)));
    world.set(0, ESR, 0);
    assert_eq!(world.read(0, ESR), 1 << 5);
    world.set(0, ESR, 0);
    assert_eq!(world.read(0, ESR), 0);
    world.set(0, EOI, 0);
    // A message with an illegal vector, and a register that there is not.
    assert_eq!(world.vapic.message(0xfee0_0000, 3), KickMask::of(0));
    assert_eq!(world.take(0), Some(0xee));
    let _ = world.read(0, 0x40);
    world.set(0, ESR, 0);
    assert_eq!(world.read(0, ESR), 1 << 6 | 1 << 7);
    // An entry for errors with an illegal vector is one more error and no end.
    world.set(0, LVT_ERROR, 1);
    world.set(0, 0x3f0, 0);
    world.set(0, ESR, 0);
    assert_eq!(world.read(0, ESR), 1 << 6 | 1 << 7);
}

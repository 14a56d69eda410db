//! The I/O APIC (82093AA datasheet).

use super::*;

const LEVEL: u64 = 1 << 15;
const MASKED: u64 = 1 << 16;
const REMOTE_IRR: u64 = 1 << 14;

fn to(vcpu: u64, entry: u64) -> u64 {
    vcpu << 56 | entry
}

#[test]
fn registers() {
    let mut world = World::new(1);
    let read = |world: &World, index| {
        let _ = world.vapic.io_apic_write(0, 4, index);
        world.vapic.io_apic_read(0x10, 4)
    };
    assert_eq!(read(&world, 1), 0x17_0020);
    assert_eq!((read(&world, 0), read(&world, 2), world.vapic.io_apic_read(0, 4)), (0, 0, 2));
    let _ = world.vapic.io_apic_write(0, 1, 0);
    let _ = world.vapic.io_apic_write(0x10, 4, u32::MAX);
    assert_eq!((read(&world, 0), read(&world, 2)), (0x0f00_0000, 0x0f00_0000));
    for pin in 0..24 {
        assert_eq!(world.read_entry(pin), MASKED);
        let _ = world.write_entry(pin, u64::MAX);
        assert_eq!(world.read_entry(pin), 0xff00_0000_0001_afff);
    }
    assert_eq!((read(&world, 0x0f), read(&world, 0x40), read(&world, 0xff)), (0, 0, 0));
    // Registers have four bytes.
    let _ = world.vapic.io_apic_write(0, 4, 0x10);
    let _ = world.vapic.io_apic_write(0x10, 1, 0);
    assert_eq!(world.vapic.io_apic_read(0x10, 1), 0);
    assert_eq!(world.read_entry(0), 0xff00_0000_0001_afff);
}

#[test]
fn edges() {
    let mut world = World::new(2);
    let _ = world.write_entry(4, to(1, 0x44));
    assert_eq!(world.vapic.set_line(4, true), KickMask::of(1));
    assert_eq!(world.vectors(), [None, Some(0x44)]);
    assert_eq!(world.take(1), Some(0x44));
    // High as it was is no edge.
    assert_eq!(world.vapic.set_line(4, true), KickMask::NONE);
    assert_eq!(world.read(1, IRR + 0x20), 0);
    assert_eq!(world.read(1, TMR + 0x20), 0);
    // The next edge while the first is in service.
    let _ = world.vapic.set_line(4, false);
    let _ = world.vapic.set_line(4, true);
    world.set(1, EOI, 0);
    assert_eq!(world.take(1), Some(0x44));
    world.set(1, EOI, 0);
    // One at a masked entry is lost.
    let _ = world.write_entry(4, to(1, MASKED | 0x44));
    let _ = world.vapic.set_line(4, false);
    let _ = world.vapic.set_line(4, true);
    let _ = world.write_entry(4, to(1, 0x44));
    assert_eq!(world.take(1), None);
    assert_eq!(world.vapic.set_line(24, true), KickMask::NONE);
}

#[test]
fn levels() {
    let mut world = World::new(2);
    let _ = world.write_entry(20, to(1, LEVEL | MASKED | 0x44));
    assert_eq!(world.vapic.set_line(20, true), KickMask::NONE);
    // Unmasked, it is sent; and again after EOI for as long as the line is high.
    assert_eq!(world.write_entry(20, to(1, LEVEL | 0x44)), KickMask::of(1));
    for _ in 0..3 {
        assert_eq!(world.read_entry(20) & REMOTE_IRR, REMOTE_IRR);
        assert_eq!(world.take(1), Some(0x44));
        assert_eq!(world.read(1, TMR + 0x20), 1 << 4);
        // While it is in service nothing more is sent.
        assert_eq!(world.vapic.set_line(20, true), KickMask::NONE);
        assert_eq!(world.take(1), None);
        assert_eq!(world.write(1, EOI, 0), KickMask::of(1));
    }
    assert_eq!(world.take(1), Some(0x44));
    let _ = world.vapic.set_line(20, false);
    assert_eq!(world.write(1, EOI, 0), KickMask::NONE);
    assert_eq!((world.read_entry(20) & REMOTE_IRR, world.take(1)), (0, None));
    // Low and high again before EOI: once more.
    let _ = world.vapic.set_line(20, true);
    assert_eq!(world.take(1), Some(0x44));
    let _ = world.vapic.set_line(20, false);
    let _ = world.vapic.set_line(20, true);
    assert_eq!(world.write(1, EOI, 0), KickMask::of(1));
    assert_eq!(world.take(1), Some(0x44));
}

#[test]
fn end_by_register_and_by_becoming_an_edge() {
    let mut world = World::new(1);
    let _ = world.write_entry(20, to(0, LEVEL | 0x44));
    let _ = world.vapic.set_line(20, true);
    assert_eq!(world.take(0), Some(0x44));
    // The EOI register takes a vector.
    assert_eq!(world.vapic.io_apic_write(0x40, 4, 0x45), KickMask::NONE);
    assert_eq!(world.vapic.io_apic_write(0x40, 4, 0x44), KickMask::of(0));
    // As an edge it has no remote IRR, and as a level again it is sent.
    let _ = world.write_entry(20, to(0, MASKED | 0x44));
    assert_eq!(world.read_entry(20) & REMOTE_IRR, 0);
    let _ = world.write_entry(20, to(0, LEVEL | 0x44));
    assert_eq!(world.read_entry(20) & REMOTE_IRR, REMOTE_IRR);
}

#[test]
fn a_level_that_nobody_takes_does_not_wait() {
    let mut world = World::new(2);
    let _ = world.write_entry(20, to(7, LEVEL | 0x44));
    assert_eq!(world.vapic.set_line(20, true), KickMask::NONE);
    assert_eq!(world.read_entry(20) & REMOTE_IRR, 0);
    assert_eq!(world.write_entry(20, to(1, LEVEL | 0x44)), KickMask::of(1));
}

#[test]
fn two_entries_of_one_vector() {
    let mut world = World::new(1);
    for pin in [20, 21] {
        let _ = world.write_entry(pin, to(0, LEVEL | 0x44));
        let _ = world.vapic.set_line(pin, true);
    }
    assert_eq!(world.take(0), Some(0x44));
    let _ = world.vapic.set_line(20, false);
    // EOI ends both, and the other is still high.
    assert_eq!(world.write(0, EOI, 0), KickMask::of(0));
    assert_eq!((world.read_entry(20) & REMOTE_IRR, world.read_entry(21) & REMOTE_IRR), (0, REMOTE_IRR));
}

#[test]
fn other_delivery_modes() {
    let mut world = World::new(3);
    // NMI; lowest priority to all; ExtINT, of which the 8259s have the vector.
    let _ = world.write_entry(20, to(2, 0x400));
    assert_eq!(world.vapic.set_line(20, true), KickMask::of(2));
    assert!(world.apics[2].take_signals(&world.vapic).nmi);
    let _ = world.write_entry(21, to(0xff, 0x155));
    assert_eq!(world.vapic.set_line(21, true), KickMask::of(0));
    assert_eq!(world.take(0), Some(0x55));
    let _ = world.write_entry(5, to(2, 0x700));
    assert_eq!(world.vapic.pic_write(1, 0), KickMask::NONE);
    assert_eq!(world.vapic.set_line(5, true), KickMask(0b101));
    // vCPU 1 has neither a wire nor the message.
    assert_eq!((world.pending(1), world.pending(2)), (None, Some(Pending::External)));
    assert_eq!(world.take(2), Some(0x08 + 5));
}

#[test]
fn reset_keeps_lines() {
    let mut world = World::new(1);
    let _ = world.vapic.set_line(20, true);
    world.vapic.reset();
    assert_eq!(world.read_entry(20), MASKED);
    assert_eq!(world.write_entry(20, to(0, LEVEL | 0x44)), KickMask::of(0));
}

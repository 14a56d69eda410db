//! IA32_APIC_BASE and x2APIC's registers (SDM volume 3, 11.12).

use super::super::APIC_BASE;
use super::*;

const OFF: u64 = 0xfee0_0000;
const ENABLED: u64 = 1 << 11;
const X2APIC: u64 = 1 << 10;
const BSP: u64 = 1 << 8;

fn x2apic(vcpus: u32) -> World {
    let mut world = World::new(vcpus);
    for vcpu in 0..vcpus {
        world.wrmsr(vcpu, APIC_BASE, OFF | ENABLED | X2APIC);
    }
    world
}

#[test]
fn ways_between_modes() {
    let mut world = World::new(2);
    assert_eq!(world.read_msr(0, APIC_BASE), Some(OFF | ENABLED | BSP));
    assert_eq!(world.read_msr(1, APIC_BASE), Some(OFF | ENABLED));
    let all = [0, X2APIC, ENABLED, ENABLED | X2APIC];
    // From (rows) to (columns), as in the state diagram of 11.12.5.
    for (from, allowed) in [
        (0, [true, false, true, false]),
        (ENABLED, [true, false, true, true]),
        (ENABLED | X2APIC, [true, false, false, true]),
    ] {
        for (to, allowed) in all.into_iter().zip(allowed) {
            let mut world = World::new(1);
            if from & X2APIC == 0 {
                world.wrmsr(0, APIC_BASE, OFF | from);
            } else {
                world.wrmsr(0, APIC_BASE, OFF | ENABLED | X2APIC);
            }
            assert_eq!(world.write_msr(0, APIC_BASE, OFF | to).is_some(), allowed, "{from:#x} to {to:#x}");
            let expected = if allowed { to } else { from };
            assert_eq!(world.read_msr(0, APIC_BASE), Some(OFF | expected | BSP));
            assert_eq!(world.apics[0].page().is_some(), expected == ENABLED);
        }
    }
    // Reserved bits; an address that there may be.
    for reserved in [1, 1 << 7, 1 << 9, 1 << 40, 1 << 63] {
        assert_eq!(world.write_msr(0, APIC_BASE, OFF | ENABLED | reserved), None, "{reserved:#x}");
    }
    world.wrmsr(0, APIC_BASE, 0xff_fee0_0000 | ENABLED);
    assert_eq!(world.apics[0].page(), Some(model::Gpa(0xff_fee0_0000)));
}

#[test]
fn off_and_on_is_power_on() {
    let mut world = World::new(1);
    world.set(0, TPR, 0x20);
    let _ = world.vapic.message(0xfee0_0000, 0x55);
    let _ = world.read(0, IRR);
    world.wrmsr(0, APIC_BASE, OFF);
    // Nobody finds it.
    assert_eq!(world.vapic.message(0xfee0_0000, 0x56), KickMask::NONE);
    world.wrmsr(0, APIC_BASE, OFF | ENABLED);
    assert_eq!((world.read(0, TPR), world.read(0, SVR), world.take(0)), (0, 0xff, None));
}

#[test]
fn registers_of_x2apic() {
    let mut world = x2apic(18);
    assert_eq!(world.read_msr(17, 0x802), Some(17));
    assert_eq!(world.read_msr(17, 0x80d), Some(1 << 16 | 1 << 1));
    assert_eq!(world.read_msr(0, 0x803), Some(0x5_0014));
    let readable = [0x802, 0x803, 0x808, 0x80a, 0x80d, 0x80f, 0x828, 0x830, 0x838, 0x839, 0x83e];
    let ranges = [0x810..=0x827_u32, 0x832..=0x837];
    let is_readable = |msr: u32| readable.contains(&msr) || ranges.iter().any(|range| range.contains(&msr));
    for msr in 0x800..=0x8ff {
        assert_eq!(world.read_msr(0, msr).is_some(), is_readable(msr), "{msr:#x}");
    }
    // Zero may be written to those; all reserved bits fault.
    let writable = [
        (0x808, 0xff_u64),
        (0x80b, 0),
        (0x80f, 0x3ff),
        (0x828, 0),
        (0x832, 0x7_00ff),
        (0x833, 0x1_07ff),
        (0x834, 0x1_07ff),
        (0x835, 0x1_a7ff),
        (0x836, 0x1_a7ff),
        (0x837, 0x1_00ff),
        (0x838, 0xffff_ffff),
        (0x83e, 0xb),
        (0x83f, 0xff),
    ];
    for msr in (0x800..=0x8ff).filter(|&msr| msr != 0x830) {
        let bits = writable.iter().find(|(writable, _)| *writable == msr).map(|(_, bits)| *bits);
        assert_eq!(world.write_msr(1, msr, 0).is_some(), bits.is_some(), "{msr:#x}");
        for bit in 0..64 {
            let expected = bits.is_some_and(|bits| bits >> bit & 1 != 0);
            assert_eq!(world.write_msr(1, msr, 1 << bit).is_some(), expected, "{msr:#x} bit {bit}");
        }
    }
    for bit in [12, 13, 16, 17, 20, 31] {
        assert_eq!(world.write_msr(0, 0x830, 1 << bit), None);
    }
}

#[test]
fn without_x2apic_its_registers_fault() {
    let mut world = World::new(1);
    assert_eq!((world.read_msr(0, 0x802), world.write_msr(0, 0x83f, 0x40)), (None, None));
}

#[test]
fn to_itself() {
    let mut world = x2apic(2);
    assert_eq!(world.write_msr(1, 0x83f, 0x77), Some(KickMask::NONE));
    assert_eq!((world.take(0), world.take(1)), (None, Some(0x77)));
    assert_eq!(world.write_msr(1, 0x80b, 0), Some(KickMask::NONE));
    assert_eq!(world.read_msr(1, 0x813), Some(0));
    // By ICR, which is one write.
    assert_eq!(world.write_msr(1, 0x830, 0x1_0000_0078), Some(KickMask::NONE));
    assert_eq!(world.read_msr(1, 0x830), Some(0x1_0000_0078));
    assert_eq!(world.take(1), Some(0x78));
}

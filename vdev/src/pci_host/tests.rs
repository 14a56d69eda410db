//! Configuration mechanism 1 by the PCI specification, and as Linux finds what is on the bus.

use super::*;
use proptest::prelude::*;

const fn dummy(device: u8, function: u8, device_id: u16) -> PciFunction {
    PciFunction { device, function, vendor_id: 0x1c05, device_id, class: 0xff01_0203 }
}

/// One device of two functions, of which the second is named twice; one whose place is taken by the bridge; a plain one.
static FUNCTIONS: [PciFunction; 5] =
    [dummy(3, 0, 10), dummy(3, 5, 11), dummy(3, 5, 12), dummy(0, 0, 13), dummy(31, 7, 14)];

/// A load of configuration space.
fn config(host: &mut PciHost, bus: u64, device: u64, function: u64, register: u64, width: Width) -> u64 {
    let address = 1 << 31 | bus << 16 | device << 11 | function << 8 | register & !3;
    host.write(ADDRESS, Width::Word, address);
    host.read(DATA + (register & 3), width)
}

#[test]
fn the_bridge_is_at_the_beginning() {
    let mut host = PciHost::new(&[]);
    assert_eq!(config(&mut host, 0, 0, 0, 0x00, Width::Word), 0x0008_1b36);
    assert_eq!(config(&mut host, 0, 0, 0, 0x0a, Width::Half), 0x0600, "its class");
    assert_eq!(config(&mut host, 0, 0, 0, 0x0e, Width::Byte), 0x00, "its header");
}

#[test]
fn functions_say_what_they_are() {
    let mut host = PciHost::new(&FUNCTIONS);
    let registers = [(0x00, 0x000a_1c05), (0x04, 0), (0x08, 0xff01_0203), (0x0c, 0x0080_0000)];
    for (register, value) in registers {
        assert_eq!(config(&mut host, 0, 3, 0, register, Width::Word), value, "{register:#x}");
    }
    for register in (0x10..0x100).step_by(4) {
        assert_eq!(config(&mut host, 0, 3, 0, register, Width::Word), 0, "{register:#x}");
    }
    assert_eq!(config(&mut host, 0, 31, 7, 0x0e, Width::Byte), 0x00, "alone in its device");
    assert_eq!(config(&mut host, 0, 3, 5, 0x00, Width::Word), 0x000b_1c05, "the first of two");
    assert_eq!(config(&mut host, 0, 0, 0, 0x00, Width::Word), 0x0008_1b36, "the bridge is the bridge");
}

#[test]
fn everything_else_is_all_ones() {
    let mut host = PciHost::new(&FUNCTIONS);
    for (bus, device, function) in [(0, 1, 0), (0, 3, 1), (0, 31, 0), (1, 3, 0), (255, 0, 0)] {
        for (width, ones) in [(Width::Byte, 0xff), (Width::Half, 0xffff), (Width::Word, 0xffff_ffff)] {
            assert_eq!(config(&mut host, bus, device, function, 0, width), ones, "{bus}:{device}.{function}");
        }
    }
    // Not configuration space: the enable bit is clear.
    host.write(ADDRESS, Width::Word, 3 << 11);
    assert_eq!(host.read(DATA, Width::Word), 0xffff_ffff);
}

#[test]
fn the_window_is_for_every_width() {
    let mut host = PciHost::new(&FUNCTIONS);
    config(&mut host, 0, 3, 0, 0, Width::Word);
    for (offset, bytes) in [(4, 0x000a_1c05), (5, 0x0a1c), (6, 0x000a), (7, 0x00)] {
        assert_eq!(host.read(offset, Width::Byte), bytes & 0xff);
        if offset < 7 {
            assert_eq!(host.read(offset, Width::Half), bytes & 0xffff);
        }
    }
    // Past the end of the window there is nothing.
    assert_eq!(host.read(7, Width::Half), 0xff00);
    assert_eq!(host.read(6, Width::Word), 0xffff_000a);
    assert_eq!(host.read(4, Width::Double), 0xffff_ffff_000a_1c05);
    assert_eq!(host.read(7, Width::Double), 0xffff_ffff_ffff_ff00);
}

#[test]
fn the_address_is_one_word() {
    let mut host = PciHost::new(&[]);
    host.write(ADDRESS, Width::Word, u64::MAX);
    assert_eq!(host.read(ADDRESS, Width::Word), 0x80ff_fffc);
    for (offset, width) in [(0, Width::Byte), (0, Width::Half), (1, Width::Byte), (2, Width::Half), (1, Width::Word)] {
        host.write(offset, width, 0);
        assert_eq!(host.read(offset, width), width.mask(), "{offset} {width:?}");
    }
    assert_eq!(host.read(ADDRESS, Width::Word), 0x80ff_fffc);
    host.reset();
    assert_eq!(host.read(ADDRESS, Width::Word), 0);
}

#[test]
fn a_base_address_sizes_to_zero_and_nothing_can_be_written() {
    let mut host = PciHost::new(&FUNCTIONS);
    for register in (0..0x100).step_by(4) {
        let before = config(&mut host, 0, 3, 0, register, Width::Word);
        host.write(DATA, Width::Word, u64::MAX);
        assert_eq!(host.read(DATA, Width::Word), before, "{register:#x}");
    }
    assert_eq!(config(&mut host, 0, 3, 0, 0x10, Width::Word), 0);
}

/// pci_check_type1 and pci_sanity_check of Linux (arch/x86/pci/direct.c), and then its scan of bus 0: function 0 of every
/// device, and the others if that one's header says so.
#[test]
fn linux_finds_what_is_there() {
    let mut host = PciHost::new(&FUNCTIONS);
    host.write(3, Width::Byte, 1);
    let before = host.read(ADDRESS, Width::Word);
    host.write(ADDRESS, Width::Word, 0x8000_0000);
    assert_eq!(host.read(ADDRESS, Width::Word), 0x8000_0000);
    host.write(ADDRESS, Width::Word, before);
    assert_eq!(config(&mut host, 0, 0, 0, 0x0a, Width::Half), 0x0600);

    let mut found = Vec::new();
    for device in 0..32 {
        for function in 0..8 {
            let id = config(&mut host, 0, device, function, 0, Width::Word);
            if ![0xffff_ffff, 0, 0x0000_ffff, 0xffff_0000].contains(&id) {
                found.push((device, function));
            }
            let header = config(&mut host, 0, device, 0, 0x0e, Width::Byte);
            if function == 0 && (header == 0xff || header & 0x80 == 0) {
                break;
            }
        }
    }
    assert_eq!(found, [(0, 0), (3, 0), (3, 5)], "31.7 has no function 0 by which it could be found");
}

proptest! {
    /// Whatever a guest does: no panic, no bits beyond the width, and narrow loads are parts of wide ones.
    #[test]
    fn any_access_is_served(address in any::<u64>(), offset in prop_oneof![0u64..9, any::<u64>()], width in 0usize..4) {
        let mut host = PciHost::new(&FUNCTIONS);
        host.write(ADDRESS, Width::Word, address);
        let width = [Width::Byte, Width::Half, Width::Word, Width::Double][width];
        host.write(offset, width, address);
        prop_assert_eq!(host.read(offset, width) & !width.mask(), 0);
        if (4..8).contains(&offset) {
            prop_assert_eq!(host.read(offset, width) & 0xff, host.read(4, Width::Word) >> (8 * (offset - 4)) & 0xff);
        }
        prop_assert!(!host.line());
    }
}

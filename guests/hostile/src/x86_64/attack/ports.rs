//! Ports: IN and OUT of every width, at every port, across the ends of devices.

use super::code::register::{RAX, RDX};
use super::{Code, Random, World};

/// Where a PC has devices: first and how many.
const DEVICES: &[(u16, u16)] = &[
    (0x00, 0x10),
    (0x20, 2),
    (0x40, 4),
    (0x60, 5),
    (0x70, 2),
    (0x80, 0x10),
    (0x92, 1),
    (0xa0, 2),
    (0xc0, 0x20),
    (0x2e8, 8),
    (0x2f8, 8),
    (0x3e8, 8),
    (0x3f8, 8),
    (0x4d0, 2),
    (0x600, 16),
    (0xcf8, 8),
];
/// By IN from DX: 1, 2 and 4 bytes; OUT is two away. And the same with the port in the instruction.
const BY_REGISTER: [&[u8]; 3] = [&[0xec], &[0x66, 0xed], &[0xed]];
const BY_NUMBER: [&[u8]; 3] = [&[0xe4], &[0x66, 0xe5], &[0xe5]];
const OUT: u8 = 2;

/// Ports of PCI's address and data, which 4 bytes at the first alone do not reset by.
const PCI_ADDRESS: u16 = 0xcf8;
const RESET: u16 = 0xcf9;

impl World {
    /// The port, but on a board not across the end of its UART: QEMU 7.2 ends itself by an assertion (`serial_ioport_read`).
    fn tamed(&self, port: u16) -> u16 {
        if !self.is_virtual && (0x3f6..0x400).contains(&port) { 0x3f8 } else { port }
    }

    /// Whether a write of `width` bytes there could end the guest.
    pub(super) fn is_spared(&self, port: u16, width: u16) -> bool {
        let overlaps = |first: u16, count: u16| {
            let (port, first) = (u32::from(port), u32::from(first));
            port < first + u32::from(count) && first < port + u32::from(width)
        };
        let resets = overlaps(RESET, 1) && !(port == PCI_ADDRESS && width == 4);
        resets || self.spared_ports.iter().any(|&(first, count)| overlaps(first, count))
    }
}

fn put(world: &World, code: &mut Code, port: u16, size: usize, value: Option<u64>, by_number: bool) {
    let width = [1, 2, 4][size];
    let out = if value.is_some() && !world.is_spared(port, width) { OUT } else { 0 };
    code.constant(RAX, value.unwrap_or(0));
    let form = if by_number && port < 0x100 { BY_NUMBER } else { BY_REGISTER }[size];
    if !(by_number && port < 0x100) {
        code.constant(RDX, port.into());
    }
    let (last, prefix) = form.split_last().unwrap_or((&0xec, &[]));
    code.put(prefix);
    code.put(&[last | out]);
    if by_number && port < 0x100 {
        code.put(&[port as u8]);
    }
}

/// A port, mostly one near a device's.
pub(super) fn port(random: &mut Random, world: &World) -> u16 {
    let (first, count) = random.one_of(DEVICES);
    let port = match random.below(8) {
        0..=4 => first + random.below(count.into()) as u16,
        5 => (first + count).wrapping_sub(random.below(4) as u16),
        6 => u16::MAX - random.below(8) as u16,
        _ => random.next() as u16,
    };
    world.tamed(port)
}

pub(super) fn at_random(random: &mut Random, world: &World, code: &mut Code) {
    let (port, size) = (port(random, world), random.below(3) as usize);
    let value = (random.below(2) == 0).then(|| random.value());
    put(world, code, port, size, value, random.below(4) == 0);
}

/// Every port: read by every width, then written with ones and with zeros.
pub(super) fn in_order(index: u64, world: &World, code: &mut Code) -> bool {
    let Ok(port) = u16::try_from(index / 9) else { return false };
    let port = world.tamed(port);
    let (size, value) = (index % 3, [None, Some(u64::MAX), Some(0)][(index / 3 % 3) as usize]);
    // Not the console, which is to say what came of it.
    let value = if port & 0xfff8 == 0x3f8 { None } else { value };
    put(world, code, port, size as usize, value, false);
    true
}

//! Boot information and ACPI tables, made up.

use super::*;

pub(super) fn region(start: u64, size_bytes: u64) -> Region {
    Region { start: Hpa(start), size_bytes }
}

/// `hvm_start_info` at `info`, with the memory map behind it.
pub(super) fn pvh(info: u64, rsdp: u64, map: &[(u64, u64, u32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0x336e_c578_u32, 1, 0, 0] {
        bytes.extend(word.to_le_bytes());
    }
    for word in [0, 0, rsdp, info + 56] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend((map.len() as u32).to_le_bytes());
    bytes.extend([0; 4]);
    for &(start, size, kind) in map {
        bytes.extend([start.to_le_bytes(), size.to_le_bytes(), u64::from(kind).to_le_bytes()].concat());
    }
    bytes
}

/// Multiboot2 information with a memory map and copies of RSDPs.
pub(super) fn multiboot2(map: &[(u64, u64, u32)], rsdps: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    let mut tag = |kind: u32, content: &[u8]| {
        bytes.extend(kind.to_le_bytes());
        bytes.extend((content.len() as u32 + 8).to_le_bytes());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    };
    tag(2, b"GRUB\0");
    let entries = map.iter().flat_map(|&(start, size, kind)| {
        [start.to_le_bytes(), size.to_le_bytes(), u64::from(kind).to_le_bytes()].concat()
    });
    tag(6, &[24, 0, 0, 0, 0, 0, 0, 0].into_iter().chain(entries).collect::<Vec<_>>());
    for rsdp in rsdps {
        tag(if rsdp.len() > 20 { 15 } else { 14 }, rsdp);
    }
    tag(0, &[]);
    let total = bytes.len() as u32;
    bytes[..4].copy_from_slice(&total.to_le_bytes());
    bytes
}

fn fix(bytes: &mut [u8], at: usize) {
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[at] = bytes[at].wrapping_sub(sum);
}

/// An ACPI 1.0 RSDP.
pub(super) fn rsdp(rsdt: u32) -> Vec<u8> {
    let mut bytes = [&b"RSD PTR \0BOCHS \0"[..], &rsdt.to_le_bytes()].concat();
    fix(&mut bytes, 8);
    bytes
}

/// A later one.
pub(super) fn rsdp_extended(xsdt: u64) -> Vec<u8> {
    let mut bytes = b"RSD PTR \0BOCHS \x02\0\0\0\0".to_vec();
    fix(&mut bytes, 8);
    bytes.extend([&36_u32.to_le_bytes()[..], &xsdt.to_le_bytes(), &[0; 4]].concat());
    fix(&mut bytes, 32);
    bytes
}

/// A table with a header that fits it.
pub(super) fn checked(signature: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = [&signature[..], &(36 + content.len() as u32).to_le_bytes(), &[0; 28], content].concat();
    fix(&mut bytes, 9);
    bytes
}

pub(super) fn xsdt(tables: &[u64]) -> Vec<u8> {
    checked(b"XSDT", &tables.iter().flat_map(|at| at.to_le_bytes()).collect::<Vec<_>>())
}

pub(super) fn madt(entries: &[Vec<u8>]) -> Vec<u8> {
    checked(b"APIC", &[&0xfee0_0000_u32.to_le_bytes()[..], &[1, 0, 0, 0], &entries.concat()].concat())
}

pub(super) fn cpu(id: u8, flags: u32) -> Vec<u8> {
    [&[0, 8, 0, id][..], &flags.to_le_bytes()].concat()
}

pub(super) fn io_apic(at: u32, first_line: u32) -> Vec<u8> {
    [&[1, 12, 0, 0][..], &at.to_le_bytes(), &first_line.to_le_bytes()].concat()
}

pub(super) fn override_(source: u8, line: u32, flags: u16) -> Vec<u8> {
    [&[2, 10, 0, source][..], &line.to_le_bytes(), &flags.to_le_bytes()].concat()
}

/// A generic address: space, and where.
fn address(space: u8, at: u64) -> Vec<u8> {
    [&[space, 8, 0, 1][..], &at.to_le_bytes()].concat()
}

/// What tests want of a FADT.
#[derive(Clone, Copy, Default)]
pub(super) struct Fadt {
    pub(super) dsdt: u32,
    pub(super) pm1a: u32,
    pub(super) timer: u32,
    pub(super) flags: u32,
    pub(super) extended_pm1a: u64,
    pub(super) reset: (u64, u8),
}

impl Fadt {
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut content = vec![0; 244 - 36];
        let mut put = |at: usize, bytes: &[u8]| content[at - 36..at - 36 + bytes.len()].copy_from_slice(bytes);
        put(40, &self.dsdt.to_le_bytes());
        put(64, &self.pm1a.to_le_bytes());
        put(76, &self.timer.to_le_bytes());
        put(112, &self.flags.to_le_bytes());
        put(116, &address(1, self.reset.0));
        put(128, &[self.reset.1]);
        put(172, &address(1, self.extended_pm1a));
        checked(b"FACP", &content)
    }
}

pub(super) fn spcr(interface: u8, space: u8, at: u64, kinds: u8, irq: u8, line: u32) -> Vec<u8> {
    let content = [&[interface, 0, 0, 0][..], &address(space, at), &[kinds, irq], &line.to_le_bytes(), &[0; 22]];
    checked(b"SPCR", &content.concat())
}

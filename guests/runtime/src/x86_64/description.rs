//! What the boot protocol says about the machine: PVH's start info, or multiboot2's boot information.
//!
//! Both are told apart by their first word: the magic of the one, the length in bytes of the other.

use super::acpi::memory;
use crate::list::List;
use crate::machine::{MAX_RANGES, Range};

/// What both tell.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) command_line: &'static str,
    /// Where the RSDP is.
    pub(super) root: u64,
    pub(super) memory: List<Range, MAX_RANGES>,
}

/// XEN_HVM_START_MAGIC_VALUE.
const PVH: u32 = 0x336e_c578;
/// The longest boot information that is believed.
const LONGEST: usize = 1 << 20;

/// The little-endian number at `offset`; zero behind the end.
fn number(bytes: &[u8], offset: usize, width: usize) -> u64 {
    let bytes = bytes.iter().skip(offset).take(width);
    bytes.rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Text up to a zero.
fn text(bytes: &'static [u8]) -> &'static str {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    core::str::from_utf8(&bytes[..end]).unwrap_or("")
}

impl Description {
    pub(super) fn read(address: usize) -> Option<Description> {
        let first = number(memory(address as u64, 8)?, 0, 4) as u32;
        if first == PVH { start_info(address as u64) } else { boot_information(address as u64, first as usize) }
    }
}

/// Xen's public/arch-x86/hvm/start_info.h. The memory map is of version 1.
fn start_info(address: u64) -> Option<Description> {
    let info = memory(address, 56)?;
    let command_line = number(info, 24, 8);
    let map = match number(info, 4, 4) {
        0 => &[],
        _ => memory(number(info, 40, 8), number(info, 48, 4) as usize * 24).unwrap_or(&[]),
    };
    let ranges = map.chunks_exact(24).filter(|entry| number(entry, 16, 4) == 1);
    Some(Description {
        command_line: memory(command_line, 4096).map_or("", text),
        root: number(info, 32, 8),
        memory: ranges.map(|entry| Range { base: number(entry, 0, 8), bytes: number(entry, 8, 8) }).collect(),
    })
}

/// Multiboot2, 3.6: tags of a type, a length and what they are about, each at a multiple of 8 bytes.
fn boot_information(address: u64, length: usize) -> Option<Description> {
    let mut rest = memory(address, length).filter(|_| length <= LONGEST)?.get(8..)?;
    let mut description = Description { command_line: "", root: 0, memory: [].into_iter().collect() };
    loop {
        let (kind, bytes) = (number(rest, 0, 4), number(rest, 4, 4) as usize);
        let tag = rest.get(..bytes).filter(|tag| tag.len() >= 8)?;
        match kind {
            0 => return Some(description),
            1 => description.command_line = text(&tag[8..]),
            6 => {
                let size = (number(tag, 8, 4) as usize).max(24);
                let ranges = tag.get(16..)?.chunks_exact(size).filter(|entry| number(entry, 16, 4) == 1);
                description.memory =
                    ranges.map(|entry| Range { base: number(entry, 0, 8), bytes: number(entry, 8, 8) }).collect();
            }
            // A copy of the RSDP: of ACPI 1.0, or of a later one, which is better.
            14 if description.root == 0 => description.root = tag[8..].as_ptr() as u64,
            15 => description.root = tag[8..].as_ptr() as u64,
            _ => {}
        }
        rest = rest.get(bytes.next_multiple_of(8)..)?;
    }
}

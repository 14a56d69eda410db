//! The information of both versions of the Multiboot specification (0.6.96 section 3.3; 2.0 section 3.6).
//!
//! Modules are the RAM disk, which is called `initrd`, and then what `data load` names, by their files' names.

use super::{Block, Told, low};
use crate::assemble::pc::map::{Entry, Kind};

/// EAX.
pub(super) const MAGIC: u32 = 0x2bad_b002;
pub(super) const MAGIC_2: u32 = 0x36d7_6289;
const LOADER: &str = "Ostler";
/// What is valid in the information of version 1: sizes of memory, modules, memory map, the loader's name; and a command line.
const VALID: u32 = 1 << 0 | 1 << 3 | 1 << 6 | 1 << 9;
const VALID_CMDLINE: u32 = 1 << 2;
/// Words of the information of version 1.
const WORDS: usize = 29;

/// Adds the information of version 1 to `block`, with what it leads to, and gives its address.
pub(super) fn information(told: &Told, block: &mut Block) -> u64 {
    let loader = block.put_text(LOADER);
    let cmdline = told.cmdline.map(|cmdline| block.put_text(cmdline));
    let mut modules = Vec::new();
    for (name, range) in &told.modules {
        modules.extend([low(range.start), low(range.end), low(block.put_text(name)), 0]);
    }
    let modules = block.put(4, &modules.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>());
    let entry = |entry: &Entry| [20_u32.to_le_bytes().as_slice(), &range(entry)].concat();
    let map: Vec<u8> = told.map.iter().flat_map(entry).collect();
    let map_bytes = map.len() as u32;
    let map = block.put(4, &map);
    let (lower, upper) = sizes(told.map);
    let mut words = [0_u32; WORDS];
    words[0] = VALID | if cmdline.is_some() { VALID_CMDLINE } else { 0 };
    words[1] = lower;
    words[2] = upper;
    words[4] = cmdline.map_or(0, low);
    words[5] = told.modules.len() as u32;
    words[6] = low(modules);
    words[11] = map_bytes;
    words[12] = low(map);
    words[16] = low(loader);
    block.put(8, &words.map(u32::to_le_bytes).concat())
}

/// Adds the information of version 2 to `block` and gives its address.
pub(super) fn information_2(told: &Told, block: &mut Block) -> u64 {
    let mut info = vec![0; 8];
    let mut tag = |kind: u32, body: &[u8]| {
        info.extend(kind.to_le_bytes());
        info.extend((body.len() as u32 + 8).to_le_bytes());
        info.extend(body);
        info.resize(info.len().next_multiple_of(8), 0);
    };
    let text = |text: &str| [text.as_bytes(), &[0]].concat();
    tag(1, &text(told.cmdline.unwrap_or_default()));
    tag(2, &text(LOADER));
    for (name, range) in &told.modules {
        let place = [low(range.start), low(range.end)].map(u32::to_le_bytes).concat();
        tag(3, &[place, text(name)].concat());
    }
    let (lower, upper) = sizes(told.map);
    tag(4, &[lower, upper].map(u32::to_le_bytes).concat());
    let mut map = [24_u32, 0].map(u32::to_le_bytes).concat();
    for entry in told.map {
        map.extend(range(entry));
        map.extend([0; 4]);
    }
    tag(6, &map);
    tag(15, told.rsdp_bytes);
    tag(0, &[]);
    let length = info.len() as u32;
    info[..4].copy_from_slice(&length.to_le_bytes());
    block.put(8, &info)
}

/// Start, length and kind.
fn range(entry: &Entry) -> Vec<u8> {
    let mut bytes = super::words(&[entry.range.start, entry.range.size()]);
    bytes.extend((entry.kind as u32).to_le_bytes());
    bytes
}

/// KiB of RAM from 0 on, 640 at most, and from 1 MiB up to the first gap.
fn sizes(map: &[Entry]) -> (u32, u32) {
    let kib = |start: u64| {
        let entry = map.iter().find(|entry| entry.range.start == start && entry.kind == Kind::Ram);
        entry.map_or(0, |entry| entry.range.size() >> 10)
    };
    let size = |kib: u64| u32::try_from(kib).unwrap_or(u32::MAX);
    (size(kib(0).min(640)), size(kib(super::MIB)))
}

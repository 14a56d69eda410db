//! The information of Multiboot (0.6.96, section 3.3).

use crate::given::{self, Entry, Given, Module};
use crate::memory::{self, number, word};

/// EAX.
pub(crate) const MAGIC: u32 = 0x2bad_b002;
/// What is valid of it: sizes of memory, command line, modules, memory map, the loader's name.
const NEEDED: u32 = 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9;

pub(crate) fn read(address: u32) -> Result<Given, &'static str> {
    let info = memory::bytes(address.into(), 116)?;
    if word(info, 0) & NEEDED != NEEDED {
        return Err("the information lacks something");
    }
    let upper = u64::from(word(info, 8)) << 10;
    say!("{} KiB below 640 KiB, {} KiB from 1 MiB on", word(info, 4), upper >> 10);
    say!("loaded by \"{}\"", memory::text(word(info, 64).into())?);
    let modules = memory::bytes(word(info, 24).into(), u64::from(word(info, 20)) * 16)?;
    let module = |it: &[u8]| {
        let name = memory::text(word(it, 8).into()).unwrap_or("?");
        Module { name, start: word(it, 0).into(), end: word(it, 4).into() }
    };
    // An entry's own length, without this field, comes before it.
    let mut rest = memory::bytes(word(info, 48).into(), word(info, 44).into())?;
    let entries = core::iter::from_fn(move || {
        let entry = rest.get(4..24)?;
        rest = rest.get(word(rest, 0) as usize + 4..)?;
        Some(Entry { start: number(entry, 0, 8), size: number(entry, 8, 8), kind: word(entry, 16) })
    });
    let map = given::first(entries);
    if !map.iter().flatten().any(|entry| entry.start == 1 << 20 && entry.size >> 10 == upper >> 10) {
        return Err("the size of memory from 1 MiB on is not the memory map's");
    }
    let command_line = memory::text(word(info, 16).into())?;
    Ok(Given { command_line, modules: given::first(modules.chunks_exact(16).map(module)), map, root: given::search() })
}

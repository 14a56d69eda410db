//! What every boot protocol tells in its own way: command line, modules, memory.

use crate::{Verdict, memory};

const PAGE: u64 = 4096;
/// The kind of an entry of the memory map that is RAM (ACPI 6.5, 15.3: the same in all protocols).
const RAM: u32 = 1;
/// Most modules and entries that are looked at.
pub(crate) const MOST: usize = 16;

/// A file that was loaded for the program.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Module {
    pub(crate) name: &'static str,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// An entry of the memory map.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) start: u64,
    pub(crate) size: u64,
    pub(crate) kind: u32,
}

/// What the program was given.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) command_line: &'static str,
    pub(crate) modules: [Option<Module>; MOST],
    pub(crate) map: [Option<Entry>; MOST],
    /// A copy of the RSDP, or the RSDP itself.
    pub(crate) root: &'static [u8],
}

/// The first of `items`.
pub(crate) fn first<T>(items: impl Iterator<Item = T>) -> [Option<T>; MOST] {
    let mut items = items.fuse();
    core::array::from_fn(|_| items.next())
}

impl Given {
    fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.iter().flatten()
    }

    fn map(&self) -> impl Iterator<Item = &Entry> {
        self.map.iter().flatten()
    }

    /// Says all of it. A module is told by its length and a hash of what is in it (FNV-1a of 32 bits).
    pub(crate) fn tell(&self) {
        say!("command line \"{}\"", self.command_line);
        for module in self.modules() {
            let bytes = memory::bytes(module.start, module.end.saturating_sub(module.start)).unwrap_or_default();
            let hash =
                bytes.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            say!("module \"{}\": {} bytes, hash {hash:08x}", module.name, bytes.len());
        }
        for entry in self.map() {
            say!("memory {:#x} to {:#x}: kind {}", entry.start, entry.start.wrapping_add(entry.size), entry.kind);
        }
    }

    /// The map is in order, the program and its modules lie in RAM and apart, and modules begin on pages, as Multiboot has it for
    /// those who ask.
    pub(crate) fn check(&self) -> Verdict {
        let mut end = 0;
        for entry in self.map() {
            if entry.start < end || entry.size == 0 {
                return Err("the memory map is out of order");
            }
            end = entry.start.checked_add(entry.size).ok_or("the memory map overflows")?;
        }
        let is_ram = |start: u64, end: u64| {
            self.map().any(|entry| entry.kind == RAM && entry.start <= start && end <= entry.start + entry.size)
        };
        let mut taken = crate::started::extent();
        if !is_ram(taken.0, taken.1) {
            return Err("the program is not in RAM");
        }
        for module in self.modules() {
            if !is_ram(module.start, module.end) {
                return Err("a module is not in RAM");
            }
            if !module.start.is_multiple_of(PAGE) {
                return Err("a module does not begin on a page");
            }
            if module.start < taken.1 && taken.0 < module.end {
                return Err("a module overlaps what was before it");
            }
            taken = (module.start, module.end);
        }
        let sum = self.root.iter().take(20).fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
        match self.root.starts_with(b"RSD PTR ") && sum == 0 {
            true => Ok(()),
            false => Err("there is no RSDP"),
        }
    }
}

/// The RSDP where programs of a BIOS's day look for it (ACPI 6.5, 5.2.5.1).
pub(crate) fn search() -> &'static [u8] {
    let area = memory::bytes(0xe_0000, 0x2_0000).unwrap_or_default();
    area.chunks_exact(16).position(|chunk| chunk.starts_with(b"RSD PTR ")).map_or(&[], |at| &area[at * 16..])
}

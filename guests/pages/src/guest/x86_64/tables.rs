//! Page tables (APM volume 2, 5.3): below one entry of the first table, which is in use and has nothing else there.

use core::arch::asm;
use core::fmt::{self, Display, Formatter};
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use guest_runtime::read_control;

/// Where this program maps pages: what the first table's entry 256 leads to, at the start of the upper half.
pub(super) const HIGH: u64 = 0xffff_8000_0000_0000;
const FIRST_ENTRY: usize = 256;

/// Bits of an entry.
pub(super) const PRESENT: u64 = 1 << 0;
pub(super) const WRITABLE: u64 = 1 << 1;
pub(super) const ACCESSED: u64 = 1 << 5;
pub(super) const DIRTY: u64 = 1 << 6;
const LARGE: u64 = 1 << 7;
pub(super) const GLOBAL: u64 = 1 << 8;
pub(super) const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// A size of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Kibi4,
    Mebi2,
    Gibi,
}

impl Size {
    pub(super) const ALL: [Size; 3] = [Size::Kibi4, Size::Mebi2, Size::Gibi];

    /// Bits of an address within a page.
    const fn shift(self) -> u32 {
        match self {
            Size::Kibi4 => 12,
            Size::Mebi2 => 21,
            Size::Gibi => 30,
        }
    }

    /// Its bytes.
    pub(super) const fn bytes(self) -> u64 {
        1 << self.shift()
    }
}

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Size::Kibi4 => "4 KiB",
            Size::Mebi2 => "2 MiB",
            Size::Gibi => "1 GiB",
        })
    }
}

/// A table.
#[repr(C, align(4096))]
struct Table([AtomicU64; 512]);

/// All that there are: the one below the first table, and what is taken from the rest.
static TABLES: [Table; 16] = [const { Table([const { AtomicU64::new(0) }; 512]) }; 16];

impl Table {
    /// As an entry of the table before it. Memory lies where it seems to.
    fn entry(&self) -> u64 {
        self.0.as_ptr() as u64 | PRESENT | WRITABLE
    }
}

/// The tables below the entry.
#[derive(Debug)]
pub(super) struct Tables {
    /// How many are in use.
    used: usize,
}

impl Tables {
    /// With nothing mapped.
    pub(super) fn new() -> Tables {
        TABLES.iter().flat_map(|table| &table.0).for_each(|entry| entry.store(0, SeqCst));
        let root = read_control!("cr3") & ADDRESS;
        // SAFETY: the table in use, of 512 entries, which is mapped where it lies; the entry is one that nothing else uses.
        unsafe { &*(root as *const AtomicU64).add(FIRST_ENTRY) }.store(TABLES[0].entry(), SeqCst);
        forget_all();
        Tables { used: 1 }
    }

    /// The entry of a page of `size` at `address`, with the tables that lead there; `None` if they are used up.
    pub(super) fn entry(&mut self, address: u64, size: Size) -> Option<&'static AtomicU64> {
        let mut table = &TABLES[0];
        for shift in [30, 21, 12] {
            let entry = &table.0[(address >> shift & 511) as usize];
            if shift == size.shift() {
                return Some(entry);
            }
            if entry.load(SeqCst) & PRESENT == 0 {
                entry.store(TABLES.get(self.used)?.entry(), SeqCst);
                self.used += 1;
            }
            let next = entry.load(SeqCst) & ADDRESS;
            table = TABLES.iter().find(|table| table.0.as_ptr() as u64 == next)?;
        }
        None
    }

    /// Maps the page of `size` at `address` to the one around `memory`, with `bits` beside; what was mapped is forgotten.
    pub(super) fn map(&mut self, address: u64, memory: u64, size: Size, bits: u64) -> Option<&'static AtomicU64> {
        let large = if size == Size::Kibi4 { 0 } else { LARGE };
        let entry = self.entry(address, size)?;
        entry.store(memory & !(size.bytes() - 1) | PRESENT | large | bits, SeqCst);
        forget(address);
        Some(entry)
    }
}

/// Forgets the translation of `address` (5.5.2).
pub(super) fn forget(address: u64) {
    // SAFETY: forgets a translation.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
}

/// Forgets all translations but global ones.
pub(super) fn forget_all() {
    // SAFETY: the same tables again.
    unsafe { asm!("mov {0}, cr3", "mov cr3, {0}", out(reg) _, options(nostack, preserves_flags)) };
}

/// Turns global pages on or off, which forgets all translations (5.5.2, CR4.PGE).
pub(super) fn toggle_global() {
    // SAFETY: it only says what is forgotten when.
    unsafe {
        asm!("mov {0}, cr4", "xor {0}, {1}", "mov cr4, {0}", out(reg) _, const 1 << 7, options(nostack, preserves_flags))
    };
}

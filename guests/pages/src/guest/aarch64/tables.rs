//! Building page tables (DDI 0487, D8.3).

use super::granule::{ADDRESS_BITS, Granule};
use guest_runtime::mmio::{read64, write64};

/// Where the upper half of the address space begins.
pub(super) const HIGH: u64 = u64::MAX << ADDRESS_BITS;

/// MAIR_EL1: attribute 0 is Device-nGnRE, attribute 1 is Normal, write-back, allocating.
pub(super) const MAIR: u64 = 0xff << 8 | 0x04;

const VALID: u64 = 1;
/// A table above level 3, a page at level 3; without it, a block.
const TABLE_OR_PAGE: u64 = 1 << 1;
/// Address bits of a descriptor.
const ADDRESS: u64 = 0xffff_ffff_f000;

/// What memory is mapped as. All is readable and writable at EL1, and not accessible at EL0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Device registers.
    Device,
    /// Memory for data and code, shared with other CPUs.
    Memory,
}

impl Kind {
    const fn attributes(self) -> u64 {
        const ACCESSED: u64 = 1 << 10;
        const INNER_SHAREABLE: u64 = 0b11 << 8;
        const NEVER_EXECUTE: u64 = 0b11 << 53;
        match self {
            Kind::Device => ACCESSED | NEVER_EXECUTE,
            Kind::Memory => ACCESSED | INNER_SHAREABLE | 1 << 2 | 1 << 54,
        }
    }
}

/// Tables for both halves of the address space, in memory that is used up from one end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables {
    pub(super) granule: Granule,
    /// Roots for the lower and for the upper half.
    pub(super) roots: [u64; 2],
    free: u64,
    end: u64,
}

impl Tables {
    /// Empty tables in `start..end`, a range of whole 64 KiB pages.
    pub(super) fn new(granule: Granule, start: u64, end: u64) -> Option<Tables> {
        let mut tables = Tables { granule, roots: [0; 2], free: start, end };
        tables.roots = [tables.table()?, tables.table()?];
        Some(tables)
    }

    /// A fresh table: one page, all of it invalid descriptors.
    fn table(&mut self) -> Option<u64> {
        let table = self.free;
        self.free += self.granule.bytes();
        if self.free > self.end {
            return None;
        }
        (table..self.free).step_by(8).for_each(|entry| write64(entry as usize, 0));
        Some(table)
    }

    /// Maps `bytes` at `address` to `to`, all in whole pages, with blocks where they fit. `None` if there is no memory left
    /// for tables.
    pub(super) fn map(&mut self, address: u64, to: u64, bytes: u64, kind: Kind) -> Option<()> {
        let mut done = 0;
        while done < bytes {
            done += self.map_one(address + done, to + done, bytes - done, kind)?;
        }
        Some(())
    }

    /// The largest block or page that fits; gives its size.
    fn map_one(&mut self, address: u64, to: u64, bytes: u64, kind: Kind) -> Option<u64> {
        let mut table = self.root(address);
        for level in self.granule.root_level()..3 {
            let entry = self.entry(table, address, level);
            let size = 1 << self.granule.level_shift(level);
            if self.granule.has_blocks(level) && (address | to) & (size - 1) == 0 && bytes >= size {
                write64(entry, to | kind.attributes() | VALID);
                return Some(size);
            }
            if read64(entry) & VALID == 0 {
                write64(entry, self.table()? | TABLE_OR_PAGE | VALID);
            }
            table = read64(entry) & ADDRESS;
        }
        write64(self.entry(table, address, 3), page(to, kind));
        Some(self.granule.bytes())
    }

    /// The address of the descriptor of the page at `address`, which is mapped as a page.
    pub(super) fn page_entry(&self, address: u64) -> usize {
        let levels = self.granule.root_level()..3;
        let next = |table, level| read64(self.entry(table, address, level)) & ADDRESS;
        self.entry(levels.fold(self.root(address), next), address, 3)
    }

    fn root(&self, address: u64) -> u64 {
        self.roots[usize::from(address >= HIGH)]
    }

    fn entry(&self, table: u64, address: u64, level: u32) -> usize {
        let within = address & !HIGH & ((1 << (self.granule.level_shift(level) + self.granule.shift() - 3)) - 1);
        (table + (within >> self.granule.level_shift(level)) * 8) as usize
    }
}

/// The descriptor of a page.
pub(super) const fn page(to: u64, kind: Kind) -> u64 {
    to | kind.attributes() | TABLE_OR_PAGE | VALID
}

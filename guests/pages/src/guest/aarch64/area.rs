//! What is where in a range of memory that is tested: a copy of the program, page tables, pages to play with.

use super::granule::Granule;
use super::tables::{HIGH, Kind, Tables};
use guest_runtime::machine::Range;
use guest_runtime::mmio::{read64, write64};
use guest_runtime::{Machine, program_extent};

const MIB: u64 = 1 << 20;
/// Everything that devices have registers in, on Ostler's machines and QEMU's `virt`.
const DEVICES: u64 = 1 << 30;

/// Four MiB in the middle of a range of memory: in the first range, behind the program itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    base: u64,
}

/// An area with tables: a world to go to.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// The tables.
    pub(super) tables: Tables,
    /// Physical address of the pages to play with.
    pages: u64,
    /// The program as it was linked, with its stacks.
    pub(super) low: Range,
    /// All of the area.
    pub(super) all: Range,
    /// The UART's registers, in the upper half.
    pub(super) uart: u64,
}

impl World {
    /// Number of pages to play with. All are neighbours in memory; every second one is mapped here, so that there they
    /// are neighbours, and the others are spare.
    pub(super) const PAGES: u64 = 8;
    const PLAYGROUND: u64 = HIGH + (64 << 30);
    /// Nothing is mapped here.
    pub(super) const NOTHING: u64 = HIGH + (96 << 30);
    /// The page of the UART is mapped here.
    const UART: u64 = HIGH + (128 << 30);

    /// Physical address of page `index` of all; as an address in the lower half it is mapped.
    pub(super) const fn page(&self, index: u64) -> u64 {
        self.pages + index * self.tables.granule.bytes()
    }

    /// Address in the upper half of page `index`, which is even; what follows it is page `index + 2`.
    pub(super) const fn page_high(&self, index: u64) -> u64 {
        World::PLAYGROUND + index / 2 * self.tables.granule.bytes()
    }
}

impl Area {
    /// The area in `range`; `None` if there is none.
    pub(super) fn within(range: &Range) -> Option<Area> {
        let base = range.base + range.bytes / 2;
        let whole = base.is_multiple_of(MIB) && base + 4 * MIB <= range.base + range.bytes;
        (whole && base >= range.base + 4 * MIB).then_some(Area { base })
    }

    /// Copies the program and builds the tables. The MMU is off.
    pub(super) fn prepare(self, machine: &Machine, granule: Granule) -> Result<World, &'static str> {
        let linked = program_extent();
        for offset in (0..linked.bytes).step_by(8) {
            write64((self.base + offset) as usize, read64((linked.base + offset) as usize));
        }
        let tables = self.tables(machine, granule).ok_or("no memory left for page tables")?;
        let all = Range { base: self.base, bytes: 4 * MIB };
        let low = Range { base: linked.base, bytes: MIB };
        let uart = World::UART + (machine.uart.base as u64 & (granule.bytes() - 1));
        Ok(World { tables, pages: self.base + 2 * MIB, low, all, uart })
    }

    fn tables(self, machine: &Machine, granule: Granule) -> Option<Tables> {
        let linked = program_extent().base;
        let mut tables = Tables::new(granule, self.base + MIB, self.base + 2 * MIB)?;
        tables.map(0, 0, DEVICES, Kind::Device)?;
        tables.map(linked, linked, MIB, Kind::Memory)?;
        tables.map(self.base, self.base, 4 * MIB, Kind::Memory)?;
        tables.map(HIGH + linked, self.base, MIB, Kind::Memory)?;
        let uart = machine.uart.base as u64 & !(granule.bytes() - 1);
        tables.map(World::UART, uart, granule.bytes(), Kind::Device)?;
        for index in (0..World::PAGES).step_by(2) {
            let to = self.base + 2 * MIB + index * granule.bytes();
            tables.map(World::PLAYGROUND + index / 2 * granule.bytes(), to, granule.bytes(), Kind::Memory)?;
        }
        Some(tables)
    }
}

//! The hypervisor's own tables: four levels, W^X, for the most privileged level only.
//!
//! CR0.WP and EFER.NXE are set from the start (`boot`), so that the bits mean what they say.

use super::{
    ACCESSED, ADDRESS, DIRTY, Format, LARGE, Level, NO_EXECUTE, PRESENT, Rights, Stage, Stage1Attributes, WRITABLE,
};

/// PWT and PCD: entry 3 of the PAT out of reset, which nobody here changes before tables are in use: uncacheable (APM volume 2,
/// 7.8.2).
const UNCACHEABLE: u64 = 1 << 3 | 1 << 4;

/// The translation of the hypervisor's own addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage1;

impl Stage for Stage1 {
    type Attributes = Stage1Attributes;
    const ATTRIBUTES: &'static [Stage1Attributes] =
        &[Stage1Attributes::Text, Stage1Attributes::ReadOnly, Stage1Attributes::ReadWrite, Stage1Attributes::Device];
    const ROOT_LEVEL: Level = Level::L0;
    const MAX_BITS: u32 = 48;
    const FORMAT: Format = Format {
        table: PRESENT | WRITABLE | ACCESSED,
        block: PRESENT | LARGE,
        page: PRESENT,
        kind: PRESENT | LARGE,
        // In the lowest level bit 7 is the PAT's.
        page_kind: PRESENT,
        address: ADDRESS,
    };

    fn leaf(attributes: Stage1Attributes) -> u64 {
        match attributes {
            Stage1Attributes::Text => ACCESSED,
            Stage1Attributes::ReadOnly => ACCESSED | NO_EXECUTE,
            Stage1Attributes::ReadWrite => ACCESSED | DIRTY | WRITABLE | NO_EXECUTE,
            Stage1Attributes::Device => ACCESSED | DIRTY | WRITABLE | NO_EXECUTE | UNCACHEABLE,
        }
    }

    fn rights(descriptor: u64) -> Rights {
        Rights {
            read: true,
            write: descriptor & WRITABLE != 0,
            execute: descriptor & NO_EXECUTE == 0,
            is_device: descriptor & UNCACHEABLE == UNCACHEABLE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Entry, Says, Table, TableMemory};
    use super::*;
    use model::Hpa;

    #[derive(Default)]
    struct Memory(BTreeMap<u64, u64>, u64);

    impl TableMemory for Memory {
        fn allocate(&mut self, _pages: usize) -> Option<Hpa> {
            self.1 += 4096;
            Some(Hpa(self.1))
        }
        fn read(&self, entry: Hpa) -> u64 {
            self.0.get(&entry.0).copied().unwrap_or(0)
        }
        fn write(&mut self, entry: Hpa, value: u64) {
            self.0.insert(entry.0, value);
        }
    }

    #[test]
    fn entries_are_long_modes() {
        let mut memory = Memory::default();
        let table = Table::<Stage1>::new(&mut memory, 48).unwrap();
        // The image's page, a block of RAM of 2 MiB, one of 1 GiB, and registers.
        table.map(&mut memory, 0xffff_8000_0000, Hpa(0x20_0000), 4096, Stage1Attributes::Text).unwrap();
        table.map(&mut memory, 0x20_0000, Hpa(0x20_0000), 2 << 20, Stage1Attributes::ReadOnly).unwrap();
        table.map(&mut memory, 1 << 30, Hpa(1 << 30), 1 << 30, Stage1Attributes::ReadWrite).unwrap();
        table.map(&mut memory, 0xfee0_0000, Hpa(0xfee0_0000), 4096, Stage1Attributes::Device).unwrap();
        let mut found = Vec::new();
        let mut tables = 0;
        let mut look = |entry: &Entry| {
            assert!(entry.is_ours::<Stage1>(), "{entry:x?}");
            match entry.says {
                Says::Leaf(_, rights) => found.push((entry.input, entry.descriptor, rights)),
                Says::Table(_) => {
                    tables += 1;
                    assert_eq!(entry.descriptor & !ADDRESS, 0x23);
                }
                Says::Nothing => panic!("{entry:x?}"),
            }
            Ok::<(), ()>(())
        };
        table.walk(&memory, &mut look).unwrap();
        assert_eq!(tables, 7);
        let rights = |write, execute, is_device| Rights { read: true, write, execute, is_device };
        assert_eq!(
            found,
            [
                (0x20_0000, 1 << 63 | 0x20_00a1, rights(false, false, false)),
                (1 << 30, 1 << 63 | 0x4000_00e3, rights(true, false, false)),
                (0xfee0_0000, 1 << 63 | 0xfee0_007b, rights(true, false, true)),
                (0xffff_8000_0000, 0x20_0021, rights(false, true, false)),
            ]
        );
    }
}

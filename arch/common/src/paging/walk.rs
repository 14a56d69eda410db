//! A walk that believes nothing of the tables it walks: every valid entry is shown before it is followed.
//!
//! [`Table::for_each_leaf`] reads back what [`Table::map`] wrote. This walk is for those who want to know what the CPU would
//! make of the tables, whoever wrote to them: rights are decoded from the bits, by the manual and not by way of
//! [`Stage::leaf`], and who is shown an entry may end the walk before it goes on from there.

use model::Hpa;

use super::{Level, Stage, TABLE_MASK, Table, TableMemory, VALID, entry_address};

/// What a leaf allows, by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Loads.
    pub read: bool,
    /// Stores.
    pub write: bool,
    /// Instruction fetches, at any privilege that the stage translates for.
    pub execute: bool,
    /// Device memory of some kind.
    pub is_device: bool,
}

/// A valid entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// First input address that it is for.
    pub input: u64,
    /// The level of the table that it is in.
    pub level: Level,
    /// The entry itself.
    pub descriptor: u64,
    /// What it says.
    pub says: Says,
}

/// What a valid entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// The next table is here.
    Table(Hpa),
    /// The memory is here, with these rights.
    Leaf(Hpa, Rights),
    /// Nothing: the CPU takes it for invalid although bit 0 is set (a block where there can be none).
    Nothing,
}

impl Entry {
    /// Bytes of input address that it is for.
    pub fn size_bytes(&self) -> u64 {
        self.level.entry_bytes()
    }

    /// Whether it is one that [`Table::map`] could have written.
    pub fn is_ours<S: Stage>(&self) -> bool {
        let bits = S::FORMAT.attributes(self.descriptor, self.level);
        match self.says {
            Says::Table(_) => bits == S::FORMAT.attributes(S::FORMAT.table, self.level),
            Says::Leaf(..) => S::ATTRIBUTES.iter().any(|&attributes| S::leaf(attributes) == bits),
            Says::Nothing => false,
        }
    }
}

impl<S: Stage> Table<S> {
    /// The tables with this root, as a register has it.
    pub fn at(root: Hpa, input_bits: u32) -> Table<S> {
        Table { root, input_bits, stage: core::marker::PhantomData }
    }

    /// Shows every valid entry to `look`, in the order of input addresses, a table before what is in it. Ends with its
    /// first error.
    pub fn walk<M: TableMemory, E>(&self, memory: &M, look: &mut impl FnMut(&Entry) -> Result<(), E>) -> Result<(), E> {
        Self::walk_table(memory, self.root, S::ROOT_LEVEL, self.root_mask(), 0, look)
    }

    /// One table whose first input address is `base`; recursion ends at level 3.
    fn walk_table<M: TableMemory, E>(
        memory: &M,
        table: Hpa,
        level: Level,
        index_mask: u64,
        base: u64,
        look: &mut impl FnMut(&Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        for index in 0..=index_mask {
            let input = base.wrapping_add(index.wrapping_shl(level.shift()));
            let descriptor = memory.read(entry_address(table, level, index_mask, input));
            if descriptor & VALID == 0 {
                continue;
            }
            // The bits of a block's address that are inside of the block are reserved or ignored.
            let output = Hpa(descriptor & S::FORMAT.address & !level.offset_mask());
            let says = match S::FORMAT.table(descriptor, level) {
                Some(below) => Says::Table(below),
                None if S::FORMAT.is_leaf(descriptor, level) => Says::Leaf(output, S::rights(descriptor)),
                None => Says::Nothing,
            };
            look(&Entry { input, level, descriptor, says })?;
            if let (Says::Table(below), Some(next)) = (says, level.next()) {
                Self::walk_table(memory, below, next, TABLE_MASK, input, look)?;
            }
        }
        Ok(())
    }
}

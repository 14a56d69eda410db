//! Translation tables of 4 KiB, with 512 entries of 8 bytes, in memory that the caller owns: one walker for all of them.
//!
//! The hypervisor's own stage and a guest's second one, on either CPU, differ in where the walk starts, how far it reaches and how
//! an entry says what it is; everything else (index arithmetic, choice of leaf size, descent) is the same code, generic over
//! [`Stage`]. The walker reaches tables through [`TableMemory`], so that the host tests run what the board runs.
//!
//! Entries only ever go from invalid to valid. That needs no TLB invalidation, since an invalid entry is never cached (DDI 0487
//! D8.16.1; APM volume 2, 5.5.3); the caller owes the CPU's barrier between the last [`Table::map`] and the first use.

mod attributes;
#[cfg(feature = "testing")]
pub mod reference;
mod walk;

pub use attributes::{Stage1Attributes, Stage2Attributes};
pub use walk::{Entry, Rights, Says};

use core::fmt::Debug;
use core::marker::PhantomData;
use model::{Hpa, PAGE_BYTES};

/// The memory that tables live in. Every address is that of an aligned 8-byte entry in a table that `allocate` gave.
pub trait TableMemory {
    /// `pages` contiguous zeroed pages (a power of two), aligned to their total size; `None` when there are no more.
    fn allocate(&mut self, pages: usize) -> Option<Hpa>;
    /// The entry at `entry`.
    fn read(&self, entry: Hpa) -> u64;
    /// Replaces the entry at `entry` in one single-copy atomic store: a table walker may look at any time.
    fn write(&mut self, entry: Hpa, value: u64);
}

/// What sets one stage of translation apart from another.
pub trait Stage {
    /// What a mapping allows and how its memory behaves.
    type Attributes: Copy + PartialEq + Debug + 'static;
    /// Every value of the attributes, for reading a table back.
    const ATTRIBUTES: &'static [Self::Attributes];
    /// Where a walk starts.
    const ROOT_LEVEL: Level;
    /// Most bits of input address that the root can index, concatenated root tables included.
    const MAX_BITS: u32;
    /// How an entry says what it is.
    const FORMAT: Format;
    /// A leaf's attribute bits: everything but the address and the type ([`Format`]).
    fn leaf(attributes: Self::Attributes) -> u64;
    /// What the CPU makes of a leaf's bits, whoever set them.
    fn rights(descriptor: u64) -> Rights;
}

/// How an entry says what it is. Bit 0 is set in all that are valid.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// All of an entry that points to the next table but the address.
    pub table: u64,
    /// Type bits of a leaf of 1 GiB or 2 MiB, of those in [`Format::kind`].
    pub block: u64,
    /// Type bits of a leaf of 4 KiB, of those in [`Format::page_kind`].
    pub page: u64,
    /// The bits that tell a table from a leaf, above the lowest level.
    pub kind: u64,
    /// The bits that tell a leaf at the lowest level from nothing.
    pub page_kind: u64,
    /// The bits of an output address, or of that of the next table.
    pub address: u64,
}

impl Format {
    /// The type bits of an entry at `level`.
    const fn kind_of(&self, level: Level) -> u64 {
        match level {
            Level::L0 | Level::L1 | Level::L2 => self.kind,
            Level::L3 => self.page_kind,
        }
    }

    /// The type bits of a leaf at `level`; `None` where there are none.
    const fn leaf_type(&self, level: Level) -> Option<u64> {
        match level {
            Level::L0 => None,
            Level::L1 | Level::L2 => Some(self.block),
            Level::L3 => Some(self.page),
        }
    }

    /// Whether `entry` at `level` is a leaf.
    const fn is_leaf(&self, entry: u64, level: Level) -> bool {
        match self.leaf_type(level) {
            Some(kind) => entry & self.kind_of(level) == kind,
            None => false,
        }
    }

    /// The table that `entry` at `level` points to, if it does.
    const fn table(&self, entry: u64, level: Level) -> Option<Hpa> {
        match level {
            Level::L3 => None,
            _ if entry & self.kind == self.table & self.kind => Some(Hpa(entry & self.address)),
            _ => None,
        }
    }

    /// What is neither address nor type in `entry` at `level`.
    const fn attributes(&self, entry: u64, level: Level) -> u64 {
        entry & !self.address & !self.kind_of(level)
    }

    /// Output addresses end here.
    const fn output_end(&self) -> u64 {
        // The address has the bits from 12 on up to some.
        (self.address | (PAGE_BYTES - 1)).wrapping_add(1)
    }
}

/// A level of the walk, by the names that arm64 has for them (DDI 0487 D8.2.7; on x86 the tables of bits 47, 38, 29 and 20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Entries of 512 GiB; tables only.
    L0,
    /// Entries of 1 GiB.
    L1,
    /// Entries of 2 MiB.
    L2,
    /// Entries of 4 KiB; pages only.
    L3,
}

impl Level {
    /// log2 of the bytes that one entry covers.
    pub const fn shift(self) -> u32 {
        match self {
            Level::L0 => 39,
            Level::L1 => 30,
            Level::L2 => 21,
            Level::L3 => 12,
        }
    }

    /// Bytes that one entry covers.
    pub const fn entry_bytes(self) -> u64 {
        match self {
            Level::L0 => 1 << 39,
            Level::L1 => 1 << 30,
            Level::L2 => 1 << 21,
            Level::L3 => 1 << 12,
        }
    }

    /// Covers the bits of an address inside of one entry.
    const fn offset_mask(self) -> u64 {
        self.entry_bytes().wrapping_sub(1)
    }

    const fn next(self) -> Option<Level> {
        match self {
            Level::L0 => Some(Level::L1),
            Level::L1 => Some(Level::L2),
            Level::L2 => Some(Level::L3),
            Level::L3 => None,
        }
    }
}

/// Bit 0: the entry is valid.
const VALID: u64 = 0b1;
/// Bytes of one entry.
const ENTRY_BYTES: u64 = 8;

/// Why a mapping was refused. The range may be mapped in part: the tree is then of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// An address or the size is not a multiple of 4 KiB, or the size is zero.
    Misaligned,
    /// The range ends past what the tables can translate from or to.
    OutOfRange,
    /// This input address is mapped already.
    Overlap(u64),
    /// No memory for one more table.
    NoMemory,
}

impl core::fmt::Display for MapError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            MapError::Misaligned => f.write_str("not a multiple of 4 KiB"),
            MapError::OutOfRange => f.write_str("past the end of the address space"),
            MapError::Overlap(at) => write!(f, "{at:#x} is mapped already"),
            MapError::NoMemory => f.write_str("no memory for translation tables"),
        }
    }
}

/// One valid leaf, seen by a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<A> {
    /// First input address.
    pub input: u64,
    /// Output address of `input`.
    pub output: Hpa,
    /// 4 KiB, 2 MiB or 1 GiB.
    pub size_bytes: u64,
    /// `None` if the bits are none that [`Stage::leaf`] makes: something else wrote to the table.
    pub attributes: Option<A>,
}

/// A tree of translation tables by its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table<S: Stage> {
    root: Hpa,
    input_bits: u32,
    stage: PhantomData<S>,
}

/// What remains to be mapped below one table: both ranges end below 2^52, so sums of their parts can't overflow.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
    output: u64,
}

impl<S: Stage> Table<S> {
    /// An empty tree that translates `input_bits` bits of input address; the root is allocated from `memory`.
    pub fn new<M: TableMemory>(memory: &mut M, input_bits: u32) -> Result<Self, MapError> {
        let index_bits = input_bits.checked_sub(S::ROOT_LEVEL.shift()).ok_or(MapError::OutOfRange)?;
        if input_bits > S::MAX_BITS || index_bits == 0 {
            return Err(MapError::OutOfRange);
        }
        // Up to 9 bits index one table; each bit more doubles the concatenated root tables (DDI 0487 D8.2.10).
        let pages = 1usize.checked_shl(index_bits.saturating_sub(9)).ok_or(MapError::OutOfRange)?;
        let root = memory.allocate(pages).ok_or(MapError::NoMemory)?;
        Ok(Table { root, input_bits, stage: PhantomData })
    }

    /// The root's address, for the register that the CPU finds it by.
    pub fn root(&self) -> Hpa {
        self.root
    }

    /// Bits of input address.
    pub fn input_bits(&self) -> u32 {
        self.input_bits
    }

    /// First address that is not translated.
    fn input_end(&self) -> u64 {
        // At most 2^48: `new` saw to it.
        1u64.wrapping_shl(self.input_bits)
    }

    /// Maps `[input, input + size_bytes)` to `[output, …)` with the largest leaves that the addresses allow.
    pub fn map<M: TableMemory>(
        &self,
        memory: &mut M,
        input: u64,
        output: Hpa,
        size_bytes: u64,
        attributes: S::Attributes,
    ) -> Result<(), MapError> {
        if size_bytes == 0 || (input | output.0 | size_bytes) & PAGE_BYTES.wrapping_sub(1) != 0 {
            return Err(MapError::Misaligned);
        }
        let ends_by = |start: u64, limit| start.checked_add(size_bytes).filter(|&end| end <= limit);
        let end = ends_by(input, self.input_end()).ok_or(MapError::OutOfRange)?;
        ends_by(output.0, S::FORMAT.output_end()).ok_or(MapError::OutOfRange)?;
        let span = Span { start: input, end, output: output.0 };
        Self::fill(memory, self.root, S::ROOT_LEVEL, self.root_mask(), span, S::leaf(attributes))
    }

    /// Fills one table's part of `span`; recursion ends at level 3.
    fn fill<M: TableMemory>(
        memory: &mut M,
        table: Hpa,
        level: Level,
        index_mask: u64,
        span: Span,
        leaf: u64,
    ) -> Result<(), MapError> {
        let mut at = span.start;
        while at < span.end {
            let entry = entry_address(table, level, index_mask, at);
            let output = span.output.wrapping_add(at.wrapping_sub(span.start));
            // Whole entries from here on, of which leaves can be made where the addresses agree.
            let whole = span.end.wrapping_sub(at) & !level.offset_mask();
            if let Some(kind) = S::FORMAT.leaf_type(level)
                && whole != 0
                && (at | output) & level.offset_mask() == 0
            {
                let end = at.wrapping_add(whole);
                Self::leaves(memory, entry, level, Span { start: at, end, output }, leaf | kind)?;
                at = end;
                continue;
            }

            let next = level.next().ok_or(MapError::Misaligned)?;
            let old = memory.read(entry);
            let below = match S::FORMAT.table(old, level) {
                Some(below) => below,
                None if old & VALID == 0 => {
                    let new = memory.allocate(1).ok_or(MapError::NoMemory)?;
                    memory.write(entry, new.0 | S::FORMAT.table);
                    new
                }
                None => return Err(MapError::Overlap(at)),
            };
            let end = (at | level.offset_mask()).wrapping_add(1).min(span.end);
            Self::fill(memory, below, next, TABLE_MASK, Span { start: at, end, output }, leaf)?;
            at = end;
        }
        Ok(())
    }

    /// Writes the leaves of `span`, whole entries of one table from `entry` on. Boards and guests have thousands.
    fn leaves<M: TableMemory>(
        memory: &mut M,
        mut entry: Hpa,
        level: Level,
        span: Span,
        leaf: u64,
    ) -> Result<(), MapError> {
        let bytes = level.entry_bytes();
        let Span { start: mut at, end, mut output } = span;
        while at < end {
            if memory.read(entry) & VALID != 0 {
                return Err(MapError::Overlap(at));
            }
            memory.write(entry, output | leaf);
            entry = Hpa(entry.0.wrapping_add(ENTRY_BYTES));
            (at, output) = (at.wrapping_add(bytes), output.wrapping_add(bytes));
        }
        Ok(())
    }

    /// Walks to the leaf that translates `input`, as the CPU would; `None` where the CPU would take a fault.
    pub fn leaf<M: TableMemory>(&self, memory: &M, input: u64) -> Option<Leaf<S::Attributes>> {
        if input >= self.input_end() {
            return None;
        }
        let (mut table, mut level, mut mask) = (self.root, S::ROOT_LEVEL, self.root_mask());
        loop {
            let entry = memory.read(entry_address(table, level, mask, input));
            if let Some(leaf) = Self::decode(entry, level, input & !level.offset_mask()) {
                return Some(leaf);
            }
            (table, level, mask) = (S::FORMAT.table(entry, level)?, level.next()?, TABLE_MASK);
        }
    }

    /// Translates one address; `None` where the CPU would take a translation fault.
    pub fn translate<M: TableMemory>(&self, memory: &M, input: u64) -> Option<Hpa> {
        let leaf = self.leaf(memory, input)?;
        leaf.output.checked_add(input.checked_sub(leaf.input)?)
    }

    /// Shows every leaf, in the order of input addresses.
    pub fn for_each_leaf<M: TableMemory>(&self, memory: &M, visit: &mut impl FnMut(Leaf<S::Attributes>)) {
        Self::visit(memory, self.root, S::ROOT_LEVEL, self.root_mask(), 0, visit);
    }

    /// Shows the leaves below one table whose first input address is `base`; recursion ends at level 3.
    fn visit<M: TableMemory>(
        memory: &M,
        table: Hpa,
        level: Level,
        index_mask: u64,
        base: u64,
        visit: &mut impl FnMut(Leaf<S::Attributes>),
    ) {
        for index in 0..=index_mask {
            let input = base.wrapping_add(index.wrapping_shl(level.shift()));
            let entry = memory.read(entry_address(table, level, index_mask, input));
            if let Some(leaf) = Self::decode(entry, level, input) {
                visit(leaf);
            } else if let (Some(below), Some(next)) = (S::FORMAT.table(entry, level), level.next()) {
                Self::visit(memory, below, next, TABLE_MASK, input, visit);
            }
        }
    }

    /// The leaf that `entry` is, or `None` if it is a table or invalid.
    fn decode(entry: u64, level: Level, input: u64) -> Option<Leaf<S::Attributes>> {
        if !S::FORMAT.is_leaf(entry, level) {
            return None;
        }
        let bits = S::FORMAT.attributes(entry, level);
        let attributes = S::ATTRIBUTES.iter().copied().find(|&attributes| S::leaf(attributes) == bits);
        Some(Leaf { input, output: Hpa(entry & S::FORMAT.address), size_bytes: level.entry_bytes(), attributes })
    }

    /// Covers the root's indices: fewer or more than 512 entries, since the root's size follows the input size.
    fn root_mask(&self) -> u64 {
        self.input_end().wrapping_shr(S::ROOT_LEVEL.shift()).wrapping_sub(1)
    }
}

/// Covers the indices of every table but the root.
const TABLE_MASK: u64 = 511;

/// Where the entry for `input` lies in `table`.
fn entry_address(table: Hpa, level: Level, index_mask: u64, input: u64) -> Hpa {
    let index = input.wrapping_shr(level.shift()) & index_mask;
    // A table is 4 KiB long and aligned to it (a root up to 8 KiB): the sum can't overflow.
    Hpa(table.0.wrapping_add(index.wrapping_mul(ENTRY_BYTES)))
}

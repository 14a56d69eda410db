//! The hypervisor's own address space (EL2 stage 1).
//!
//! | virtual | what | how |
//! |---|---|---|
//! | physical | free RAM | read, write |
//! | physical | image section, device tree | read |
//! | physical | the boot page | execute: secondary CPUs turn their MMU on there |
//! | physical | UART, GIC | device |
//! | `IMAGE_BASE` | the hypervisor | each section as it needs |
//! | `stacks::STACKS` | one slot a pCPU | read, write, between guard pages |
//!
//! Writable means not executable, everywhere (SCTLR_EL2.WXN says it once more).

use arch::paging::{MapError, Stage1, Stage1Attributes, Table};
use model::{Hpa, PAGE_BYTES};

use crate::direct::OwnTables;
use crate::memory::Span;
use crate::stacks::{self, Stacks};

/// Where the hypervisor lies in physical memory.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// First byte of the image; 2 MiB aligned.
    pub load: u64,
    /// First byte of `.bss`, behind the image section.
    pub bss: u64,
}

impl Image {
    /// The image section: from the flat image's end to `.bss`.
    pub fn section(&self) -> Span {
        let data_end = &raw const boot::head::__data_end as u64;
        Span { start: self.physical(data_end.wrapping_sub(1)).wrapping_add(1), end: self.bss }
    }

    /// All memory that the image occupies.
    pub fn span(&self) -> Span {
        Span {
            start: self.load,
            end: self.physical((&raw const boot::head::__bss_end as u64).wrapping_sub(1)).wrapping_add(1),
        }
    }

    /// What to add (wrapping) to a virtual address in `.bss` to get its physical one.
    pub fn bss_offset(&self) -> u64 {
        self.bss.wrapping_sub(&raw const boot::head::__data_end as u64)
    }

    /// The physical address behind `virt`, an address in the image.
    pub fn physical(&self, virt: u64) -> u64 {
        if virt >= &raw const boot::head::__data_end as u64 {
            virt.wrapping_add(self.bss_offset())
        } else {
            virt.wrapping_sub(&raw const boot::head::IMAGE_BASE as u64).wrapping_add(self.load)
        }
    }
}

/// Bits of virtual address that the tables translate.
const TABLE_BITS: u32 = 48;

/// The tables under construction and in use.
pub struct AddressSpace {
    table: Table<Stage1>,
    memory: OwnTables,
}

impl AddressSpace {
    /// Maps the image and nothing else.
    pub fn new(image: &Image) -> Result<AddressSpace, MapError> {
        let mut memory = OwnTables::new(image.bss_offset());
        let table = Table::new(&mut memory, TABLE_BITS)?;
        let mut space = AddressSpace { table, memory };
        let bounds = [
            &raw const boot::head::IMAGE_BASE as u64,
            &raw const boot::head::__text_end as u64,
            &raw const boot::head::__rodata_end as u64,
            &raw const boot::head::__data_end as u64,
            &raw const boot::head::__bss_end as u64,
        ];
        use Stage1Attributes::{ReadOnly, ReadWrite, Text};
        for (section, attributes) in bounds.windows(2).zip([Text, ReadOnly, ReadWrite, ReadWrite]) {
            if let &[start, end] = section
                && start < end
            {
                space.map(start, image.physical(start), end.wrapping_sub(start), attributes)?;
            }
        }
        space.map(image.load, image.load, PAGE_BYTES, Text)?;
        Ok(space)
    }

    fn map(&mut self, virt: u64, phys: u64, size: u64, attributes: Stage1Attributes) -> Result<(), MapError> {
        // Of an address's upper bits tables know nothing: they are zeros on arm64, copies of bit 47 on x86 (APM volume 2, 5.3.1).
        let input = virt & ((1 << TABLE_BITS) - 1);
        self.table.map(&mut self.memory, input, Hpa(phys), size, attributes)
    }

    /// Maps whole pages around `span` at their physical address. An empty span is no error.
    pub fn map_direct(&mut self, span: Span, attributes: Stage1Attributes) -> Result<(), MapError> {
        let start = span.start & !(PAGE_BYTES - 1);
        let end = span.end.checked_next_multiple_of(PAGE_BYTES).ok_or(MapError::OutOfRange)?;
        if start >= end {
            return Ok(());
        }
        self.map(start, start, end.wrapping_sub(start), attributes)
    }

    /// Maps `memory`, [`stacks::SLOT_MEMORY`] bytes, as the stacks of pCPU `index`.
    pub fn map_stacks(&mut self, index: u32, memory: Hpa) -> Result<Stacks, MapError> {
        let stacks = stacks::of(index).ok_or(MapError::OutOfRange)?;
        let mut phys = memory.0;
        for part in [stacks.emergency, stacks.stack] {
            self.map(part.start, phys, part.size(), Stage1Attributes::ReadWrite)?;
            phys = phys.wrapping_add(part.size());
        }
        Ok(stacks)
    }

    /// What the tables lie in, to read them back.
    pub fn memory(&self) -> &OwnTables {
        &self.memory
    }

    /// Bits of address that they translate.
    pub fn input_bits(&self) -> u32 {
        self.table.input_bits()
    }

    /// The root's physical address.
    pub fn root(&self) -> Hpa {
        self.table.root()
    }
}

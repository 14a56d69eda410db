//! What of the board a VM has for itself, past the hypervisor: `pass`.

use crate::{Gpa, Hpa};

/// A range of the board's own address space that a guest reaches without an exit. No two VMs have the same one, and none is Ostler's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// First guest-physical byte; a multiple of [`crate::PAGE_BYTES`].
    pub gpa: Gpa,
    /// First host-physical byte; a multiple of [`crate::PAGE_BYTES`].
    pub hpa: Hpa,
    /// Length in bytes; a multiple of [`crate::PAGE_BYTES`], not zero.
    pub size_bytes: u64,
    /// Stores are allowed too. (Loads always are.)
    pub write: bool,
    /// Instructions may be fetched from it.
    pub execute: bool,
    /// What the second stage makes of it, at the least: the guest's own tables can only be stricter.
    pub kind: MemoryType,
}

impl Pass {
    /// The host address of `gpa` and how many bytes follow it inside this range; `None` outside of it.
    pub fn translate(&self, gpa: Gpa) -> Option<(Hpa, u64)> {
        let offset = gpa.offset_from(self.gpa)?;
        let left = self.size_bytes.checked_sub(offset).filter(|&left| left > 0)?;
        Some((self.hpa.checked_add(offset)?, left))
    }
}

/// How accesses reach what is behind an address (DDI 0487 B2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryType {
    /// Device-nGnRE: each access once and in order, none by speculation.
    Device,
    /// Normal, not cached.
    Uncached,
    /// Normal, write-back.
    Cached,
}

/// An interrupt of the board that a guest has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassedInterrupt {
    /// The board's number of it: an SPI's INTID, or on x86 the global system interrupt (ACPI 5.2.13).
    pub host: u32,
    /// The guest's line: an SPI's INTID below [`crate::Gic::INTIDS`], or one of a PC's [`crate::Pc::LINES`].
    pub line: u32,
    /// How the board's line says that there is something.
    pub trigger: Trigger,
    /// It may come again before the guest has handled it (`u`). Only with [`Trigger::Edge`].
    pub unmasked: bool,
}

/// How an interrupt line is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Pending as long as it is high.
    Level,
    /// Pending once for each time that it rises.
    Edge,
}

/// A named piece of the board's RAM that Ostler leaves alone, for configurations to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte; a multiple of [`crate::PAGE_BYTES`].
    pub start: Hpa,
    /// Length in bytes; a multiple of [`crate::PAGE_BYTES`], not zero.
    pub size_bytes: u64,
}

//! What boot finds out about a board, in arrays of fixed size: a board with more than fits is refused, notes excepted.

use arrayvec::ArrayVec;
use core::fmt;
use model::Hpa;

/// Most ranges of RAM.
pub const MAX_MEMORY: usize = 16;
/// Most ranges that firmware reserves.
pub const MAX_RESERVED: usize = 32;
/// Most CPUs.
pub const MAX_CPUS: usize = 256;
/// Most notes; what comes after them is dropped.
pub const MAX_NOTES: usize = 8;
/// Bytes of a random seed that are used.
pub const MAX_SEED_BYTES: usize = 64;

/// A range of host-physical addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub start: Hpa,
    /// Length in bytes, not zero; the end does not overflow.
    pub size_bytes: u64,
}

impl Region {
    /// The first byte after it.
    pub fn end(&self) -> Hpa {
        Hpa(self.start.0.saturating_add(self.size_bytes))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end())
    }
}

/// Memory that firmware keeps: it must never become guest RAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// Where.
    pub region: Region,
    /// `no-map`: it must not even be mapped, since speculative reads do harm.
    pub no_map: bool,
}

/// All that Ostler wants to know of the board. `Hardware` is what differs by CPU, `Note` is how it names what it left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts<Hardware, Note> {
    /// RAM, in the order of the source.
    pub memory: ArrayVec<Region, MAX_MEMORY>,
    /// What of it firmware keeps, and what boot was handed over in.
    pub reserved: ArrayVec<Reserved, MAX_RESERVED>,
    /// The CPUs that are enabled, by the numbers that they know themselves by (`arch::cpu::own_id`), in the order of the source.
    pub cpus: ArrayVec<u64, MAX_CPUS>,
    /// The devices that the hypervisor itself uses.
    pub hardware: Hardware,
    /// Random bytes from firmware; empty if it gives none.
    pub rng_seed: ArrayVec<u8, MAX_SEED_BYTES>,
    /// A random number from firmware.
    pub kaslr_seed: Option<u64>,
    /// What was left out, for the boot log.
    pub notes: ArrayVec<Note, MAX_NOTES>,
}

impl<Hardware: Default, Note> Default for Facts<Hardware, Note> {
    fn default() -> Self {
        Facts {
            memory: ArrayVec::new(),
            reserved: ArrayVec::new(),
            cpus: ArrayVec::new(),
            hardware: Hardware::default(),
            rng_seed: ArrayVec::new(),
            kaslr_seed: None,
            notes: ArrayVec::new(),
        }
    }
}

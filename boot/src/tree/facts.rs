//! What a tree boils down to, in arrays of fixed size: a tree with more than fits is refused, notes excepted.

use super::fault::Note;
use arrayvec::ArrayVec;
use core::fmt;
use model::{GicVersion, Hpa};

/// Most ranges of RAM.
pub const MAX_MEMORY: usize = 16;
/// Most ranges that firmware reserves.
pub const MAX_RESERVED: usize = 32;
/// Most CPUs.
pub const MAX_CPUS: usize = 256;
/// Most regions of redistributors.
pub const MAX_REDISTRIBUTORS: usize = 16;
/// Most notes; what comes after them is dropped.
pub const MAX_NOTES: usize = 8;
/// Bytes of `rng-seed` that are used.
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

/// How PSCI is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// By `smc`, to EL3.
    Smc,
    /// By `hvc`, to a hypervisor below this one; no use at EL2.
    Hvc,
}

/// PSCI 0.2 or later, which has fixed function numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Psci {
    /// How it is called.
    pub conduit: Conduit,
    /// Major and minor version as the tree has it; PSCI_VERSION tells the truth.
    pub version: (u8, u8),
}

/// The interrupt controller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum Gic {
    /// GICv2 with the virtualisation extensions.
    V2 {
        /// GICD.
        distributor: Region,
        /// GICC.
        cpu_interface: Region,
        /// GICH; `None` if the tree has none, and then there is no virtualisation.
        hypervisor_interface: Option<Region>,
        /// GICV, as above.
        virtual_cpu_interface: Option<Region>,
        /// INTID of the maintenance interrupt.
        maintenance: Option<u32>,
    },
    /// GICv3 or v4.
    V3 {
        /// GICD.
        distributor: Region,
        /// Where redistributors are, in any order: walk them by GICR_TYPER.
        redistributors: ArrayVec<Region, MAX_REDISTRIBUTORS>,
        /// `redistributor-stride`: bytes from one to the next, if that is not what GICR_TYPER implies.
        stride_bytes: Option<u64>,
        /// INTID of the maintenance interrupt.
        maintenance: Option<u32>,
    },
}

impl Gic {
    /// Its architecture.
    pub fn version(&self) -> GicVersion {
        match self {
            Gic::V2 { .. } => GicVersion::V2,
            Gic::V3 { .. } => GicVersion::V3,
        }
    }
}

/// INTIDs of the generic timer's interrupts (binding `arm,armv8-timer`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timers {
    /// CNTPS, secure physical.
    pub secure: Option<u32>,
    /// CNTP, non-secure EL1 physical.
    pub physical: Option<u32>,
    /// CNTV, virtual.
    pub virtual_: Option<u32>,
    /// CNTHP, EL2 physical.
    pub hypervisor: Option<u32>,
}

/// The UART that `/chosen/stdout-path` names: a PL011.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uart {
    /// Registers.
    pub registers: Region,
    /// INTID.
    pub intid: Option<u32>,
}

/// All that Ostler wants to know of the board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// RAM, in the order of the tree.
    pub memory: ArrayVec<Region, MAX_MEMORY>,
    /// What of it firmware keeps, `/memreserve/` first.
    pub reserved: ArrayVec<Reserved, MAX_RESERVED>,
    /// Affinities (MPIDR_EL1 without its flags) of the CPUs that are enabled, in the order of the tree.
    pub cpus: ArrayVec<u64, MAX_CPUS>,
    /// How CPUs are started.
    pub psci: Option<Psci>,
    /// The interrupt controller.
    pub gic: Option<Gic>,
    /// The generic timer's interrupts.
    pub timers: Timers,
    /// The console.
    pub console: Option<Uart>,
    /// The first bytes of `/chosen/rng-seed`; empty if there is none.
    pub rng_seed: ArrayVec<u8, MAX_SEED_BYTES>,
    /// `/chosen/kaslr-seed`.
    pub kaslr_seed: Option<u64>,
    /// What was left out, for the boot log.
    pub notes: ArrayVec<Note, MAX_NOTES>,
}

//! What a tree says of the devices that the hypervisor itself uses.

use arrayvec::ArrayVec;
use model::GicVersion;

use super::fault::Note;
use crate::facts::{self, Region};

/// Most regions of redistributors.
pub const MAX_REDISTRIBUTORS: usize = 16;

/// All that Ostler wants to know of the board.
pub type Facts = facts::Facts<Hardware, Note>;

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

impl Uart {
    /// What `arch::uart::Uart::new` takes.
    pub fn address(&self) -> u64 {
        self.registers.start.0
    }

    /// Its registers, if they are memory.
    pub fn registers(&self) -> Option<&Region> {
        Some(&self.registers)
    }

    /// The number of its interrupt.
    pub fn interrupt(&self) -> Option<u32> {
        self.intid
    }
}

/// The devices that the hypervisor itself uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardware {
    /// How CPUs are started.
    pub psci: Option<Psci>,
    /// The interrupt controller.
    pub gic: Option<Gic>,
    /// The generic timer's interrupts.
    pub timers: Timers,
    /// The console.
    pub console: Option<Uart>,
}

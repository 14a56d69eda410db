//! What was assembled: the system as a whole and the board that it was assembled for.

use crate::{Region, Vm};

/// A whole system: the root of the `static`s that `config` emits and `hypervisor` runs.
#[derive(Debug)]
pub struct System {
    /// Ostler's version, as in `Cargo.toml`.
    pub version: &'static str,
    /// The git commit it was built from, `-dirty` appended when the tree was not clean; `unknown` without git.
    pub git: &'static str,
    /// SHA-256 over the configuration: the board, every qvm file and every environment value that was used.
    pub configuration: [u8; 32],
    /// The board that the assembler checked everything against.
    pub board: Board,
    /// The virtual machines, in the order of their files.
    pub vms: &'static [Vm],
}

/// What the assembler took for granted about the board; boot compares it with the board's own device tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Name of the folder under `boards/`.
    pub name: &'static str,
    /// The interrupt controller's architecture.
    pub controller: Controller,
    /// Number of pCPUs that the configuration relies on.
    pub cpus: u32,
    /// Bytes of RAM that the configuration relies on.
    pub memory_bytes: u64,
    /// What it does when the hypervisor itself has failed.
    pub on_failure: OnFailure,
    /// Pieces of RAM that Ostler leaves alone.
    pub regions: &'static [Region],
}

/// What a board does when the hypervisor itself has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// It starts again.
    #[default]
    Reset,
    /// It stands still, for whoever wants to look at it.
    Halt,
}

impl OnFailure {
    /// All that there are, with the words for them.
    pub const ALL: [(&'static str, OnFailure); 2] = [("reset", OnFailure::Reset), ("halt", OnFailure::Halt)];

    /// What `word` means, if it is one of [`OnFailure::ALL`].
    pub fn from_word(word: &str) -> Option<OnFailure> {
        OnFailure::ALL.into_iter().find(|(name, _)| *name == word).map(|(_, action)| action)
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            OnFailure::Reset => "reset",
            OnFailure::Halt => "halt",
        }
    }
}

/// Architecture of an interrupt controller, real or virtual; and so of the CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// Arm's, by its version.
    Gic(GicVersion),
    /// x86's: local APICs and I/O APICs.
    Apic,
}

impl core::fmt::Display for Controller {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Controller::Gic(version) => version.fmt(f),
            Controller::Apic => f.write_str("APIC"),
        }
    }
}

/// Architecture of a GIC, real or virtual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GicVersion {
    /// GICv2: memory-mapped CPU interface, at most 8 CPUs.
    V2,
    /// GICv3 or v4: system-register CPU interface.
    V3,
}

impl GicVersion {
    /// The version of this number, if there is one that Ostler knows.
    pub const fn from_number(number: u32) -> Option<GicVersion> {
        match number {
            2 => Some(GicVersion::V2),
            3 => Some(GicVersion::V3),
            _ => None,
        }
    }

    /// The version's number.
    pub const fn number(self) -> u32 {
        match self {
            GicVersion::V2 => 2,
            GicVersion::V3 => 3,
        }
    }

    /// Most vCPUs that one VM can have with it: GICv2 has a byte of CPU targets (IHI 0048 section 1.3), GICv3 as many as
    /// the virtual one keeps in a word.
    pub const fn max_vcpus(self) -> u32 {
        match self {
            GicVersion::V2 => 8,
            GicVersion::V3 => 32,
        }
    }
}

impl core::fmt::Display for GicVersion {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "GICv{}", self.number())
    }
}

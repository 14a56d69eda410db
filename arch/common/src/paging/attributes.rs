//! What a mapping allows, and what is behind it: the same words for both CPUs.

use model::MemoryType;

/// What the hypervisor may do with a range of its own addresses. Nothing is both writable and executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage1Attributes {
    /// Instructions: read and execute.
    Text,
    /// Constants: read.
    ReadOnly,
    /// Data: read and write.
    ReadWrite,
    /// Device registers: read and write, not gathered, not reordered.
    Device,
}

/// What a guest may do with a range of guest-physical addresses, besides reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage2Attributes {
    /// What is behind it.
    pub kind: MemoryType,
    /// Stores.
    pub write: bool,
    /// Instruction fetches. Never with [`MemoryType::Device`].
    pub execute: bool,
}

impl Stage2Attributes {
    /// `ram`: everything.
    pub const RAM: Stage2Attributes = Stage2Attributes { kind: MemoryType::Cached, write: true, execute: true };
    /// `rom`: read and execute.
    pub const ROM: Stage2Attributes = Stage2Attributes { write: false, ..Stage2Attributes::RAM };
    /// Registers of a device that is the guest's own: read and write, never execute.
    pub const DEVICE: Stage2Attributes = Stage2Attributes { kind: MemoryType::Device, write: true, execute: false };

    /// Those of what a VM has of the board.
    pub const fn of(pass: &model::Pass) -> Stage2Attributes {
        let execute = pass.execute && !matches!(pass.kind, MemoryType::Device);
        Stage2Attributes { kind: pass.kind, write: pass.write, execute }
    }
}

impl Stage2Attributes {
    /// All that there are.
    pub const ALL: &[Stage2Attributes] = &{
        use MemoryType::{Cached, Device, Uncached};
        const fn of(kind: MemoryType, write: bool, execute: bool) -> Stage2Attributes {
            Stage2Attributes { kind, write, execute }
        }
        [
            of(Cached, true, true),
            of(Cached, true, false),
            of(Cached, false, true),
            of(Cached, false, false),
            of(Uncached, true, true),
            of(Uncached, true, false),
            of(Uncached, false, true),
            of(Uncached, false, false),
            of(Device, true, false),
            of(Device, false, false),
        ]
    };
}

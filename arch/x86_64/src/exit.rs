//! What a slow exit asks of the loop.
#![forbid(unsafe_code)]

use core::fmt;

pub use arch_common::exit::{At, Kind, Outcome};
use model::Gpa;

/// A start-up IPI to a vCPU that waits for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartUp {
    /// The vCPU.
    pub vcpu: u32,
    /// Where it starts, in pages.
    pub page: u8,
}

/// Why [`crate::Vcpu::run`] returned. A call is a start-up IPI.
pub type Exit = arch_common::exit::Exit<StartUp, (), Unsupported>;

/// A load or store where no memory is, or at a port. What it is part of is the vCPU's to know.
pub type Access = arch_common::exit::Access<()>;

/// An event without emulation. `unsupported` in the VM's file decides what becomes of it.
#[derive(Clone, Copy, Debug)]
pub enum Unsupported {
    /// An instruction that touches what is not memory, and that nobody emulates.
    Instruction {
        /// Where it touches.
        gpa: Gpa,
        /// Its bytes; zero if it could not be read, and short of a byte if it is 0.
        length: u8,
    },
    /// A store to memory that does not allow it, a fetch from where no memory is, a table of the guest's own there, or an interrupt's
    /// descriptor or stack.
    Access {
        /// Where.
        gpa: Gpa,
        /// A fetch.
        is_fetch: bool,
        /// On the walk of the guest's own tables.
        on_table_walk: bool,
        /// While an event was delivered: the descriptor's, or on the stack.
        in_delivery: bool,
        /// Bytes of the instruction, if it can be skipped.
        length: u8,
    },
    /// A model-specific register.
    Register {
        /// Which one.
        register: u32,
        /// WRMSR.
        is_write: bool,
    },
}

impl Unsupported {
    /// Which line of `unsupported` it is for.
    pub const fn kind(&self) -> Kind {
        match self {
            Unsupported::Instruction { .. } => Kind::Instruction,
            Unsupported::Access { .. } => Kind::Reference,
            Unsupported::Register { .. } => Kind::Register,
        }
    }

    /// What the guest tried, in words, and the number that they are about.
    pub const fn what(&self) -> (&'static str, u64) {
        match *self {
            Unsupported::Instruction { gpa, .. } => ("instruction that nobody emulates, at", gpa.0),
            Unsupported::Access { gpa, is_fetch: true, .. } => ("fetch from", gpa.0),
            Unsupported::Access { gpa, on_table_walk: true, .. } => ("page table at", gpa.0),
            Unsupported::Access { gpa, in_delivery: true, .. } => ("delivery of an event by way of", gpa.0),
            Unsupported::Access { gpa, .. } => ("store to", gpa.0),
            Unsupported::Register { register, is_write: true } => ("write of model-specific register", register as u64),
            Unsupported::Register { register, .. } => ("read of model-specific register", register as u64),
        }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (action, what) = self.what();
        write!(f, "{action} {what:#x}")
    }
}

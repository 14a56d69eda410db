//! What a slow exit asks of the loop.

use core::fmt;

pub use arch_common::exit::{At, Kind, Outcome};
use model::Gpa;

use crate::syndrome::{SysReg, Transfer};

/// Why [`crate::Vcpu::run`] returned. A call is x0 to x3 of HVC or SMC, with the PC behind the instruction already.
pub type Exit = arch_common::exit::Exit<[u64; 4], Transfer, Unsupported>;

/// A load or store of one register at an address that is not memory.
pub type Access = arch_common::exit::Access<Transfer>;

/// An event without emulation. `unsupported` in the VM's file decides what becomes of it.
#[derive(Clone, Copy, Debug)]
pub enum Unsupported {
    /// A trapped instruction: its syndrome.
    Instruction(u64),
    /// A load, store or fetch that the syndrome does not describe, or of memory that does not allow it.
    Access {
        /// Where.
        gpa: Gpa,
        /// A fetch.
        is_fetch: bool,
        /// On the walk of the guest's own tables.
        on_table_walk: bool,
        /// Without description: not a reference to nothing but an instruction that cannot be emulated.
        is_instruction: bool,
    },
    /// A system register.
    Register {
        /// Which one.
        register: SysReg,
        /// Where a read's result goes; `None` for a write.
        target: Option<u8>,
    },
}

impl Unsupported {
    /// Which line of `unsupported` it is for.
    pub const fn kind(&self) -> Kind {
        match self {
            Unsupported::Instruction(_) | Unsupported::Access { is_instruction: true, .. } => Kind::Instruction,
            Unsupported::Access { .. } => Kind::Reference,
            Unsupported::Register { .. } => Kind::Register,
        }
    }

    /// What the guest tried, in words, and the number that they are about.
    pub const fn what(&self) -> (&'static str, u64) {
        match *self {
            Unsupported::Instruction(syndrome) => ("instruction with syndrome", syndrome),
            Unsupported::Access { gpa, is_fetch: true, .. } => ("fetch from", gpa.0),
            Unsupported::Access { gpa, .. } => ("access to", gpa.0),
            Unsupported::Register { register, .. } => ("system register", register.bits() as u64),
        }
    }
}

/// As its manual has it.
impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsupported::Register { register, .. } => write!(f, "system register {register}"),
            _ => {
                let (action, what) = self.what();
                write!(f, "{action} {what:#x}")
            }
        }
    }
}

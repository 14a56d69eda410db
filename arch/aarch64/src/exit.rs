//! What a slow exit asks of the loop.

use model::Gpa;

use crate::syndrome::{SysReg, Transfer};

/// Why [`crate::Vcpu::run`] returned. All of these are about the vCPU that ran, with its registers complete.
#[derive(Clone, Copy, Debug)]
pub enum Exit {
    /// Another pCPU rang: look at what it left.
    Kicked,
    /// An interrupt of the board's own, acknowledged and with its priority dropped, not deactivated.
    Interrupt(u32),
    /// HVC or SMC with x0 to x3. The PC is behind the instruction already.
    Call([u64; 4]),
    /// A load or store where no memory is.
    Memory(MemoryAccess),
    /// The guest waits for an interrupt, and the pCPU is shared. The PC is behind the instruction already.
    WaitForInterrupt,
    /// The guest waits for another CPU's event, and the pCPU is shared. The PC is behind the instruction already.
    WaitForEvent,
    /// Before the guest goes on, all of its memory has to be cleaned and invalidated to the point of coherency. The PC is behind
    /// the instruction already.
    CleanMemory,
    /// Something that cannot be emulated.
    Unsupported(Unsupported),
    /// An asynchronous external abort that the guest caused: hardware that it reached refused.
    SystemError {
        /// ESR_EL2.
        syndrome: u64,
    },
}

/// A load or store of one register at an address that is not memory. Answer a load by
/// [`crate::Vcpu::finish_load`], a store by [`crate::Vcpu::skip`].
#[derive(Clone, Copy, Debug)]
pub struct MemoryAccess {
    /// Where.
    pub gpa: Gpa,
    /// 1, 2, 4 or 8.
    pub size_bytes: u8,
    /// The value of a store; `None` for a load.
    pub store: Option<u64>,
    /// How the register takes a load's value.
    pub transfer: Transfer,
}

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

//! What a vCPU's exit asks of the loop, in words that both CPUs share. What a CPU says besides is its own type.

use model::{Gpa, Start};

/// Why `Vcpu::run` returned. All of these are about the vCPU that ran, with its registers complete.
#[derive(Clone, Copy, Debug)]
pub enum Exit<C, T, U> {
    /// Another pCPU rang: look at what it left.
    Kicked,
    /// An interrupt of the board's own, taken and not yet done with.
    Interrupt(u32),
    /// The guest calls its firmware, or starts another vCPU: `Vcpu::answer` does what can be done without the loop.
    Call(C),
    /// A load or store where no memory is, or at a port.
    Access(Access<T>),
    /// The guest waits for an interrupt, and the pCPU is shared. The PC is behind the instruction already.
    WaitForInterrupt,
    /// The guest waits for another CPU's doing, and the pCPU is shared. The PC is behind the instruction already.
    WaitForEvent,
    /// Before the guest goes on, all of its memory has to be cleaned and invalidated to the point of coherency. The PC is behind
    /// the instruction already. (arm64)
    CleanMemory,
    /// Another vCPU has turned it off (x86's INIT).
    TurnedOff,
    /// Something that cannot be emulated.
    Unsupported(U),
    /// The guest's own doing that leaves nothing to go on with: it is stopped.
    Failed {
        /// What it was, in words.
        action: &'static str,
        /// The number that tells more.
        what: u64,
    },
}

/// A load or store of one register's worth where no memory is. Answer a load by `Vcpu::finish_load`, a store by
/// `Vcpu::finish_store`, either by `Vcpu::refuse`.
#[derive(Clone, Copy, Debug)]
pub struct Access<T> {
    /// Where.
    pub at: At,
    /// 1, 2, 4 or 8.
    pub size_bytes: u8,
    /// The value of a store; `None` for a load.
    pub store: Option<u64>,
    /// How a load's value is taken.
    pub transfer: T,
}

/// Where an access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Guest-physical memory.
    Memory(Gpa),
    /// A port of x86's.
    Port(u16),
}

impl At {
    /// The address, as a number.
    pub const fn number(self) -> u64 {
        match self {
            At::Memory(gpa) => gpa.0,
            At::Port(port) => port as u64,
        }
    }
}

/// What an event without emulation is, by the words of qvm's `unsupported`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `instruction`.
    Instruction,
    /// `register`.
    Register,
    /// `reference`.
    Reference,
}

/// What the loop does about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: the guest has its answer.
    Done,
    /// Starts `vcpu`, which is off, and tells how that went by `Vcpu::called`. No other vCPU gets this for the same one until that is
    /// off again.
    TurnOn {
        /// Its number in the VM.
        vcpu: u32,
        /// How.
        start: Start,
    },
    /// The calling vCPU ends here.
    TurnOff,
    /// It waits for an interrupt; it has its answer.
    Suspend,
    /// The VM powers off.
    PowerOff,
    /// The VM resets.
    Reset,
}

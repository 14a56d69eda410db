//! Why a VM stopped, and the exit code that qvm would have ended with.

use crate::Gpa;

/// The reason that a VM is not running any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The guest powered itself off.
    PowerOff,
    /// The guest asked for a reset: the VM starts again (in qvm it ends, with code 0, and a supervisor starts it again).
    Reset,
    /// `unsupported … abort`, or an event that has no architected answer.
    Unsupported {
        /// vCPU that caused it.
        vcpu: u32,
        /// Its program counter.
        pc: u64,
        /// Address or encoding at fault.
        what: u64,
        /// What it tried, in words.
        action: &'static str,
    },
    /// A watchdog of the guest's bit: nobody fed it in time.
    Watchdog,
    /// It was cut off from outside, as by pulling the power cord: it did not power off in time when it was asked to.
    PowerCut,
    /// A vCPU made no progress for `set ostler-progress-timeout`.
    NoProgress {
        /// Which one.
        vcpu: u32,
        /// Where it was found last.
        pc: u64,
    },
    /// It is stopped to start again together with this VM of its restart group.
    Group(&'static str),
    /// This VM, with `set ostler-board-stop`, has ended.
    Board(&'static str),
    /// Memory of the guest that the hypervisor had to use was not there.
    BadMemory {
        /// The address.
        gpa: Gpa,
    },
    /// The guest could not be started (qvm: fatal before guest start).
    NotStarted(&'static str),
}

impl StopReason {
    /// The vCPU whose state tells most about a failure; `None` if the end was no failure of the guest's.
    pub const fn culprit(&self) -> Option<u32> {
        match self {
            StopReason::Unsupported { vcpu, .. } | StopReason::NoProgress { vcpu, .. } => Some(*vcpu),
            StopReason::Watchdog | StopReason::BadMemory { .. } => Some(0),
            StopReason::PowerOff
            | StopReason::Reset
            | StopReason::PowerCut
            | StopReason::Group(_)
            | StopReason::Board(_)
            | StopReason::NotStarted(_) => None,
        }
    }

    /// qvm's exit code for the same end (QNX Hypervisor user's guide, "qvm" exit codes).
    pub const fn code(&self) -> u8 {
        match self {
            // Nothing failed in a VM that is stopped for another one's sake.
            StopReason::PowerOff | StopReason::Reset | StopReason::Group(_) | StopReason::Board(_) => 0,
            StopReason::PowerCut => 3,
            // The progress watch is a watchdog that the guest need not know of.
            StopReason::Watchdog | StopReason::NoProgress { .. } => 4,
            StopReason::Unsupported { .. } => 5,
            StopReason::BadMemory { .. } => 96,
            StopReason::NotStarted(_) => 64,
        }
    }

    /// Whether it is the end whatever the VM's policy says: somebody outside wants it gone.
    pub const fn is_final(&self) -> bool {
        matches!(self, StopReason::PowerCut | StopReason::Board(_))
    }
}

impl core::fmt::Display for StopReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            StopReason::PowerOff => f.write_str("the guest powered off"),
            StopReason::Reset => f.write_str("the guest asked for a reset"),
            StopReason::Unsupported { vcpu, pc, what, action } => {
                write!(f, "unsupported: {action} {what:#x} by vCPU {vcpu} at pc {pc:#x}")
            }
            StopReason::Watchdog => f.write_str("its watchdog was not fed in time"),
            StopReason::PowerCut => f.write_str("its power was cut"),
            StopReason::NoProgress { vcpu, pc } => write!(f, "vCPU {vcpu} made no progress, last at pc {pc:#x}"),
            StopReason::Group(name) => write!(f, "{name} of its group starts again"),
            StopReason::Board(name) => write!(f, "{name} has ended, and the board with it"),
            StopReason::BadMemory { gpa } => write!(f, "no guest memory at {gpa}"),
            StopReason::NotStarted(why) => write!(f, "not started: {why}"),
        }
    }
}

//! The words of the house as plain data: addresses, interrupts, images, what a VM is, why it stopped.
//!
//! Every room speaks these types and none of them does anything of note, so that the host-side assembler
//! (`config`) and the program on the board (`hypervisor`) cannot drift apart: the assembler emits `static`s
//! of exactly these types and the hypervisor runs them. No type here owns memory; lists are `'static` slices.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod address;
mod board;
mod guest;
pub mod images;
mod interrupt;
mod life;
mod machine;
mod pass;
mod restart;
mod stop;
mod unsupported;

pub use address::{Extent, Gpa, Hpa, PAGE_BYTES};
pub use board::{Board, Controller, GicVersion, OnFailure, System};
pub use guest::{
    Access, Console, Counter, Cpu, Direction, ExitBudget, Gic, Load, Memory, POWER_KEY_LINE, PciFunction, Policy,
    STOLEN_TIME_BYTES, Seed, VCPUS_PER_PCPU, Vdev, VdevKind, Vm, affinity, mpidr,
};
pub use interrupt::Irq;
pub use life::{State, Step};
pub use machine::{Machine, Pc, Place, Ports, Start};
pub use pass::{MemoryType, Pass, PassedInterrupt, Region, Trigger};
pub use restart::{Restart, When};
pub use stop::StopReason;
pub use unsupported::{Action, Unsupported};

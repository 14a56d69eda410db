//! The board's interrupts that mean something to the hypervisor, by the names that they have on every CPU.

pub use crate::intid::{HYP_TIMER as ALARM, KICK, STOP};

/// Lower INTIDs are a CPU's own.
const FIRST_SHARED: u32 = 32;

/// Whether `number` comes from outside of the CPU.
pub const fn is_shared(number: u32) -> bool {
    number >= FIRST_SHARED
}

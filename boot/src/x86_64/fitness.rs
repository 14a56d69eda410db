//! Whether the board's interrupt controllers are what was assumed of them.

use core::fmt;

use model::{Board, Controller};

use super::Facts;

/// See [`installed_bytes`].
const KEPT_BYTES: u64 = 2 << 20;

/// What differs, with both values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Another interrupt controller, and so other CPUs.
    Controller {
        /// As assembled.
        expected: Controller,
    },
    /// There is no I/O APIC.
    NoIoApic,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Controller { expected } => write!(f, "expected a {expected}, found a PC's"),
            Misfit::NoIoApic => f.write_str("expected an I/O APIC, found none"),
        }
    }
}

/// Bytes of RAM that the board has, as far as it tells. A PC's memory map has holes where firmware keeps some for itself and where the
/// first PCs had their devices: less than [`KEPT_BYTES`], in whole multiples of which RAM comes.
pub fn installed_bytes(facts: &Facts) -> u64 {
    let told = facts.memory.iter().fold(0_u64, |sum, region| sum.saturating_add(region.size_bytes));
    told.checked_next_multiple_of(KEPT_BYTES).unwrap_or(told)
}

/// Compares the board's hardware with what was assumed of it.
pub fn fits(assumed: &Board, facts: &Facts) -> Result<(), Misfit> {
    if assumed.controller != Controller::Apic {
        return Err(Misfit::Controller { expected: assumed.controller });
    }
    if facts.hardware.board.controller.io_apics.is_empty() {
        return Err(Misfit::NoIoApic);
    }
    Ok(())
}

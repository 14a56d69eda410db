//! The FADT (5.2.9): where power management's registers are.

use arch_x86_64::board::PmTimer;

use super::super::hardware::Facts;
use super::super::physical::{u8_at, u32_at, u64_at};
use super::port;

/// Flags: the timer has 32 bits; RESET_REG is there; none of the old registers are.
const TMR_VAL_EXT: u32 = 1 << 8;
const RESET_REG_SUP: u32 = 1 << 10;
const HW_REDUCED_ACPI: u32 = 1 << 20;

/// Reads it; the address of the DSDT.
pub(super) fn read(facts: &mut Facts, fadt: &[u8]) -> Option<u64> {
    let flags = u32_at(fadt, 112).unwrap_or(0);
    // The 64-bit fields came with ACPI 2.0; where they are not there or zero, the old ones count.
    let old = |offset| u32_at(fadt, offset).filter(|&at| at != 0);
    let block =
        |extended, old_offset| port(fadt, extended).or_else(|| old(old_offset).and_then(|at| u16::try_from(at).ok()));
    let board = &mut facts.hardware.board;
    if flags & HW_REDUCED_ACPI == 0 {
        board.power.pm1a_control = block(172, 64);
        board.power.pm1b_control = block(184, 68);
        board.power.enable = match (old(48).and_then(|at| u16::try_from(at).ok()), u8_at(fadt, 52)) {
            (Some(port), Some(value @ 1..)) => Some((port, value)),
            _ => None,
        };
        let is_wide = flags & TMR_VAL_EXT != 0;
        board.pm_timer = block(208, 76).map(|port| PmTimer { port, is_wide });
    }
    if flags & RESET_REG_SUP != 0 {
        board.power.reset = port(fadt, 116).zip(u8_at(fadt, 128));
    }
    if board.power.pm1a_control.is_none() {
        facts.note("FADT", "it has no PM1a control register at a port: the board can't be powered off");
    }
    u64_at(fadt, 140).filter(|&at| at != 0).or_else(|| old(40).map(u64::from))
}

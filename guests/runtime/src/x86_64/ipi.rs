//! Interrupts from CPU to CPU: the local APIC's, by vectors that guests use for nothing else.

use super::apic::{self, Target};
pub use super::apic::{open, open_cpu};

/// The first one's number. As on arm64 there are 16.
pub const FIRST: u32 = 0x60;

/// Sends `number` to the CPU `id`.
pub fn send(number: u32, id: u64) {
    apic::send(number, Target::Cpu(id));
}

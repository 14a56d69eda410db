//! Random numbers by the CPU, for the seeds of guests.

use core::arch::asm;

use crate::registers::cpuid;

/// Tries before a generator that has nothing is given up (SDM volume 1, 7.3.17.1, asks for ten).
const TRIES: u32 = 10;

/// A random number by RDRAND; `None` if the CPU has no such instruction, or it has nothing.
pub fn number() -> Option<u64> {
    // APM volume 3, CPUID Fn0000_0001 ECX, bit 30.
    let [_, _, features, _] = cpuid(1, 0);
    if features & 1 << 30 == 0 {
        return None;
    }
    (0..TRIES).find_map(|_| {
        let (value, is_random): (u64, u8);
        // SAFETY: the instruction is there; it changes a register and flags.
        unsafe { asm!("rdrand {}", "setc {}", out(reg) value, out(reg_byte) is_random, options(nomem, nostack)) };
        (is_random != 0).then_some(value)
    })
}

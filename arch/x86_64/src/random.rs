//! Random numbers by the CPU, for the seeds of guests.

use x86_64::instructions::random::RdRand;

/// Tries before a generator that has nothing is given up (SDM volume 1, 7.3.17.1, asks for ten).
const TRIES: u32 = 10;

/// A random number by RDRAND; `None` if the CPU has no such instruction, or it has nothing.
pub fn number() -> Option<u64> {
    let generator = RdRand::new()?;
    (0..TRIES).find_map(|_| generator.get_u64())
}

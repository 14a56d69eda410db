//! Memory that nobody else may touch: filled with a pattern once, and looked at with every heartbeat.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::Verdict;

/// 256 KiB, all of it zero in the image's `.bss`.
static MEMORY: [AtomicU64; 1 << 15] = [const { AtomicU64::new(0) }; 1 << 15];

/// A value that says where it belongs.
fn pattern(index: usize) -> u64 {
    (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

/// The pattern goes in; before it, there was nothing.
pub(super) fn fill() -> Verdict {
    if MEMORY.iter().any(|word| word.load(Relaxed) != 0) {
        return Err("memory was not zero to begin with");
    }
    MEMORY.iter().enumerate().for_each(|(index, word)| word.store(pattern(index), Relaxed));
    Ok(())
}

/// The pattern is still there.
pub(super) fn check() -> Verdict {
    match MEMORY.iter().enumerate().all(|(index, word)| word.load(Relaxed) == pattern(index)) {
        true => Ok(()),
        false => Err("somebody wrote to memory that is this guest's own"),
    }
}

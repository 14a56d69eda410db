//! What is kept of the board after boot, and how it ends.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::firmware;

/// Memory that boot left over. Nothing is allocated afterwards, so it stays as it is.
static FREE_BYTES: AtomicU64 = AtomicU64::new(0);

/// Keeps how much of the board's memory boot left over.
pub fn set_free_bytes(bytes: u64) {
    FREE_BYTES.store(bytes, Ordering::Relaxed);
}

/// Bytes of the board's memory that nobody has.
pub fn free_bytes() -> u64 {
    FREE_BYTES.load(Ordering::Relaxed)
}

/// Ends the board: powers it off if all went well, resets it otherwise. A board whose firmware can do neither, or is
/// not known yet, halts.
pub fn end(well: bool) -> ! {
    if well { firmware::power_off() } else { firmware::reset() }
}

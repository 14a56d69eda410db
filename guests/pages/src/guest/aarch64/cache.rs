//! Cache maintenance by address (DDI 0487, D7.5.9), on ranges of whole lines.

use core::arch::asm;
use guest_runtime::machine::Range;
use guest_runtime::read_register;

/// Bytes of the smallest data-cache line (CTR_EL0.DminLine).
pub(super) fn line() -> u64 {
    4 << (read_register!("ctr_el0") >> 16 & 0xf)
}

/// Forgets what caches hold of a range that was only written with the MMU off: that went to memory, and anything in a
/// cache is older.
pub(super) fn invalidate(range: Range) {
    for address in (range.base..range.base + range.bytes).step_by(line() as usize) {
        // SAFETY: the caller's range was written behind the cache's back, so nothing that Rust stored is lost.
        unsafe { asm!("dc ivac, {}", in(reg) address, options(nostack, preserves_flags)) };
    }
    // SAFETY: barriers change no state.
    unsafe { asm!("dsb sy", options(nostack, preserves_flags)) };
}

/// Makes what was stored at `address`, within one line, the instructions that are fetched there (DDI 0487, B2.4.4).
pub(super) fn publish_code(address: u64) {
    // SAFETY: cleans and invalidates caches, which loses nothing.
    unsafe {
        asm!("dc cvau, {address}", "dsb ish", "ic ivau, {address}", "dsb ish", "isb", address = in(reg) address,
            options(nostack, preserves_flags));
    }
}

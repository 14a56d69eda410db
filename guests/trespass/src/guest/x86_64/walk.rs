//! Page tables that lie where the guest has no memory.
//!
//! The lower half of the address space stays as it is; the upper half's first entry leads to the table that is not there. So the walk
//! of a load in the upper half faults, and the program goes on.

use super::probes;
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::exceptions::Exception;
use guest_runtime::mmio::read64;
use guest_runtime::read_control;

/// A table of 512 entries (APM volume 2, 5.3.3: here of the fourth level).
#[repr(C, align(4096))]
struct Table([AtomicU64; 512]);

static TOP: Table = Table([const { AtomicU64::new(0) }; 512]);

/// The upper half's first entry, and its first address.
const UPPER_ENTRY: usize = 256;
const UPPER: u64 = 0xffff_8000_0000_0000;
/// Present and writable.
const PRESENT: u64 = 0b11;

/// Loads through a table at `table`, which `None` says is no whole page.
pub(in crate::guest) fn through(table: u64) -> Option<Result<u64, Exception>> {
    if !table.is_multiple_of(4096) {
        return None;
    }
    let old = read_control!("cr3");
    // The program's own tables are where they say.
    TOP.0[0].store(read64(old as usize), Relaxed);
    TOP.0[UPPER_ENTRY].store(table | PRESENT, Relaxed);
    set_tables(TOP.0.as_ptr() as u64);
    let result = probes::load(UPPER, 4);
    set_tables(old);
    Some(result)
}

fn set_tables(top: u64) {
    // SAFETY: both tables have the program where it is.
    unsafe { asm!("mov cr3, {}", in(reg) top, options(nostack, preserves_flags)) };
}

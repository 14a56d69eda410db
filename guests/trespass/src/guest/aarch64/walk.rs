//! Page tables that lie where the guest has no memory.
//!
//! The lower half of the address space gets a table of this program's own, in which all is where it was; the upper half
//! gets the table that is not there. So the walk of a load in the upper half faults, and the program goes on.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::exceptions::{Exception, attempt};
use guest_runtime::mmio::read32;
use guest_runtime::{read_register, write_register};

/// A table of 512 descriptors, each for 1 GiB (DDI 0487, D8.3: 4 KiB granule, level 1).
#[repr(C, align(4096))]
struct Table([AtomicU64; 512]);

static IDENTITY: Table = Table([const { AtomicU64::new(0) }; 512]);

/// A block: valid, access flag, attributes by index.
const BLOCK: u64 = 1 | 1 << 10;
/// Attribute 1.
const MEMORY: u64 = 1 << 2;
/// MAIR_EL1: attribute 0 is Device-nGnRnE; attribute 1 is Normal, not cacheable, as memory was with the MMU off: so
/// there is no cached copy to agree with.
const MAIR: u64 = 0x44 << 8;
/// TCR_EL1: 39 bits of address in both halves, 4 KiB granules, walks not cacheable, 40 bits of physical address.
const TCR: u64 = 25 | 25 << 16 | 0b10 << 30 | 0b010 << 32;
/// The lowest address of the upper half.
const UPPER: usize = 0xffff_ff80_0000_0000;
/// SCTLR_EL1.M.
const MMU: u64 = 1;

/// Loads through a table at `table`, which `None` says is no whole page.
pub(in crate::guest) fn through(table: u64) -> Option<Result<u64, Exception>> {
    if !table.is_multiple_of(4096) {
        return None;
    }
    // Devices in the first GiB, this program in the second.
    IDENTITY.0[0].store(BLOCK, Relaxed);
    IDENTITY.0[1].store(1 << 30 | BLOCK | MEMORY, Relaxed);
    write_register!("mair_el1", MAIR);
    write_register!("tcr_el1", TCR);
    write_register!("ttbr0_el1", IDENTITY.0.as_ptr() as u64);
    write_register!("ttbr1_el1", table);
    forget_translations();
    write_register!("sctlr_el1", read_register!("sctlr_el1") | MMU);
    let result = attempt(|| read32(UPPER).into());
    write_register!("sctlr_el1", read_register!("sctlr_el1") & !MMU);
    forget_translations();
    Some(result)
}

fn forget_translations() {
    // SAFETY: invalidates what the CPU remembers of tables, which it can read again.
    unsafe { asm!("dsb sy", "tlbi vmalle1", "dsb sy", "isb", options(nostack, preserves_flags)) };
}

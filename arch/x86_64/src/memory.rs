//! A guest's memory, as the hypervisor reaches it for what the CPU leaves to it: instructions, page tables, operands.
//!
//! A guest-physical address is looked up in the VM's list of memory and then in its nested tables, which say where that is; RAM and
//! ROM lie in the hypervisor's own map at their physical addresses. Guests write to it meanwhile: each access is one
//! instruction of the CPU's, and what was read is not read again.

use core::arch::asm;

use model::{Gpa, Hpa, PAGE_BYTES};

use crate::paging::{Stage2, Table, TableMemory};
use crate::walk::Tables;

/// The memory of one VM.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    table: Table<Stage2>,
    ranges: &'static [model::Memory],
}

/// Nested tables where they lie. Nothing is made here.
struct Nested;

impl TableMemory for Nested {
    fn allocate(&mut self, _pages: usize) -> Option<Hpa> {
        None
    }

    fn read(&self, entry: Hpa) -> u64 {
        // SAFETY: an entry of tables that assembly made and that nobody changes; they are in the map of the hypervisor's own.
        unsafe { core::ptr::with_exposed_provenance::<u64>(entry.0 as usize).read() }
    }

    fn write(&mut self, _entry: Hpa, _value: u64) {}
}

impl Memory {
    /// `ranges` of a VM whose nested tables are at `root`.
    pub(crate) fn new(root: Hpa, gpa_bits: u32, ranges: &'static [model::Memory]) -> Memory {
        Memory { table: Table::at(root, gpa_bits), ranges }
    }

    /// The root of the nested tables.
    pub(crate) fn root(&self) -> Hpa {
        self.table.root()
    }

    /// Where `gpa` is, if that is the guest's RAM, or ROM and not to be written.
    pub(crate) fn find(&self, gpa: Gpa, is_write: bool) -> Option<Hpa> {
        let range =
            self.ranges.iter().find(|range| gpa.offset_from(range.gpa).is_some_and(|at| at < range.size_bytes))?;
        if is_write && range.access != model::Access::ReadWrite {
            return None;
        }
        self.table.translate(&Nested, gpa.0)
    }

    /// Reads `bytes` (1, 2, 4, 8) at `gpa`, which do not cross a page.
    pub(crate) fn load(&self, gpa: Gpa, bytes: u8) -> Option<u64> {
        // SAFETY: memory of the guest's, at its own address.
        self.find(gpa, false).map(|hpa| unsafe { load(hpa.0, bytes) })
    }

    /// Writes the low `bytes` of `value` at `gpa`, which do not cross a page. False if that is no RAM.
    pub(crate) fn store(&self, gpa: Gpa, bytes: u8, value: u64) -> bool {
        let Some(hpa) = self.find(gpa, true) else { return false };
        // SAFETY: RAM of the guest's, at its own address.
        unsafe { store(hpa.0, bytes, value) };
        true
    }
}

/// Writes the low `bytes` (1, 2, 4, 8) of `value` at host address `at`, by one instruction.
///
/// # Safety
/// It is RAM of a guest's, in the hypervisor's map: what that has there is its own business.
#[inline]
pub(crate) unsafe fn store(at: u64, bytes: u8, value: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        match bytes {
            1 => asm!("mov [{}], {:l}", in(reg) at, in(reg_abcd) value, options(nostack, preserves_flags)),
            2 => asm!("mov [{}], {:x}", in(reg) at, in(reg) value, options(nostack, preserves_flags)),
            4 => asm!("mov [{}], {:e}", in(reg) at, in(reg) value, options(nostack, preserves_flags)),
            _ => asm!("mov [{}], {}", in(reg) at, in(reg) value, options(nostack, preserves_flags)),
        }
    }
}

/// Reads `bytes` (1, 2, 4, 8) at host address `at`, by one instruction.
///
/// # Safety
/// They are in the hypervisor's map.
#[inline]
pub(crate) unsafe fn load(at: u64, bytes: u8) -> u64 {
    let value: u64;
    // SAFETY: the caller's promise.
    unsafe {
        match bytes {
            1 => {
                asm!("movzx {:e}, byte ptr [{}]", out(reg) value, in(reg) at, options(nostack, preserves_flags, readonly))
            }
            2 => {
                asm!("movzx {:e}, word ptr [{}]", out(reg) value, in(reg) at, options(nostack, preserves_flags, readonly))
            }
            4 => asm!("mov {:e}, [{}]", out(reg) value, in(reg) at, options(nostack, preserves_flags, readonly)),
            _ => asm!("mov {}, [{}]", out(reg) value, in(reg) at, options(nostack, preserves_flags, readonly)),
        }
    }
    value
}

impl Tables for Memory {
    fn read(&self, gpa: Gpa, bytes: u8) -> Option<u64> {
        self.load(gpa, bytes)
    }

    fn replace(&self, gpa: Gpa, bytes: u8, old: u64, new: u64) -> bool {
        let Some(hpa) = self.find(gpa, true) else { return false };
        let found: u64;
        // SAFETY: an aligned word in RAM of the guest's; the walk aligns it. (APM volume 3, CMPXCHG.)
        unsafe {
            if bytes == 4 {
                asm!("lock cmpxchg [{at}], {new:e}", at = in(reg) hpa.0, new = in(reg) new, inout("rax") old => found, options(nostack));
            } else {
                asm!("lock cmpxchg [{at}], {new}", at = in(reg) hpa.0, new = in(reg) new, inout("rax") old => found, options(nostack));
            }
        }
        found == old
    }
}

/// Whether `bytes` at `address` cross into the next page.
#[inline]
pub(crate) const fn crosses_page(address: u64, bytes: u8) -> bool {
    (address & (PAGE_BYTES - 1)).wrapping_add(bytes as u64) > PAGE_BYTES
}

//! The direct map: all free RAM at its own address, and the only place that turns host-physical addresses into
//! pointers.
//!
//! The map holds the free memory of the board (read, write, never execute) and the image section (read only). What it
//! does not hold is the hypervisor itself, which is mapped once, at its link address, so that no page is writable in
//! one place and executable in another.

use core::mem::{align_of, size_of};
use core::sync::atomic::{AtomicU64, Ordering};

use arch::Place;
use arch::paging::TableMemory;
use arch::recorder::{RING_BYTES, Recorder};
use model::{Hpa, PAGE_BYTES};

use crate::memory::Pool;

/// Pages for the hypervisor's own tables. They are needed before there is a direct map to reach allocated ones by.
const TABLE_PAGES: usize = 64;

#[repr(C, align(4096))]
struct TablePages([[AtomicU64; 512]; TABLE_PAGES]);

/// Not zeroed by boot: [`OwnTables::allocate`] does.
#[unsafe(link_section = ".uninit")]
static OWN_TABLES: TablePages = TablePages([const { [const { AtomicU64::new(0) }; 512] }; TABLE_PAGES]);

/// Table memory in the hypervisor's own `.bss`.
pub struct OwnTables {
    /// Physical address of [`OWN_TABLES`].
    physical: u64,
    used: usize,
}

impl OwnTables {
    /// `bss_offset` is what must be added to a virtual address in `.bss` (wrapping) to get its physical one.
    pub fn new(bss_offset: u64) -> OwnTables {
        OwnTables { physical: (&raw const OWN_TABLES as u64).wrapping_add(bss_offset), used: 0 }
    }

    fn entry(&self, entry: Hpa) -> Option<&'static AtomicU64> {
        let index = usize::try_from(entry.0.checked_sub(self.physical)?).ok()?.checked_div(size_of::<AtomicU64>())?;
        OWN_TABLES.0.as_flattened().get(index)
    }
}

impl TableMemory for OwnTables {
    fn allocate(&mut self, pages: usize) -> Option<Hpa> {
        if pages != 1 {
            return None;
        }
        let page = OWN_TABLES.0.get(self.used)?;
        // SAFETY: a page of ours, mapped as writable Normal memory from the first tables on, that nobody uses yet.
        unsafe { arch::cpu::zero_pages(page.as_ptr() as u64, PAGE_BYTES) };
        let offset = PAGE_BYTES.checked_mul(self.used as u64)?;
        self.used = self.used.saturating_add(1);
        Some(Hpa(self.physical.checked_add(offset)?))
    }

    fn read(&self, entry: Hpa) -> u64 {
        self.entry(entry).map_or(0, |entry| entry.load(Ordering::Relaxed))
    }

    fn write(&mut self, entry: Hpa, value: u64) {
        if let Some(entry) = self.entry(entry) {
            entry.store(value, Ordering::Relaxed);
        }
    }
}

/// Memory from the pool, reached by the direct map.
pub struct Direct<'a>(pub &'a mut Pool);

impl Direct<'_> {
    /// Moves `value` into memory of its own, for good.
    pub fn place<T>(&mut self, value: T) -> Option<&'static mut T> {
        let at = self.0.allocate(size_of::<T>() as u64, align_of::<T>() as u64)?;
        let pointer = core::ptr::with_exposed_provenance_mut::<T>(usize::try_from(at.0).ok()?);
        // SAFETY: the pool gives each page out once; it is direct-mapped, aligned and large enough; nobody else has it.
        unsafe {
            pointer.write(value);
            Some(&mut *pointer)
        }
    }

    /// A list of `count` values, each made from its index.
    pub fn place_list<T>(
        &mut self,
        count: usize,
        mut make: impl FnMut(&mut Self, usize) -> Option<T>,
    ) -> Option<&'static mut [T]> {
        let size = size_of::<T>().checked_mul(count)?;
        if size == 0 {
            return Some(&mut []);
        }
        let at = self.0.allocate(size as u64, align_of::<T>() as u64)?;
        let pointer = core::ptr::with_exposed_provenance_mut::<T>(usize::try_from(at.0).ok()?);
        for index in 0..count {
            let value = make(self, index)?;
            // SAFETY: as in `place`; `index` is below `count`, for which there is room.
            unsafe { pointer.add(index).write(value) };
        }
        // SAFETY: all `count` elements were written above.
        Some(unsafe { core::slice::from_raw_parts_mut(pointer, count) })
    }

    /// A pCPU's flight recorder.
    pub fn recorder(&mut self) -> Option<Recorder> {
        let ring = self.zeroed(RING_BYTES, RING_BYTES.checked_mul(2)?)?;
        // SAFETY: zeroed, aligned as it has to be, direct-mapped for good, and nobody else's.
        Some(unsafe { Recorder::new(ring.0) })
    }

    /// `size` zeroed bytes at a multiple of `align`; both are rounded up to pages.
    pub fn zeroed(&mut self, size: u64, align: u64) -> Option<Hpa> {
        let at = self.0.allocate(size, align)?;
        // SAFETY: pages that the pool gave to us alone, direct-mapped as writable Normal memory.
        unsafe { arch::cpu::zero_pages(at.0, size.checked_next_multiple_of(PAGE_BYTES)?) };
        Some(at)
    }
}

impl Place for Direct<'_> {
    fn list<T>(&mut self, count: usize, make: impl FnMut(&mut Self, usize) -> Option<T>) -> Option<&'static mut [T]> {
        self.place_list(count, make)
    }

    fn pages(&mut self, size: u64) -> Option<Hpa> {
        self.zeroed(size, PAGE_BYTES)
    }
}

impl TableMemory for Direct<'_> {
    fn allocate(&mut self, pages: usize) -> Option<Hpa> {
        let size = PAGE_BYTES.checked_mul(pages as u64)?;
        self.zeroed(size, size)
    }

    fn read(&self, entry: Hpa) -> u64 {
        table_entry(entry).load(Ordering::Relaxed)
    }

    fn write(&mut self, entry: Hpa, value: u64) {
        table_entry(entry).store(value, Ordering::Relaxed);
    }
}

fn table_entry(entry: Hpa) -> &'static AtomicU64 {
    let pointer = core::ptr::with_exposed_provenance::<AtomicU64>(entry.0 as usize);
    // SAFETY: `TableMemory`'s contract: `entry` is an aligned entry of a table that `allocate` gave, which is direct-
    // mapped for good and only ever accessed as atomics and by the MMU.
    unsafe { &*pointer }
}

/// Bytes of guest memory, for the loader. The guest that owns them does not run yet.
///
/// # Safety
/// `hpa..hpa + size` is direct-mapped RAM of one VM that has not started, and no other such slice is alive.
pub unsafe fn guest_bytes(hpa: Hpa, size: usize) -> &'static mut [u8] {
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts_mut(core::ptr::with_exposed_provenance_mut(hpa.0 as usize), size) }
}

/// Stores an aligned word in the memory of a guest that may run, and that may read it at any time.
///
/// # Safety
/// `hpa` is a multiple of 8 in direct-mapped RAM of one VM.
pub unsafe fn store_in_guest(hpa: Hpa, value: u64) {
    let word = core::ptr::with_exposed_provenance::<AtomicU64>(hpa.0 as usize);
    // SAFETY: the caller's promise; an atomic word is right whatever the guest does meanwhile.
    unsafe { &*word }.store(value, Ordering::Relaxed);
}

/// Loads an aligned word from the memory of a guest that may run, and that may write it at any time.
///
/// # Safety
/// `hpa` is a multiple of 8 in direct-mapped RAM of one VM.
pub unsafe fn load_from_guest(hpa: Hpa) -> u64 {
    let word = core::ptr::with_exposed_provenance::<AtomicU64>(hpa.0 as usize);
    // SAFETY: the caller's promise; an atomic word is right whatever the guest does meanwhile.
    unsafe { &*word }.load(Ordering::Relaxed)
}

/// Bytes that nobody ever writes: the device tree, the image section.
///
/// # Safety
/// `hpa..hpa + size` is mapped at its own address, readable, and never written.
pub unsafe fn constant_bytes(hpa: u64, size: usize) -> &'static [u8] {
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(hpa as usize), size) }
}

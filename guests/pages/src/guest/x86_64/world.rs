//! A range of memory at two addresses, by pages of the size that is tested and by the smallest ones: what is done through the one is seen
//! through the other.

use super::tables::{
    ACCESSED, DIRTY, GLOBAL, HIGH, NO_EXECUTE, PRESENT, Size, Tables, WRITABLE, forget, forget_all, toggle_global,
};
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};
use guest_runtime::exceptions::{Exception, vector};
use guest_runtime::machine::Range;
use guest_runtime::mmio::{read64, write64};
use guest_runtime::{Verdict, attempt};

/// The smallest pages are mapped from here on: another GiB than that of the others.
const SMALL: u64 = HIGH + (64 << 30);
/// How many of them.
const PAGES: u64 = 4;
/// Nothing is mapped here.
const NOTHING: u64 = HIGH + (96 << 30);

// A page fault's error code (APM volume 2, 8.4.2).
const WAS_PRESENT: u32 = 1 << 0;
const WRITE: u32 = 1 << 1;
const FETCH: u32 = 1 << 4;

/// The range with what maps it.
pub(super) struct World {
    tables: Tables,
    /// Physical address of the first page that is used, in the middle of the range.
    memory: u64,
    /// The same by the page of the tested size, and that page's entry.
    at: u64,
    entry: &'static AtomicU64,
}

impl World {
    /// Of `range`, with pages of `size`.
    pub(super) fn new(range: &Range, size: Size) -> Result<World, &'static str> {
        const USED_UP: &str = "no memory left for page tables";
        let mut tables = Tables::new();
        let memory = (range.base + range.bytes / 2) & !0xfff;
        // One page is enough: it has all the memory, or is the first page itself.
        let page = HIGH + (1 << 30);
        let entry = tables.map(page, memory, size, WRITABLE).ok_or(USED_UP)?;
        for index in 0..PAGES {
            tables.map(SMALL + index * 0x1000, memory + index * 0x1000, Size::Kibi4, WRITABLE).ok_or(USED_UP)?;
        }
        Ok(World { tables, memory, at: page + (memory & (size.bytes() - 1)), entry })
    }

    /// All tests.
    pub(super) fn test(mut self) -> Verdict {
        self.is_the_same()?;
        self.marks()?;
        self.faults()?;
        self.runs()?;
        self.changes()
    }

    /// What is written through the one mapping is read through the other.
    fn is_the_same(&self) -> Verdict {
        for word in (0..0x1000).step_by(8) {
            write64((self.at + word) as usize, self.memory ^ word);
        }
        match (0..0x1000).step_by(8).all(|word| read64((SMALL + word) as usize) == self.memory ^ word) {
            true => Ok(()),
            false => Err("what is written by one page is not read by another"),
        }
    }

    /// The CPU marks what was read and what was written, in tables that are this guest's memory.
    fn marks(&self) -> Verdict {
        let marked = || self.entry.load(SeqCst) & (ACCESSED | DIRTY);
        self.entry.fetch_and(!(ACCESSED | DIRTY), SeqCst);
        forget(self.at);
        read64(self.at as usize);
        if marked() != ACCESSED {
            return Err("a page that was only read is not marked so");
        }
        write64(self.at as usize, 0);
        match marked() == ACCESSED | DIRTY {
            true => Ok(()),
            false => Err("a page that was written is not marked so"),
        }
    }

    /// What the pages forbid, and where there is none.
    fn faults(&mut self) -> Verdict {
        let fault = |error, address| Err(Exception { vector: vector::PAGE_FAULT, error, address });
        self.allow(0);
        let written = attempt!("mov [{at}], {at}", at = in(reg) self.at);
        if written != fault(WAS_PRESENT | WRITE, self.at) {
            return Err("a write to a page that is only to be read");
        }
        self.allow(WRITABLE | NO_EXECUTE);
        // Should it run, it comes to no good.
        let executed = attempt!("jmp {at}", at = in(reg) self.at);
        if executed != fault(WAS_PRESENT | FETCH, self.at) {
            return Err("a jump to a page that is not to be executed");
        }
        self.allow(WRITABLE);
        let read = attempt!("mov {at}, [{at}]", at = inout(reg) NOTHING => _);
        if read != fault(0, NOTHING) {
            return Err("a read where nothing is mapped");
        }
        Ok(())
    }

    /// The page is mapped as before, but for these bits.
    fn allow(&mut self, bits: u64) {
        let kept = self.entry.load(SeqCst) & !(WRITABLE | NO_EXECUTE);
        self.entry.store(kept | bits, SeqCst);
        forget(self.at);
    }

    /// Instructions that were just written are executed, and others in their place (APM volume 2, 7.6.1).
    fn runs(&self) -> Verdict {
        for value in [0x1234_5678_u32, 0x9abc_def0] {
            // mov eax, value; ret
            let [low, high] = [0xb8 | u64::from(value) << 8, 0xc3_00];
            write64(SMALL as usize, low | (high & 0xff00) << 32);
            let found: u32;
            // SAFETY: a function that was written just now, which changes nothing but RAX.
            unsafe { asm!("call {at}", at = in(reg) self.at, out("rax") found, clobber_abi("sysv64")) };
            if found != value {
                return Err("instructions that were just written are not those that run");
            }
        }
        Ok(())
    }

    /// Live mappings change: by INVLPG, by CR3, and global ones by CR4.
    fn changes(&mut self) -> Verdict {
        (0..PAGES).for_each(|index| write64((SMALL + index * 0x1000) as usize, index));
        let forgets: [(&str, u64, fn()); 3] = [
            ("INVLPG leaves the old page", 0, || forget(SMALL)),
            ("a load of CR3 leaves the old page", 0, forget_all),
            ("CR4.PGE leaves the old page", GLOBAL, toggle_global),
        ];
        toggle_global();
        for (what, bits, forget) in forgets {
            let entry = self.tables.entry(SMALL, Size::Kibi4).ok_or("the page's entry is gone")?;
            for index in [1, 2, 3, 0] {
                entry.store((self.memory + index * 0x1000) | PRESENT | WRITABLE | bits, SeqCst);
                forget();
                if read64(SMALL as usize) != index {
                    return Err(what);
                }
            }
        }
        // The large page gives way to what it cannot have: nothing at all.
        self.entry.store(0, SeqCst);
        forget(self.at);
        match attempt!("mov {at}, [{at}]", at = inout(reg) self.at => _) {
            Err(Exception { vector: vector::PAGE_FAULT, error: 0, .. }) => Ok(()),
            _ => Err("a page that is not mapped any more is there still"),
        }
    }
}

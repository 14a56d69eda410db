//! TLB shoot-downs: the first vCPU changes a mapping while all others read through it, and tells each to forget the old one (APM volume 2,
//! 5.5.2). From then on nobody reads the old page, wherever his vCPU runs and whoever ran there before.

use super::SHOOT;
use crate::guest::counters::Counters;
use crate::guest::crew::{self, Task};
use core::arch::asm;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use guest_runtime::apic::{self, Target};
use guest_runtime::machine::own_index;
use guest_runtime::mmio::read64;
use guest_runtime::wait::wait_unaided;
use guest_runtime::{Machine, Verdict, read_control, say};

/// A page of words: a table, or one to look at.
#[repr(C, align(4096))]
struct Page([AtomicU64; 512]);

impl Page {
    const fn new() -> Page {
        Page([const { AtomicU64::new(0) }; 512])
    }

    /// As an entry of a table: present, writable. Memory lies where it seems to.
    fn entry(&self) -> u64 {
        self.0.as_ptr() as u64 | 0b11
    }
}

/// The entry of the first table that is used, which nothing else uses, and with it the page's address.
const FIRST_ENTRY: usize = 100;
const ADDRESS: usize = FIRST_ENTRY << 39;
/// What is in a page that nobody may read any more.
const OLD: u64 = u64::MAX;

static TABLES: [Page; 3] = [const { Page::new() }; 3];
static PAGES: [Page; 2] = [const { Page::new() }; 2];
/// How many shoot-downs each vCPU has obeyed.
static OBEYED: Counters = Counters::new();
/// What is to be read, in the page that is mapped.
static EXPECTED: AtomicU64 = AtomicU64::new(0);
/// Everybody reads.
static GOES_ON: AtomicBool = AtomicBool::new(false);
/// Somebody has read through a mapping that he was told to forget.
static IS_STALE: AtomicBool = AtomicBool::new(false);

/// Shoots as often as the command line says (`shots`).
pub(super) fn test(machine: &Machine) -> Verdict {
    let shots = machine.number("shots").unwrap_or(100);
    let [upper, middle, last] = &TABLES;
    last.0[0].store(PAGES[0].entry(), Relaxed);
    middle.0[0].store(last.entry(), Relaxed);
    upper.0[0].store(middle.entry(), Relaxed);
    let root = (read_control!("cr3") & !0xfff) as *const AtomicU64;
    // SAFETY: the table in use, of 512 entries, which is mapped where it lies; the entry is one that nothing uses.
    unsafe { &*root.add(FIRST_ENTRY) }.store(upper.entry(), SeqCst);

    GOES_ON.store(true, Relaxed);
    (1..machine.cpus.len()).for_each(|index| crew::order(machine, index, Task::Own));
    for shot in 1..=shots {
        let [old, new] = if shot % 2 == 0 { [&PAGES[1], &PAGES[0]] } else { [&PAGES[0], &PAGES[1]] };
        new.0[0].store(shot, SeqCst);
        EXPECTED.store(shot, SeqCst);
        last.0[0].store(new.entry(), SeqCst);
        forget();
        apic::send(SHOOT, Target::Others);
        let all = || (1..machine.cpus.len()).all(|index| OBEYED.get(index) == shot);
        wait_unaided("a shoot-down was lost", all)?;
        old.0[0].store(OLD, SeqCst);
        if IS_STALE.load(SeqCst) {
            return Err("a vCPU reads through a mapping that it was told to forget");
        }
    }
    GOES_ON.store(false, SeqCst);
    (1..machine.cpus.len()).try_for_each(crew::finish)?;
    if IS_STALE.load(SeqCst) {
        return Err("a vCPU reads through a mapping that it was told to forget");
    }
    say!("{shots} shoot-downs, each obeyed by all");
    Ok(())
}

/// INVLPG of the page.
fn forget() {
    // SAFETY: forgets a translation.
    unsafe { asm!("invlpg [{}]", in(reg) ADDRESS, options(nostack, preserves_flags)) };
}

/// Another vCPU: reads, as long as it is to.
pub(super) fn look() {
    while GOES_ON.load(Relaxed) {
        if read64(ADDRESS) == OLD {
            IS_STALE.store(true, SeqCst);
        }
        spin_loop();
    }
}

/// Another vCPU: the mapping has changed.
pub(super) fn on_ipi() {
    forget();
    if read64(ADDRESS) != EXPECTED.load(SeqCst) {
        IS_STALE.store(true, SeqCst);
    }
    OBEYED.store(OBEYED.get(own_index()) + 1);
    crew::report();
}

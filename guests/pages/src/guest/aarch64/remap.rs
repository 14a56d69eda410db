//! A page whose mapping changes while it is in use: by break-before-make (DDI 0487, D8.14.1) and TLB invalidation, for this
//! vCPU alone, and for both.

use super::area::World;
use super::tables::{Kind, page};
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::mmio::{read64, write64};
use guest_runtime::system_register::barrier;
use guest_runtime::wait::spin_for;
use guest_runtime::{Verdict, fail};

/// The page; the next one in memory is its other mapping.
const PAGE: u64 = 6;
/// Changes.
const ROUNDS: u64 = 200;

/// The change that both are at; the first vCPU stores.
static ROUND: AtomicU64 = AtomicU64::new(0);
/// The change that the second vCPU has seen; it stores.
static SEEN: AtomicU64 = AtomicU64::new(0);

/// What the page holds in a round: each of its two places in memory, its own number.
const fn value(round: u64) -> u64 {
    0xfeed + round % 2
}

fn shows(world: &World, round: u64) -> Verdict {
    match read64(world.page_high(PAGE) as usize) == value(round) {
        true => Ok(()),
        false => Err("a page shows what it was mapped to before"),
    }
}

/// Changes seen by this vCPU.
pub(super) fn alone(world: &World) -> Verdict {
    for round in 0..2 {
        write64(world.page(PAGE + round) as usize, value(round));
    }
    for round in 0..ROUNDS {
        change(world, round, |address| {
            // SAFETY: forgets the translation of a page that Rust knows nothing of.
            unsafe { asm!("dsb nshst", "tlbi vaae1, {}", "dsb nsh", "isb", in(reg) address, options(nostack)) };
        });
        shows(world, round)?;
    }
    // Begins as the other vCPU finds it.
    change_for_all(world, 0);
    shows(world, 0)
}

/// The first vCPU: changes seen by both.
pub(super) fn lead(world: &World) -> Verdict {
    for round in 1..=ROUNDS {
        change_for_all(world, round);
        shows(world, round)?;
        barrier();
        ROUND.store(round, Relaxed);
        spin_for("the second vCPU does not come to see a change", || SEEN.load(Relaxed) == round)?;
    }
    Ok(())
}

/// The second vCPU: looks at the page after each change. It has it in its TLB from the one before.
pub(super) extern "C" fn follow(world: &World) {
    let see = |round| {
        spin_for("the first vCPU does not come to change a page", || ROUND.load(Relaxed) == round)?;
        barrier();
        shows(world, round)?;
        SEEN.store(round, Relaxed);
        Ok(())
    };
    (1..=ROUNDS).try_for_each(see).unwrap_or_else(|what| fail(what));
}

fn change_for_all(world: &World, round: u64) {
    change(world, round, |address| {
        // SAFETY: as for one vCPU.
        unsafe { asm!("dsb ishst", "tlbi vaae1is, {}", "dsb ish", "isb", in(reg) address, options(nostack)) };
    });
}

/// Maps the page to its place of `round`, with `forget` between the old and the new mapping.
fn change(world: &World, round: u64, forget: impl Fn(u64)) {
    let entry = world.tables.page_entry(world.page_high(PAGE));
    write64(entry, 0);
    // The operand is the address without its lowest 12 and its highest 8 bits (DDI 0487, TLBI VAAE1).
    forget(world.page_high(PAGE) >> 12 & 0xfff_ffff_ffff);
    write64(entry, page(world.page(PAGE + round % 2), Kind::Memory));
    barrier();
}

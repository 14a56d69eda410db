//! Many SPIs at once, each of another priority: all come, once each, the most urgent first.

use super::{COUNT, RANGE};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use guest_runtime::gic::Interrupt;
use guest_runtime::system_register::{mask_interrupts, unmask_interrupts};
use guest_runtime::wait::wait_for;
use guest_runtime::{Verdict, fail, say, timer};

/// What came, in order. The interrupt handler alone stores.
static TAKEN: [AtomicU32; COUNT as usize] = [const { AtomicU32::new(0) }; COUNT as usize];
static TAKEN_COUNT: AtomicU32 = AtomicU32::new(0);

/// The place of an SPI in the order: neither that of the INTIDs nor its reverse. 7 and 24 have no common factor, so no
/// two are alike.
const fn rank(intid: u32) -> u32 {
    ((intid - RANGE.start) * 7 + 3) % COUNT
}

/// Raises them all by one store, and sees them come.
pub(super) fn test() -> Verdict {
    for intid in RANGE {
        let spi = Interrupt(intid);
        spi.enable()?;
        spi.set_priority((rank(intid) as u8 + 1) * 8)?;
    }
    mask_interrupts();
    Interrupt(RANGE.start).raise_many((1 << COUNT) - 1)?;
    unmask_interrupts();
    wait_for("an SPI was lost", || TAKEN_COUNT.load(Relaxed) >= COUNT)?;
    // Time for one to come twice.
    timer::tick_for(2)?;
    for (place, taken) in (0..).zip(&TAKEN) {
        if rank(taken.load(Relaxed)) != place {
            return Err("an SPI came out of order");
        }
    }
    for spi in RANGE.map(Interrupt) {
        if spi.is_pending()? || spi.is_active()? {
            return Err("an SPI that has ended is still pending or active");
        }
    }
    say!("{COUNT} SPIs pending at once came in the order of their priorities");
    Ok(())
}

/// One of them came.
pub(in crate::guest) fn on_interrupt(intid: u32) {
    let count = TAKEN_COUNT.load(Relaxed);
    match TAKEN.get(count as usize) {
        Some(slot) => slot.store(intid, Relaxed),
        None => fail("an SPI came twice"),
    }
    TAKEN_COUNT.store(count + 1, Relaxed);
}

//! SPIs to each vCPU by their route, to any one of several, and more of them at once than there are list registers. Each is
//! taken exactly once, by one whom it was for.

use super::HOLD;
use crate::guest::counters::Counters;
use crate::guest::crew;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use guest_runtime::gic::{self, Interrupt};
use guest_runtime::machine::own_index;
use guest_runtime::system_register::{send_event, wait_for_event};
use guest_runtime::wait::{spin_for, wait_unaided};
use guest_runtime::{Machine, Verdict, say};

/// More than any CPU has list registers (16). No device of QEMU's `virt` has these.
pub(in crate::guest) const RANGE: Range<u32> = 208..208 + COUNT;
const COUNT: u32 = 40;
/// How often all of them are raised at once, each time with other routes.
const BURSTS: u64 = 50;

/// SPIs that each vCPU has taken.
static TAKEN: Counters = Counters::new();
/// For each SPI: who took it last. That one stores.
static TAKER: [AtomicU32; COUNT as usize] = [const { AtomicU32::new(0) }; COUNT as usize];
/// SPIs in the order in which the vCPU took them that was held last.
static ORDER: [AtomicU32; COUNT as usize] = [const { AtomicU32::new(0) }; COUNT as usize];
static ORDERED: AtomicU32 = AtomicU32::new(0);
/// A vCPU is held, and by its own account is.
static HOLDING: AtomicBool = AtomicBool::new(false);
static HELD: AtomicBool = AtomicBool::new(false);

/// All tests.
pub(in crate::guest) fn test(machine: &Machine) -> Verdict {
    if RANGE.end > gic::interrupts() {
        return Err("GICD_TYPER has fewer interrupts than these tests take");
    }
    RANGE.map(Interrupt).try_for_each(Interrupt::enable)?;
    to_each(machine)?;
    // QEMU's own GICv2 gives such an SPI to each vCPU that it may go to.
    if machine.gic_version == 3 || machine.is_ostler {
        to_any(machine)?;
    }
    in_order(machine)?;
    RANGE.map(Interrupt).try_for_each(Interrupt::disable)
}

/// Raises all at once; gives the number that had been taken before.
fn raise(machine: &Machine) -> Result<u64, &'static str> {
    let before = TAKEN.values(machine.cpus.len()).sum();
    for first in (RANGE.start / 32 * 32..RANGE.end).step_by(32) {
        let bits = (0..32).filter(|bit| RANGE.contains(&(first + bit))).fold(0, |bits, bit| bits | 1 << bit);
        Interrupt(first).raise_many(bits)?;
    }
    Ok(before)
}

/// Waits until all are taken, and sees that none is left.
fn taken(machine: &Machine, before: u64) -> Verdict {
    let all = before + u64::from(COUNT);
    wait_unaided("an SPI was lost", || TAKEN.values(machine.cpus.len()).sum::<u64>() >= all)?;
    // The distributor may still show what another vCPU has acknowledged, but not for ever.
    for spi in RANGE.map(Interrupt) {
        spin_for("an SPI that was taken stays pending", || spi.is_pending() == Ok(false))?;
    }
    match TAKEN.values(machine.cpus.len()).sum::<u64>() == all {
        true => Ok(()),
        false => Err("an SPI came twice"),
    }
}

/// Bursts, with routes that go round the vCPUs.
fn to_each(machine: &Machine) -> Verdict {
    let cpus = machine.cpus.len();
    for burst in 0..BURSTS as usize {
        let target = |intid: u32| (intid as usize + burst) % cpus;
        RANGE.for_each(|intid| Interrupt(intid).route(machine.cpus[target(intid)]));
        let before = raise(machine)?;
        taken(machine, before)?;
        if RANGE.zip(&TAKER).any(|(intid, taker)| taker.load(Relaxed) as usize != target(intid)) {
            return Err("an SPI came to another vCPU than its route says");
        }
    }
    say!("{BURSTS} times {COUNT} SPIs, each to the vCPU of its route");
    Ok(())
}

/// Bursts to whoever takes them.
fn to_any(machine: &Machine) -> Verdict {
    RANGE.for_each(|intid| Interrupt(intid).route_to_one_of(&machine.cpus));
    for _ in 0..BURSTS {
        let before = raise(machine)?;
        taken(machine, before)?;
    }
    say!("{BURSTS} times {COUNT} SPIs to any vCPU, each taken once");
    Ok(())
}

/// The last vCPU is held while all become pending for it; then it takes them by priority.
fn in_order(machine: &Machine) -> Verdict {
    let last = machine.cpus[machine.cpus.len() - 1];
    for spi in RANGE.map(Interrupt) {
        spi.set_priority(priority(spi.0))?;
        spi.route(last);
    }
    if machine.cpus.len() == 1 {
        return Ok(());
    }
    HELD.store(false, Relaxed);
    HOLDING.store(true, Relaxed);
    gic::send(HOLD, last);
    wait_unaided("a vCPU is not to be held", || HELD.load(Relaxed))?;
    ORDERED.store(0, Relaxed);
    let before = raise(machine)?;
    HOLDING.store(false, Relaxed);
    send_event();
    taken(machine, before)?;
    if !ORDER.iter().is_sorted_by_key(|intid| priority(intid.load(Relaxed))) {
        return Err("an SPI came before one of higher priority");
    }
    say!("{COUNT} SPIs pending at once for one vCPU came by their priorities");
    Ok(())
}

/// 20 priorities from 16 on, in an order that is neither that of the INTIDs nor its reverse.
const fn priority(intid: u32) -> u8 {
    16 + 8 * ((intid - RANGE.start) * 7 % 20) as u8
}

/// Holds this vCPU. Interrupts are masked.
pub(in crate::guest) fn hold() {
    HELD.store(true, Relaxed);
    crew::report();
    while HOLDING.load(Relaxed) {
        wait_for_event();
    }
}

/// Any vCPU: one came.
pub(in crate::guest) fn on_spi(intid: u32) {
    let index = (intid - RANGE.start) as usize;
    TAKER[index].store(own_index() as u32, Relaxed);
    // In bursts to several vCPUs, this order means nothing.
    let place = ORDERED.load(Relaxed);
    if let Some(slot) = ORDER.get(place as usize) {
        slot.store(intid, Relaxed);
        ORDERED.store(place + 1, Relaxed);
    }
    TAKEN.count();
    crew::report();
}

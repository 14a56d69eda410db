//! Interrupts to itself: their order, within one another, held back by TPR; and a non-maskable one.

use super::send_to_self;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use guest_runtime::apic::{self, register::*};
use guest_runtime::exceptions::vector::NON_MASKABLE;
use guest_runtime::machine::own_id;
use guest_runtime::wait::wait_for;
use guest_runtime::{Verdict, attempt, fail, mask_interrupts, say, timer, unmask_interrupts};

/// The tests' vectors: eight priorities, three of each.
pub(super) const VECTORS: Range<u32> = 0x60..0xe0;
const COUNT: u32 = 24;

/// What came, in order. The handler alone stores.
static TAKEN: [AtomicU32; COUNT as usize] = [const { AtomicU32::new(0) }; COUNT as usize];
static TAKEN_COUNT: AtomicU32 = AtomicU32::new(0);
/// In a handler, the next higher priority is sent, and taken within.
static IS_NESTING: AtomicU32 = AtomicU32::new(0);
/// How deep handlers are within one another, and how deep they were.
static DEPTH: AtomicU32 = AtomicU32::new(0);
static DEEPEST: AtomicU32 = AtomicU32::new(0);

/// Number `index` of the vectors, in an order that is neither theirs nor its reverse. 7 and 24 have no common factor, so no two are
/// alike.
const fn scattered(index: u32) -> u32 {
    ascending((index * 7 + 3) % COUNT)
}

const fn ascending(index: u32) -> u32 {
    VECTORS.start + 16 * (index / 3) + 5 * (index % 3)
}

/// All tests.
pub(super) fn test() -> Verdict {
    order()?;
    nesting()?;
    held_back()?;
    non_maskable()
}

/// All pending at once, they come once each, the highest vector first.
fn order() -> Verdict {
    begin();
    mask_interrupts();
    for index in 0..COUNT {
        send_to_self(scattered(index));
        // Twice is once while it is pending.
        send_to_self(scattered(index));
    }
    let is_pending = |index| apic::is_set(IRR, ascending(index));
    let all = settle(|| (0..COUNT).all(is_pending));
    unmask_interrupts();
    if !all {
        return Err("an interrupt to itself is not pending");
    }
    wait_for("an interrupt to itself was lost", || TAKEN_COUNT.load(Relaxed) >= COUNT)?;
    // Time for one to come twice.
    timer::tick_for(2)?;
    for (place, taken) in (0..).zip(&TAKEN) {
        if taken.load(Relaxed) != ascending(COUNT - 1 - place) {
            return Err("an interrupt to itself came out of order");
        }
    }
    if VECTORS.into_iter().any(|vector| apic::is_set(IRR, vector) || apic::is_set(ISR, vector)) {
        return Err("an interrupt that has ended is still pending or in service");
    }
    say!("{COUNT} interrupts to itself pending at once came in the order of their priorities");
    Ok(())
}

/// Each is taken within the handler of the one before, whose priority is lower.
fn nesting() -> Verdict {
    begin();
    IS_NESTING.store(1, Relaxed);
    send_to_self(VECTORS.start);
    wait_for("an interrupt within another was lost", || TAKEN_COUNT.load(Relaxed) >= COUNT / 3)?;
    IS_NESTING.store(0, Relaxed);
    let deepest = DEEPEST.load(Relaxed);
    if deepest != COUNT / 3 {
        return Err("an interrupt of higher priority did not come within another's handler");
    }
    say!("{deepest} interrupts within one another");
    Ok(())
}

/// TPR holds back those of its priority and below.
fn held_back() -> Verdict {
    begin();
    let (low, high) = (VECTORS.start, VECTORS.start + 16);
    apic::write(TPR, low | 0xf);
    send_to_self(low);
    send_to_self(high);
    let came = || TAKEN_COUNT.load(Relaxed);
    let one = settle(|| came() == 1) && TAKEN[0].load(Relaxed) == high;
    let is_held = settle(|| apic::is_set(IRR, low)) && came() == 1;
    apic::write(TPR, 0);
    if !one || !is_held {
        return Err("TPR does not hold back what it has to");
    }
    wait_for("an interrupt that TPR held back was lost", || came() == 2)?;
    say!("TPR holds back interrupts of its priority");
    Ok(())
}

/// It comes although interrupts are masked, by the local APIC's command.
fn non_maskable() -> Verdict {
    mask_interrupts();
    let command = 4_u32 << 8;
    let taken = if apic::is_extended() {
        attempt!("wrmsr\n 55: pause\n jmp 55b", in("ecx") 0x830, in("eax") command, in("edx") own_id() as u32)
    } else {
        apic::write(ICR_HIGH, (own_id() as u32) << 24);
        attempt!("mov [{register}], {command:e}\n 55: pause\n jmp 55b",
            register = in(reg) 0xfee0_0300_u64, command = in(reg) command)
    };
    unmask_interrupts();
    if !taken.is_err_and(|it| it.vector == NON_MASKABLE) {
        return Err("another exception came than the non-maskable interrupt");
    }
    say!("a non-maskable interrupt came although interrupts were masked");
    Ok(())
}

fn begin() {
    TAKEN_COUNT.store(0, Relaxed);
    DEEPEST.store(0, Relaxed);
}

/// Waits a while for `done`.
fn settle(done: impl Fn() -> bool) -> bool {
    let deadline = timer::now() + timer::frequency();
    while !done() {
        if timer::now() > deadline {
            return false;
        }
    }
    true
}

/// One of them came.
pub(super) fn on_interrupt(vector: u32) {
    let count = TAKEN_COUNT.load(Relaxed);
    match TAKEN.get(count as usize) {
        Some(slot) => slot.store(vector, Relaxed),
        None => fail("an interrupt to itself came twice"),
    }
    TAKEN_COUNT.store(count + 1, Relaxed);
    let depth = DEPTH.load(Relaxed) + 1;
    DEPTH.store(depth, Relaxed);
    DEEPEST.store(depth.max(DEEPEST.load(Relaxed)), Relaxed);
    if IS_NESTING.load(Relaxed) != 0 && VECTORS.contains(&(vector + 16)) {
        send_to_self(vector + 16);
        unmask_interrupts();
        settle(|| TAKEN_COUNT.load(Relaxed) > count + 1);
        mask_interrupts();
    }
    DEPTH.store(depth - 1, Relaxed);
}

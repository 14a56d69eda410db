//! As much of one thing as there can be.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::machine::own_affinity;
use guest_runtime::psci::{self, Conduit};
use guest_runtime::system_register::{mask_interrupts, unmask_interrupts};
use guest_runtime::wait::spin_for;
use guest_runtime::{gic, say, timer, write_register};

use super::vectors;
use crate::guest::PROGRESS;

/// A function that exists, and one that does not.
const FUNCTIONS: [u32; 2] = [0x8400_0000, 0x8400_00ff];

/// How many more interrupts the handler is to bring about: while it does, nothing else of this program runs.
static LEFT: AtomicU64 = AtomicU64::new(0);

/// Calls without a pause.
pub(super) fn exits(count: u64) -> u64 {
    for number in 0..count {
        psci::call_by(Conduit::Hvc, FUNCTIONS[(number & 1) as usize], [0; 3]);
        if number % PROGRESS == PROGRESS - 1 {
            say!("{} operations", number + 1);
        }
    }
    count
}

/// SGIs to itself, each sent by the handler of the one before.
pub(super) fn sgis(count: u64) -> Result<u64, &'static str> {
    timer::stop();
    LEFT.store(count, Relaxed);
    gic::send(0, own_affinity());
    take(count)
}

/// Timer interrupts, the next due when one is taken.
pub(super) fn timer(count: u64) -> Result<u64, &'static str> {
    LEFT.store(count, Relaxed);
    take(count)
}

fn take(count: u64) -> Result<u64, &'static str> {
    unmask_interrupts();
    spin_for("the interrupts stopped", || vectors::interrupts() >= count)?;
    mask_interrupts();
    Ok(vectors::interrupts())
}

/// Between an interrupt's acknowledgement and its end.
pub(super) fn on_interrupt(intid: u32) {
    let left = LEFT.load(Relaxed).saturating_sub(1);
    LEFT.store(left, Relaxed);
    if left & (PROGRESS - 1) == PROGRESS - 1 {
        say!("{left} operations to go");
    }
    match intid {
        0..16 if left > 0 => gic::send((intid + 1) % 16, own_affinity()),
        0..16 => {}
        _ if left > 0 => write_register!("cntv_cval_el0", timer::now()),
        _ => timer::stop(),
    }
}

/// A loop that nothing but the hypervisor gets through.
pub(super) fn spin() -> ! {
    // SAFETY: masks all exceptions that can be masked, and stays here.
    unsafe { asm!("msr daifset, #0xf", "1: b 1b", options(noreturn)) }
}

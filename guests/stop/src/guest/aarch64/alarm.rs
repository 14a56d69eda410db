//! A clock with an alarm (PL031, DDI 0224) that is the guest's own: a line that rises and, unless somebody clears it, never falls.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use guest_runtime::gic::Interrupt;
use guest_runtime::machine::Device;
use guest_runtime::mmio::{read32, write32};
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Verdict, psci, say, timer};

const DATA: usize = 0x000;
const MATCH: usize = 0x004;
const IMSC: usize = 0x010;
const ICR: usize = 0x01c;
const PERIPH_ID0: usize = 0xfe0;

static INTID: AtomicU32 = AtomicU32::new(u32::MAX);
static INTERRUPTS: AtomicU32 = AtomicU32::new(0);
/// The handler resets the machine.
static RESETS: AtomicBool = AtomicBool::new(false);

/// The clock's line goes up.
fn raise(machine: &Machine) -> Result<usize, &'static str> {
    let Device { base, interrupt } = machine.clock.ok_or("there is no clock")?;
    let id = (0..4).fold(0, |id, index| id | read32(base + PERIPH_ID0 + 4 * index) << (8 * index));
    if id & 0xf_ffff != 0x4_1031 {
        return Err("this is no PL031");
    }
    INTID.store(interrupt, Relaxed);
    Interrupt(interrupt).enable()?;
    write32(base + IMSC, 1);
    write32(base + MATCH, read32(base + DATA));
    Ok(base)
}

/// Takes its interrupt as often as it comes, and never serves the device: says how often that is. Then serves it.
pub(in crate::guest) fn storm(machine: &Machine) -> Verdict {
    let base = raise(machine)?;
    timer::start(10);
    for round in 1..=5 {
        let before = INTERRUPTS.load(Relaxed);
        wait_until(|| timer::count() >= round * 10);
        say!("{} interrupts in 100 ms", INTERRUPTS.load(Relaxed) - before);
    }
    write32(base + IMSC, 0);
    write32(base + ICR, 1);
    wait_until(|| timer::count() >= 53);
    let before = INTERRUPTS.load(Relaxed);
    wait_until(|| timer::count() >= 60);
    timer::stop();
    if INTERRUPTS.load(Relaxed) != before {
        return Err("the clock interrupts although its line is low");
    }
    say!("the line has fallen, and it is quiet");
    Ok(())
}

/// Resets the machine in the handler of its interrupt, with the line high.
pub(in crate::guest) fn reset(machine: &Machine) -> Verdict {
    RESETS.store(true, Relaxed);
    raise(machine)?;
    wait_until(|| false);
    Ok(())
}

/// The clock's interrupt.
pub(in crate::guest) fn took(intid: u32) {
    if intid == INTID.load(Relaxed) {
        INTERRUPTS.store(INTERRUPTS.load(Relaxed) + 1, Relaxed);
        if RESETS.load(Relaxed) {
            psci::system_reset();
        }
    }
}

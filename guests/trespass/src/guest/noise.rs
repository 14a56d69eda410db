//! Interrupts without end on both vCPUs: the load under which a reset has to work.
//!
//! Two SGIs fly back and forth for ever, each answered in the handler of the other, and the first vCPU's timer ticks every
//! millisecond. So at any moment something is pending, active or in a list register on either vCPU.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::machine::own_affinity;
use guest_runtime::psci::{self, status};
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Verdict, fail, gic, timer};

/// SGI from the first vCPU to the second.
const PING: u32 = 1;
/// SGI from the second vCPU to the first.
const PONG: u32 = 2;
/// Rounds after which the load is taken to be there.
const ROUNDS: u64 = 50;

// Each is stored by the first vCPU only.
static FIRST: AtomicU64 = AtomicU64::new(0);
static SECOND: AtomicU64 = AtomicU64::new(0);
static HEARD: AtomicU64 = AtomicU64::new(0);

/// Begins it; returns when it is there.
pub(super) fn begin(machine: &Machine) -> Verdict {
    let second = machine.second().ok_or("noise takes two vCPUs")?;
    FIRST.store(own_affinity(), Relaxed);
    SECOND.store(second, Relaxed);
    gic::open(machine)?;
    timer::open(machine)?;
    timer::start(1);
    if psci::start(second, 0) != status::SUCCESS {
        return Err("CPU_ON of the second vCPU");
    }
    wait_until(|| HEARD.load(Relaxed) >= ROUNDS);
    Ok(())
}

/// The second vCPU.
pub(super) fn second(_context: u64) -> ! {
    if let Err(what) = gic::open_cpu() {
        fail(what);
    }
    // The first ball.
    gic::send(PONG, FIRST.load(Relaxed));
    wait_until(|| false);
    fail("an endless wait ended")
}

/// Both vCPUs: an interrupt came.
pub(super) fn on_interrupt(intid: u32) {
    match intid {
        PING => gic::send(PONG, FIRST.load(Relaxed)),
        PONG => {
            HEARD.store(HEARD.load(Relaxed) + 1, Relaxed);
            gic::send(PING, SECOND.load(Relaxed));
        }
        _ => {}
    }
}

//! Interrupts without end on all vCPUs: the load under which a reset has to work.
//!
//! Interrupts fly back and forth for ever between the first vCPU and the others, each answered in the handler of the other, and the
//! first vCPU's timer ticks every millisecond. So at any moment something is pending, active or being delivered on some vCPU.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::machine::MAX_CPUS;
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Verdict, cpus, fail, ipi, timer};

/// From the first vCPU to another.
const PING: u32 = ipi::FIRST + 1;
/// From another vCPU to the first.
const PONG: u32 = ipi::FIRST + 2;
/// Rounds after which the load is taken to be there.
const ROUNDS: u64 = 50;

// Each is stored by the first vCPU only.
static FIRST: AtomicU64 = AtomicU64::new(0);
static OTHERS: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];
static COUNT: AtomicU64 = AtomicU64::new(0);
static HEARD: AtomicU64 = AtomicU64::new(0);

/// Begins it; returns when it is there.
pub(super) fn begin(machine: &Machine) -> Verdict {
    let others = machine.cpus.get(1..).filter(|others| !others.is_empty()).ok_or("noise takes two vCPUs")?;
    FIRST.store(cpus::own_id(), Relaxed);
    others.iter().zip(&OTHERS).for_each(|(&id, slot)| slot.store(id, Relaxed));
    COUNT.store(others.len() as u64, Relaxed);
    ipi::open(machine)?;
    timer::open(machine)?;
    timer::start(1);
    others.iter().try_for_each(|&id| cpus::start(id, 0))?;
    wait_until(|| HEARD.load(Relaxed) >= ROUNDS);
    Ok(())
}

/// The other vCPUs.
pub(super) fn other(_context: u64) -> ! {
    if let Err(what) = ipi::open_cpu() {
        fail(what);
    }
    // The first ball of each.
    ipi::send(PONG, FIRST.load(Relaxed));
    wait_until(|| false);
    fail("an endless wait ended")
}

/// Any vCPU: an interrupt came.
pub(super) fn on_interrupt(number: u32) {
    match number {
        PING => ipi::send(PONG, FIRST.load(Relaxed)),
        PONG => {
            let heard = HEARD.load(Relaxed);
            HEARD.store(heard + 1, Relaxed);
            // They take turns.
            ipi::send(PING, OTHERS[(heard % COUNT.load(Relaxed)) as usize].load(Relaxed));
        }
        _ => {}
    }
}

//! The second vCPU: brought up by INIT and SIPI, proves itself by playing ping-pong with interrupts, and rests again.

use super::fp;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use guest_runtime::apic::{self, Target};
use guest_runtime::machine::own_id;
use guest_runtime::wait::{wait_for, wait_until};
use guest_runtime::{Machine, Verdict, cpus, fail, mask_interrupts, say, timer};

/// The tests' vectors.
pub(super) const VECTORS: Range<u32> = 0x51..0x54;
/// From the first CPU to the second.
const PING: u32 = 0x51;
/// From the second CPU to the first.
const PONG: u32 = 0x52;
/// Only wakes the second CPU, after [`STOPPED`] was set.
const STOP: u32 = 0x53;

// Each of these has one CPU that stores.
static PINGS: AtomicU64 = AtomicU64::new(0);
static PONGS: AtomicU64 = AtomicU64::new(0);
static STOPPED: AtomicBool = AtomicBool::new(false);
/// What the second CPU got as its context, plus one; 0 until it runs, and again when it rests.
static CAME: AtomicU64 = AtomicU64::new(0);
/// The second CPU's counter at the last ping.
static SEEN: AtomicU64 = AtomicU64::new(0);

/// APIC ID of the first CPU.
static FIRST: AtomicU64 = AtomicU64::new(0);

/// All tests with the second CPU, if there is one.
pub(super) fn test(machine: &Machine) -> Verdict {
    let Some(second) = machine.second() else {
        say!("one vCPU, so no second one to start");
        return Ok(());
    };
    FIRST.store(own_id(), Relaxed);
    // Twice: a vCPU that rested must come back as good as new.
    for rounds in [1000, 100] {
        start(second, rounds)?;
        play(second, rounds)?;
        stop()?;
        if (PINGS.load(Relaxed), PONGS.load(Relaxed)) != (rounds, rounds) {
            return Err("an interrupt came twice");
        }
        say!("second vCPU came, {rounds} rounds of IPI ping-pong, and went off");
    }
    Ok(())
}

fn start(second: u64, context: u64) -> Verdict {
    PINGS.store(0, Relaxed);
    PONGS.store(0, Relaxed);
    CAME.store(0, Relaxed);
    STOPPED.store(false, Relaxed);
    cpus::start(second, context)?;
    wait_for("the second vCPU did not come", || CAME.load(Relaxed) != 0)?;
    if CAME.load(Relaxed) != context + 1 {
        return Err("the second vCPU got another context");
    }
    Ok(())
}

fn play(second: u64, rounds: u64) -> Verdict {
    for round in 1..=rounds {
        let sent = timer::now();
        // In turn by its ID and by a shorthand.
        apic::send(PING, if round % 2 == 0 { Target::Others } else { Target::Cpu(second) });
        wait_for("an interrupt was lost", || PONGS.load(Relaxed) >= round)?;
        if !(sent..=timer::now()).contains(&SEEN.load(Relaxed)) {
            return Err("the vCPUs' counters differ");
        }
    }
    Ok(())
}

fn stop() -> Verdict {
    STOPPED.store(true, Relaxed);
    apic::send(STOP, Target::Others);
    wait_for("the second vCPU did not go off", || CAME.load(Relaxed) == 0)
}

/// Second CPU: called by the boot code with the context.
pub(in crate::guest) fn main(context: u64) -> ! {
    if let Err(what) = apic::open_cpu() {
        fail(what);
    }
    let registers = fp::Registers::fill(2);
    CAME.store(context + 1, Relaxed);
    wait_until(|| STOPPED.load(Relaxed));
    if let Err(what) = registers.check() {
        fail(what);
    }
    mask_interrupts();
    CAME.store(0, Relaxed);
    cpus::rest()
}

/// Both CPUs: an interrupt came.
pub(super) fn on_interrupt(vector: u32) {
    match vector {
        PING => {
            SEEN.store(timer::now(), Relaxed);
            PINGS.store(PINGS.load(Relaxed) + 1, Relaxed);
            apic::send(PONG, Target::Cpu(FIRST.load(Relaxed)));
        }
        PONG => PONGS.store(PONGS.load(Relaxed) + 1, Relaxed),
        _ => {}
    }
}

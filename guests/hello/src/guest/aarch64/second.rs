//! The second vCPU: brought up by PSCI, proves itself by playing ping-pong with SGIs, and goes off again.

use super::fp;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use guest_runtime::gic;
use guest_runtime::machine::own_affinity;
use guest_runtime::psci::{self, status};
use guest_runtime::system_register::barrier;
use guest_runtime::wait::{wait_for, wait_until};
use guest_runtime::{Machine, Verdict, fail, say, timer};

/// SGI from the first CPU to the second.
const PING: u32 = 1;
/// SGI from the second CPU to the first.
const PONG: u32 = 2;
/// SGI that only wakes the second CPU, after [`STOPPED`] was set.
const STOP: u32 = 3;

// Each of these has one CPU that stores.
static PINGS: AtomicU64 = AtomicU64::new(0);
static PONGS: AtomicU64 = AtomicU64::new(0);
static STOPPED: AtomicBool = AtomicBool::new(false);
/// What the second CPU got as its context id, plus one; 0 until it runs.
static CAME: AtomicU64 = AtomicU64::new(0);
/// The second CPU's counter at the last ping.
static SEEN: AtomicU64 = AtomicU64::new(0);
/// Affinity of the first CPU.
static FIRST: AtomicU64 = AtomicU64::new(0);

/// To be called on the first CPU before there are interrupts.
pub(super) fn prepare() {
    FIRST.store(own_affinity(), Relaxed);
}

/// All tests with the second CPU, if there is one.
pub(super) fn test(machine: &Machine) -> Verdict {
    let Some(second) = machine.second() else {
        say!("one vCPU, so no second one to start");
        return Ok(());
    };
    // Twice: a vCPU that went off must come back as good as new.
    for rounds in [1000, 100] {
        start(machine.is_ostler, second, rounds)?;
        play(second, rounds)?;
        stop(second)?;
        if (PINGS.load(Relaxed), PONGS.load(Relaxed)) != (rounds, rounds) {
            return Err("an SGI came twice");
        }
        say!("second vCPU came, {rounds} rounds of SGI ping-pong, and went off");
    }
    Ok(())
}

fn start(is_ostler: bool, second: u64, context: u64) -> Verdict {
    if psci::affinity_info(second) != psci::OFF {
        return Err("the second vCPU is not off to begin with");
    }
    PINGS.store(0, Relaxed);
    PONGS.store(0, Relaxed);
    CAME.store(0, Relaxed);
    STOPPED.store(false, Relaxed);
    barrier();
    if psci::start(second, context) != status::SUCCESS {
        return Err("CPU_ON of the second vCPU");
    }
    // QEMU's own PSCI knows no ON_PENDING and would start it again.
    if is_ostler && !matches!(psci::start(second, context), status::ALREADY_ON | status::ON_PENDING) {
        return Err("a second CPU_ON of the second vCPU");
    }
    wait_for("the second vCPU did not come", || CAME.load(Relaxed) != 0)?;
    if CAME.load(Relaxed) != context + 1 {
        return Err("the second vCPU got another context id");
    }
    if psci::affinity_info(second) != psci::ON {
        return Err("AFFINITY_INFO of a running vCPU");
    }
    if psci::start(second, context) != status::ALREADY_ON {
        return Err("CPU_ON of a running vCPU");
    }
    Ok(())
}

fn play(second: u64, rounds: u64) -> Verdict {
    for round in 1..=rounds {
        let sent = timer::now();
        gic::send(PING, second);
        wait_for("an SGI was lost", || PONGS.load(Relaxed) >= round)?;
        if !(sent..=timer::now()).contains(&SEEN.load(Relaxed)) {
            return Err("the vCPUs' counters differ");
        }
    }
    Ok(())
}

fn stop(second: u64) -> Verdict {
    STOPPED.store(true, Relaxed);
    gic::send(STOP, second);
    wait_for("the second vCPU did not go off", || psci::affinity_info(second) == psci::OFF)
}

/// Second CPU: called by the boot code with the context id.
pub(in crate::guest) fn main(context: u64) -> ! {
    if let Err(what) = gic::open_cpu() {
        fail(what);
    }
    let registers = fp::Registers::fill(2);
    CAME.store(context + 1, Relaxed);
    barrier();
    wait_until(|| STOPPED.load(Relaxed));
    if let Err(what) = registers.check() {
        fail(what);
    }
    psci::cpu_off();
    fail("CPU_OFF returned")
}

/// Both CPUs: an SGI came.
pub(super) fn on_sgi(intid: u32) {
    match intid {
        PING => {
            SEEN.store(timer::now(), Relaxed);
            PINGS.store(PINGS.load(Relaxed) + 1, Relaxed);
            gic::send(PONG, FIRST.load(Relaxed));
        }
        PONG => PONGS.store(PONGS.load(Relaxed) + 1, Relaxed),
        _ => {}
    }
}

//! The second vCPU: brought up by PSCI, proves itself by playing ping-pong with SGIs, and goes off again.

use super::machine::{AFFINITY, Machine};
use super::system_register::{barrier, read_register};
use super::{Verdict, fail, fp, gic, psci, wait_for, wait_until};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// SGI from the first CPU to the second.
pub(crate) const PING: u32 = 1;
/// SGI from the second CPU to the first.
pub(crate) const PONG: u32 = 2;
/// SGI that only wakes the second CPU, after [`STOPPED`] was set.
pub(crate) const STOP: u32 = 3;

// Each of these has one CPU that stores.
static PINGS: AtomicU64 = AtomicU64::new(0);
static PONGS: AtomicU64 = AtomicU64::new(0);
static STOPPED: AtomicBool = AtomicBool::new(false);
/// What the second CPU got as its context id, plus one; 0 until it runs.
static CAME: AtomicU64 = AtomicU64::new(0);
/// Affinity of the first CPU.
static FIRST: AtomicU64 = AtomicU64::new(0);
static DISTRIBUTOR: AtomicUsize = AtomicUsize::new(0);
static REDISTRIBUTORS: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    /// In boot.rs; never called from Rust.
    fn second_start();
}

/// Tells the second CPU what the device tree said.
pub(crate) fn prepare(machine: &Machine) {
    DISTRIBUTOR.store(machine.distributor, Relaxed);
    REDISTRIBUTORS.store(machine.redistributors, Relaxed);
    FIRST.store(read_register!("mpidr_el1") & AFFINITY, Relaxed);
}

/// First CPU: starts the second, plays, and sees it go off.
pub(crate) fn play(second: u64, rounds: u64) -> Verdict {
    if psci::affinity_info(second) != psci::OFF {
        return Err("the second vCPU is not off to begin with");
    }
    PINGS.store(0, Relaxed);
    PONGS.store(0, Relaxed);
    CAME.store(0, Relaxed);
    STOPPED.store(false, Relaxed);
    barrier();
    let entry = second_start as *const () as u64;
    if psci::cpu_on(second, entry, rounds) != psci::SUCCESS {
        return Err("CPU_ON of the second vCPU");
    }
    if !matches!(psci::cpu_on(second, entry, rounds), psci::ALREADY_ON | psci::ON_PENDING) {
        return Err("a second CPU_ON of the second vCPU");
    }
    wait_for("the second vCPU did not come", || CAME.load(Relaxed) != 0)?;
    if CAME.load(Relaxed) != rounds + 1 {
        return Err("the second vCPU got another context id");
    }
    if psci::affinity_info(second) != psci::ON {
        return Err("AFFINITY_INFO of a running vCPU");
    }
    for round in 1..=rounds {
        gic::send(PING, second);
        wait_for("an SGI was lost", || PONGS.load(Relaxed) >= round)?;
    }
    STOPPED.store(true, Relaxed);
    gic::send(STOP, second);
    wait_for("the second vCPU did not go off", || psci::affinity_info(second) == psci::OFF)?;
    if (PINGS.load(Relaxed), PONGS.load(Relaxed)) != (rounds, rounds) {
        return Err("an SGI came twice");
    }
    Ok(())
}

/// Second CPU: called by the boot code with the context id.
pub(crate) extern "C" fn main(context: u64) -> ! {
    if let Err(what) = gic::open_later_cpu(DISTRIBUTOR.load(Relaxed), REDISTRIBUTORS.load(Relaxed)) {
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
pub(crate) fn on_sgi(intid: u32) {
    match intid {
        PING => {
            PINGS.store(PINGS.load(Relaxed) + 1, Relaxed);
            gic::send(PONG, FIRST.load(Relaxed));
        }
        PONG => PONGS.store(PONGS.load(Relaxed) + 1, Relaxed),
        _ => {}
    }
}

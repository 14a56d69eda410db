//! Two vCPUs that start a third: at the same time, and while it goes off. It comes exactly as often as CPU_ON said so to
//! either of them.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::psci::{self, status::*};
use guest_runtime::system_register::barrier;
use guest_runtime::wait::{spin_for, wait_for};
use guest_runtime::{Verdict, say};

/// Context id of the second vCPU: it calls as the first does.
pub(super) const CALLER: u64 = 1;
/// Of the third, while it has to stay until both have called; from here on the caller's number is in the second byte.
pub(super) const TARGET: u64 = 2;
/// Of the third, while it goes off at once.
pub(super) const BRIEF: u64 = 3;
/// The part of a context id that says which of these it is.
pub(super) const KIND: u64 = 0xff;

/// Both callers.
const CALLERS: [usize; 2] = [0, 1];

// The first vCPU stores these.
static ROUNDS: AtomicU64 = AtomicU64::new(0);
static THIRD: AtomicU64 = AtomicU64::new(0);
/// The round that both callers are to begin; the one after the last is the second race.
static ROUND: AtomicU64 = AtomicU64::new(0);

// Each caller stores its own.
static CALLED: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
static SUCCEEDED: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
/// Calls with a result that may not be.
static WRONG: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// How often each caller made the third vCPU come; that one stores.
static CAME: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// Both races.
pub(super) fn test(rounds: u64, second: u64, third: u64) -> Verdict {
    ROUNDS.store(rounds, Relaxed);
    THIRD.store(third, Relaxed);
    barrier();
    if psci::start(second, CALLER) != SUCCESS {
        return Err("CPU_ON of the second vCPU");
    }
    for round in 1..=rounds {
        ROUND.store(round, Relaxed);
        turn_on(0, TARGET);
        spin_for("a vCPU that races does not go on", || CALLED[1].load(Relaxed) == round)?;
        off(third)?;
        if sum(&SUCCEEDED) != round {
            return Err("two called CPU_ON at once, and not exactly one succeeded");
        }
    }
    say!("{rounds} times two raced for a third vCPU, and exactly one succeeded");
    ROUND.store(rounds + 1, Relaxed);
    turn_on_again_and_again(0)?;
    wait_for("a vCPU that races does not end", || psci::affinity_info(second) == psci::OFF)?;
    off(third)?;
    if sum(&WRONG) != 0 {
        return Err("CPU_ON in a race gave what it may not");
    }
    if CALLERS.iter().any(|&caller| CAME[caller].load(Relaxed) != SUCCEEDED[caller].load(Relaxed)) {
        return Err("a vCPU came more or less often than CPU_ON said");
    }
    say!("{} calls of CPU_ON raced with CPU_OFF, {} succeeded", sum(&CALLED) - 2 * rounds, sum(&SUCCEEDED) - rounds);
    Ok(())
}

fn off(third: u64) -> Verdict {
    spin_for("a vCPU did not go off", || psci::affinity_info(third) == psci::OFF)
}

fn sum(counts: &[AtomicU64; 2]) -> u64 {
    counts.iter().map(|count| count.load(Relaxed)).sum()
}

fn add_one(count: &AtomicU64) {
    count.store(count.load(Relaxed) + 1, Relaxed);
}

/// A caller calls CPU_ON once.
fn turn_on(caller: usize, kind: u64) {
    match psci::start(THIRD.load(Relaxed), kind | (caller as u64) << 8) {
        SUCCESS => add_one(&SUCCEEDED[caller]),
        ALREADY_ON | ON_PENDING => {}
        _ => add_one(&WRONG[caller]),
    }
    add_one(&CALLED[caller]);
}

/// A caller calls CPU_ON until the third vCPU has come as often as in the first race.
fn turn_on_again_and_again(caller: usize) -> Verdict {
    spin_for("a vCPU that goes off at once comes no more", || {
        turn_on(caller, BRIEF);
        sum(&CAME) >= 2 * ROUNDS.load(Relaxed)
    })
}

/// The second vCPU, for all rounds of both races. If the first never begins the next, it has found why.
pub(super) fn call() {
    let rounds = ROUNDS.load(Relaxed);
    let begins = |round| spin_for("", || ROUND.load(Relaxed) == round).is_ok();
    for _ in (1..=rounds).take_while(|&round| begins(round)) {
        turn_on(1, TARGET);
    }
    if begins(rounds + 1) {
        let _ = turn_on_again_and_again(1);
    }
}

/// The third vCPU: comes, and goes when both have called in this round.
pub(super) fn stay(context: u64) {
    come_and_go(context);
    let round = sum(&CAME);
    // What goes wrong here, the first vCPU finds.
    let _ = spin_for("", || CALLED.iter().all(|called| called.load(Relaxed) >= round));
}

/// The third vCPU: comes, and goes.
pub(super) fn come_and_go(context: u64) {
    if let Some(count) = CAME.get((context >> 8) as usize) {
        add_one(count);
    }
}

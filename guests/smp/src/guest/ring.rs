//! A token goes round all vCPUs, passed on by a store (and SEV, awaited in WFE, where the CPU has it). Whoever has it reads the counter, which
//! never runs backwards: the one before has read it earlier.

use super::cpu::{EVENT, barrier, send_event, wait_for_event};
use super::crew::{self, Task};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use guest_runtime::machine::own_index;
use guest_runtime::{Machine, Verdict, say, timer};

/// How long a turn may take before the token counts as lost: the slices of all that share a CPU, many times over.
const PATIENCE_MS: u64 = 60_000;

// The first vCPU stores these before the token goes round.
static CPUS: AtomicU64 = AtomicU64::new(0);
static TURNS: AtomicU64 = AtomicU64::new(0);
/// How often the token was passed on; its remainder by [`CPUS`] says who has it, who alone stores this and the next two.
static PASSED: AtomicU64 = AtomicU64::new(0);
/// The counter, as the last who had the token has read it.
static COUNTER: AtomicU64 = AtomicU64::new(0);
/// The counter ran backwards from one vCPU to the next.
static BACKWARDS: AtomicBool = AtomicBool::new(false);

/// The token comes to each vCPU `turns` times.
pub(super) fn test(machine: &Machine, turns: u64) -> Verdict {
    let others = 1..machine.cpus.len();
    CPUS.store(machine.cpus.len() as u64, Relaxed);
    TURNS.store(turns, Relaxed);
    barrier();
    others.clone().for_each(|index| crew::order(machine, index, Task::PassOn));
    for turn in 0..turns {
        timer::alarm(PATIENCE_MS);
        if !take(turn, || timer::count() == 0) {
            return Err("a token was lost, or came late");
        }
    }
    timer::stop();
    others.into_iter().try_for_each(crew::finish)?;
    if BACKWARDS.load(Relaxed) {
        return Err("the counter runs backwards from one vCPU to another");
    }
    say!("a token went round {turns} times by {EVENT}, and the counter never backwards");
    Ok(())
}

/// The other vCPUs.
pub(super) fn pass_on() {
    for turn in 0..TURNS.load(Relaxed) {
        take(turn, || true);
    }
}

/// Waits for the token as long as there is `patience`, reads the counter and passes the token on. Whether it came.
fn take(turn: u64, patience: impl Fn() -> bool) -> bool {
    let mine = turn * CPUS.load(Relaxed) + own_index() as u64;
    while PASSED.load(Relaxed) != mine {
        if !patience() {
            return false;
        }
        wait_for_event();
    }
    // Not before the token was there.
    barrier();
    let counter = timer::now();
    if counter < COUNTER.load(Relaxed) {
        BACKWARDS.store(true, Relaxed);
    }
    COUNTER.store(counter, Relaxed);
    barrier();
    PASSED.store(mine + 1, Relaxed);
    send_event();
    true
}

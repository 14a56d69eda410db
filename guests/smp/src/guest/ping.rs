//! Ping-pong: two vCPUs send each other an interrupt and sleep until the other's comes. No interrupt and no wake-up may be lost.

use super::crew::{self, Task};
use super::{PING, PONG};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Verdict, ipi, say, timer};

/// Rounds between two looks at the alarm's clock.
const BATCH: u64 = 1000;
/// One of so many rounds is enough for vCPUs other than the second.
const FEWER: u64 = 100;
/// How long a batch may take before something in it counts as lost.
const PATIENCE_MS: u64 = 60_000;

// The first vCPU stores the rounds and the pongs, its partner the pings.
static ROUNDS: AtomicU64 = AtomicU64::new(0);
static PINGS: AtomicU64 = AtomicU64::new(0);
static PONGS: AtomicU64 = AtomicU64::new(0);

/// Plays with the second vCPU, and shorter with each of the others.
pub(super) fn test(machine: &Machine, rounds: u64) -> Verdict {
    for index in 1..machine.cpus.len() {
        let rounds = if index == 1 { rounds } else { rounds.div_ceil(FEWER) };
        play(machine, index, rounds)?;
        if index == 1 {
            say!("{rounds} rounds of ping-pong with the second vCPU, none lost");
        }
    }
    if machine.cpus.len() > 2 {
        say!("{} rounds with each of the others", rounds.div_ceil(FEWER));
    }
    Ok(())
}

fn play(machine: &Machine, partner: usize, rounds: u64) -> Verdict {
    for count in [&PINGS, &PONGS] {
        count.store(0, Relaxed);
    }
    ROUNDS.store(rounds, Relaxed);
    crew::order(machine, partner, Task::Answer);
    for round in 0..rounds {
        if round % BATCH == 0 {
            timer::alarm(PATIENCE_MS);
        }
        ipi::send(PING, machine.cpus[partner]);
        wait_until(|| PONGS.load(Relaxed) > round || timer::count() > 0);
        if timer::count() > 0 {
            say!("round {round}: {} pings, {} pongs", PINGS.load(Relaxed), PONGS.load(Relaxed));
            return Err("an interrupt was lost, or came late");
        }
    }
    timer::stop();
    crew::finish(partner)?;
    if (PINGS.load(Relaxed), PONGS.load(Relaxed)) != (rounds, rounds) {
        return Err("an interrupt came twice");
    }
    Ok(())
}

/// The partner.
pub(super) fn answer() {
    for round in 0..ROUNDS.load(Relaxed) {
        wait_until(|| PINGS.load(Relaxed) > round);
        crew::send_to_first(PONG);
    }
}

/// Either vCPU: a ping or a pong came.
pub(super) fn on_ipi(number: u32) {
    let count = if number == PING { &PINGS } else { &PONGS };
    count.store(count.load(Relaxed) + 1, Relaxed);
}

//! The program: waits for its window, works, tells.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as cpu;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as cpu;

use core::hint::black_box;
use core::ops::Range;
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Program, Verdict, program, say, timer};

program!(Program::new("worker", main));

/// Steps of a piece of work: microseconds.
const STEPS: u32 = 1000;

fn main(machine: &Machine) -> Verdict {
    let seconds = |name, default| machine.number(name).unwrap_or(default) * timer::frequency();
    let start = machine.number("from-ms").map_or(seconds("from", 0), |from| from * timer::frequency() / 1000);
    let window = start..seconds("until", 1);
    cpu::open(machine)?;
    timer::open(machine)?;
    if timer::now() >= window.start {
        return Err("the window began before this worker came");
    }
    // A vCPU that shares no CPU has no record: nothing can be stolen from it.
    let stolen = || cpu::stolen_ns().unwrap_or(0);
    let before = stolen();
    timer::alarm((window.start - timer::now()) * 1000 / timer::frequency());
    wait_until(|| timer::count() > 0);
    match machine.number("pulse-ms") {
        Some(period_ms) => pulse(window, period_ms, machine.number("pulses").unwrap_or(u64::MAX)),
        None if machine.command_line.split_whitespace().any(|word| word == "storm") => work(window, cpu::exit),
        None => work(window, piece),
    }
    say!("{} ns stolen", stolen() - before);
    Ok(())
}

/// Works without a pause.
fn work(window: Range<u64>, piece: fn()) {
    let mut pieces: u64 = 0;
    while timer::now() < window.end {
        piece();
        pieces += 1;
    }
    say!("{pieces} pieces of work");
}

/// One piece of work every `period_ms`, `most` times at most.
fn pulse(window: Range<u64>, period_ms: u64, most: u64) {
    timer::start(period_ms);
    let first = timer::deadline();
    let period = timer::frequency() * period_ms / 1000;
    let due = window.end.saturating_sub(first) / period;
    let due = due.min(most);
    let (mut late, mut latest) = (0, 0);
    for pulse in 0..due {
        wait_until(|| timer::count() > pulse);
        let slip = timer::now() - (first + pulse * period);
        late += u64::from(slip >= period);
        latest = slip.max(latest);
        piece();
    }
    timer::stop();
    say!("{due} pulses, {late} of them when the next was due");
    say!("{} ns behind its time at most", latest * 1000 / (timer::frequency() / 1_000_000));
}

/// The work: an arithmetic that nothing can leave out.
fn piece() {
    let step = |value: u64, step| (value ^ u64::from(step)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    black_box((0..black_box(STEPS)).fold(1, step));
}

//! A line of the I/O APIC, the 8254's, to each vCPU in turn. Each edge is taken exactly once, by the one whom it was for.

use super::LINE;
use crate::guest::counters::Counters;
use crate::guest::crew;
use guest_runtime::wait::wait_unaided;
use guest_runtime::{Machine, Verdict, pit, say};

/// Clocks of the 8254 up to its edge: a quarter of a millisecond.
const CLOCKS: u16 = 300;
/// How often the line goes round.
const ROUNDS: u64 = 10;

/// Edges that each vCPU has taken.
static TAKEN: Counters = Counters::new();

/// All of it, where there is an 8254.
pub(super) fn test(machine: &Machine) -> Verdict {
    if !pit::is_there() {
        return Ok(());
    }
    let cpus = machine.cpus.len();
    for round in 1..=ROUNDS {
        for (index, &cpu) in machine.cpus.iter().enumerate() {
            machine.timer_line.route(LINE, cpu);
            pit::alarm(CLOCKS);
            wait_unaided("an interrupt of a line was lost", || TAKEN.get(index) >= round)?;
            if (0..cpus).any(|other| TAKEN.get(other) != round - u64::from(other > index)) {
                return Err("an interrupt of a line came twice, or to another vCPU than its route says");
            }
        }
    }
    machine.timer_line.mask(true);
    pit::stop();
    say!("{ROUNDS} times a line to each vCPU, by its route");
    Ok(())
}

/// Any vCPU: one came.
pub(super) fn on_line() {
    TAKEN.count();
    crew::report();
}

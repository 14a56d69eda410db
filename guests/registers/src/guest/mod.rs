//! The program: fills, waits, compares.

mod special;

use guest_runtime::cpu::write_xcr0;
use guest_runtime::fp::Registers;
use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Program, Verdict, ipi, program, say, timer};
use special::Special;

program!(Program::new("registers", main));

/// XCR0: x87 and SSE.
const NARROW: u64 = 0b11;
/// Longer than a slice of the CPU.
const WORK_MS: u64 = 6;

fn main(machine: &Machine) -> Verdict {
    let seed = machine.number("seed").ok_or("the command line has no `seed`")?;
    let rounds = machine.number("rounds").unwrap_or(100);
    ipi::open(machine)?;
    timer::open(machine)?;
    if machine.has_word("narrow") {
        write_xcr0(NARROW);
    }
    for round in 0..rounds {
        let special = Special::fill(seed << 32 | round);
        let registers = Registers::fill(seed.wrapping_mul(100).wrapping_add(round));
        timer::alarm(1);
        wait_until(|| timer::count() > 0);
        let end = timer::now() + timer::frequency() * WORK_MS / 1000;
        while timer::now() < end {
            core::hint::spin_loop();
        }
        registers.check()?;
        special.check()?;
    }
    say!("{rounds} rounds, and all registers were its own");
    Ok(())
}

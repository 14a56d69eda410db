//! The program: counts the rows that the command line asks for.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as cpu;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as cpu;

mod counts;

use guest_runtime::{Machine, Program, Verdict, program, say};

program!(Program::new("bench", main).with_secondary(cpu::second));

/// Rounds of a row, unless the command line says otherwise.
const ROUNDS: u64 = 1024;

fn main(machine: &Machine) -> Verdict {
    if machine.has_word("idle") {
        loop {
            cpu::wait_for_interrupt();
        }
    }
    if machine.has_word("spin") {
        cpu::spin();
    }
    cpu::open(machine)?;
    say!("start {}", cpu::start());
    cpu::settle(machine)?;
    let some = cpu::ROWS.iter().any(|row| machine.has_word(row.name));
    for row in cpu::ROWS.iter().filter(|row| if some { machine.has_word(row.name) } else { row.is_usual }) {
        let counts = (row.count)(machine, machine.number("rounds").unwrap_or(ROUNDS))?;
        if counts.rounds == 0 {
            continue;
        }
        say!("row {} {} {} {} {}", row.name, counts.rounds, counts.least, counts.total, counts.most);
    }
    say!("end");
    Ok(())
}

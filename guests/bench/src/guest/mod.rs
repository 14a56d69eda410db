//! The program: counts the rows that the command line asks for.

mod clock;
mod pair;
mod round;
mod rows;

use guest_runtime::system_register::wait_for_interrupt;
use guest_runtime::{Machine, Program, Verdict, gic, program, say};

program!(Program::new("bench", main).with_secondary(pair::second));

/// Rounds of a row, unless the command line says otherwise.
const ROUNDS: u64 = 1024;

fn main(machine: &Machine) -> Verdict {
    let asked = |name: &str| machine.command_line.split_whitespace().any(|word| word == name);
    if asked("idle") {
        loop {
            wait_for_interrupt();
        }
    }
    if asked("spin") {
        loop {
            core::hint::spin_loop();
        }
    }
    if machine.gic_version != 3 {
        return Err("the rows are those of a GICv3");
    }
    gic::open(machine)?;
    clock::check()?;
    say!("start {}", clock::start());
    rows::settle(machine)?;
    let some = rows::ROWS.iter().any(|row| asked(row.name));
    for row in rows::ROWS.iter().filter(|row| if some { asked(row.name) } else { row.is_usual }) {
        let counts = row.count(machine, machine.number("rounds").unwrap_or(ROUNDS))?;
        say!("row {} {} {} {} {}", row.name, counts.rounds, counts.least, counts.total, counts.most);
    }
    say!("end");
    Ok(())
}

//! The program: the tests in order, and the end.

mod functions;
mod life;
mod probe;
mod races;
mod refusals;
mod suspend;

use guest_runtime::{Machine, Program, Verdict, fail, gic, program, psci, say, timer};

program!(Program::new("psci", main).with_interrupts(|_| ()).with_secondary(secondary));

fn main(machine: &Machine) -> Verdict {
    gic::open(machine)?;
    timer::open(machine)?;
    timer::ticks()?;
    functions::test()?;
    refusals::test(machine)?;
    if let Some(second) = machine.second() {
        life::test(second)?;
    }
    if let [_, second, third, ..] = machine.cpus[..] {
        races::test(machine.number("races").unwrap_or(1000), second, third)?;
    }
    suspend::test()?;
    say!("all passed");
    let ends_with = |word| machine.command_line.split_whitespace().any(|found| found == word);
    if ends_with("cpu-off") {
        say!("switches its last vCPU off");
        psci::cpu_off();
        return Err("CPU_OFF returned");
    }
    if ends_with("reset2") {
        refusals::resets()?;
        say!("resets by SYSTEM_RESET2");
        psci::call(functions::SYSTEM_RESET2, [0; 3]);
        return Err("SYSTEM_RESET2 returned");
    }
    Ok(())
}

/// Every vCPU but the first. Which test started it is in the context id: [`life`] gives a record's address, whose
/// lowest byte is zero.
fn secondary(context: u64) -> ! {
    match context & races::KIND {
        races::CALLER => races::call(),
        races::TARGET => races::stay(context),
        races::BRIEF => races::come_and_go(context),
        _ => life::live(),
    }
    psci::cpu_off();
    fail("CPU_OFF returned")
}

/// A result that has to be.
fn expect(result: i64, expected: i64, what: &'static str) -> Verdict {
    if result == expected {
        return Ok(());
    }
    say!("{result} instead of {expected}");
    Err(what)
}

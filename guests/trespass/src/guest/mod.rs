//! The program: does the steps and says what came of each.

mod noise;
mod probes;
mod walk;

use crate::steps::{Step, parse};
use core::fmt::{Arguments, Display, Formatter, Result};
use guest_runtime::exceptions::{Exception, attempt};
use guest_runtime::psci::{self, Conduit};
use guest_runtime::{Machine, Program, Verdict, program, say};

program!(Program::new("trespass", main).with_interrupts(noise::on_interrupt).with_secondary(noise::second));

fn main(machine: &Machine) -> Verdict {
    let mut width = 4;
    for step in parse(machine.command_line) {
        match step {
            Ok(Step::Width(bytes)) if matches!(bytes, 1 | 2 | 4 | 8) => width = bytes,
            Ok(Step::Noise) => noise::begin(machine)?,
            Ok(step) => trespass(step, width)?,
            Err(word) => {
                say!("{word}");
                return Err("a word of the command line is no step");
            }
        }
    }
    say!("went on");
    Ok(())
}

fn trespass(step: Step, width: u64) -> Verdict {
    match step {
        Step::Width(_) => return Err("a width is 1, 2, 4 or 8"),
        Step::Noise => {}
        Step::Load(at) => gave(format_args!("load of {at:#x}"), attempt(|| probes::load(at, width))),
        Step::Store(at) => passed(format_args!("store to {at:#x}"), attempt(|| probes::store(at, width))),
        Step::Pair(at) => match attempt(|| probes::pair(at)) {
            Ok([first, second]) => say!("pair at {at:#x} gave {first:#x} and {second:#x}"),
            Err(exception) => say!("pair at {at:#x} took {}", Told(exception)),
        },
        Step::Fetch(at) => passed(format_args!("fetch from {at:#x}"), attempt(|| probes::fetch(at))),
        Step::Walk(at) => {
            let what = format_args!("walk of tables at {at:#x}");
            match walk::through(at) {
                Some(result) => gave(what, result),
                None => return Err("tables are in whole pages"),
            }
        }
        Step::Register => gave(format_args!("register"), attempt(probes::register)),
        Step::Instruction => {
            let ran_on = attempt(probes::instruction);
            passed(format_args!("instruction"), ran_on.map(drop));
            if !probes::ran_on() {
                return Err("the instruction after it was not executed");
            }
        }
        Step::Hvc(function) => call("hvc", Conduit::Hvc, function),
        Step::Smc(function) => call("smc", Conduit::Smc, function),
        Step::Storm(calls) => {
            let unknown = |_: &u64| psci::call(NO_FUNCTION, [0; 3]) == psci::status::NOT_SUPPORTED;
            say!("storm of {calls} calls, {} of a function that does not exist", (0..calls).filter(unknown).count());
        }
        Step::Spin => {
            say!("spins");
            probes::spin()
        }
        Step::Reset => {
            say!("resets");
            psci::system_reset()
        }
    }
    Ok(())
}

/// A function that PSCI does not have.
const NO_FUNCTION: u32 = 0x8400_00ff;

fn call(name: &str, conduit: Conduit, function: u64) {
    let result = attempt(|| psci::call_by(conduit, function as u32, [0; 3]));
    match result {
        Ok(value) => say!("{name} {function:#x} gave {:#x}", value as u64),
        Err(exception) => say!("{name} {function:#x} took {}", Told(exception)),
    }
}

/// What a load came to.
fn gave(what: Arguments<'_>, result: core::result::Result<u64, Exception>) {
    match result {
        Ok(value) => say!("{what} gave {value:#x}"),
        Err(exception) => say!("{what} took {}", Told(exception)),
    }
}

/// What something without a result came to.
fn passed(what: Arguments<'_>, result: core::result::Result<(), Exception>) {
    match result {
        Ok(()) => say!("{what} was no trouble"),
        Err(exception) => say!("{what} took {}", Told(exception)),
    }
}

/// An exception in words.
struct Told(Exception);

impl Display for Told {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Exception { syndrome, address } = self.0;
        // Classes of exceptions that leave the exception level as it is (DDI 0487, ESR_EL1.EC).
        match self.0.class() {
            0 => write!(f, "an undefined-instruction exception, ESR {syndrome:#x}"),
            0x21 => write!(f, "an instruction abort, ESR {syndrome:#x}, FAR {address:#x}"),
            0x25 => write!(f, "a data abort, ESR {syndrome:#x}, FAR {address:#x}"),
            _ => write!(f, "an exception, ESR {syndrome:#x}"),
        }
    }
}

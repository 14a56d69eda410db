//! The program: does the steps and says what came of each.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as cpu;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as cpu;

mod noise;

use crate::steps::{Step, parse};
use core::fmt::Arguments;
use guest_runtime::exceptions::Exception;
use guest_runtime::{Machine, Program, Verdict, program, say, system_reset};

program!(Program::new("trespass", main).with_interrupts(noise::on_interrupt).with_secondary(noise::other));

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
        Step::Load(at) => gave(format_args!("load of {at:#x}"), cpu::load(at, width)),
        Step::Store(at) => passed(format_args!("store to {at:#x}"), cpu::store(at, width)),
        Step::Pair(at) => match cpu::pair(at) {
            Ok([first, second]) => say!("pair at {at:#x} gave {first:#x} and {second:#x}"),
            Err(exception) => say!("pair at {at:#x} took {}", cpu::Told(exception)),
        },
        Step::Fetch(at) => passed(format_args!("fetch from {at:#x}"), cpu::fetch(at)),
        Step::Walk(at) => {
            let what = format_args!("walk of tables at {at:#x}");
            match cpu::walk(at) {
                Some(result) => gave(what, result),
                None => return Err("tables are in whole pages"),
            }
        }
        Step::Register => gave(format_args!("register"), cpu::register()),
        Step::Instruction => {
            let (taken, ran_on) = cpu::instruction();
            passed(format_args!("instruction"), taken);
            if !ran_on {
                return Err("the instruction after it was not executed");
            }
        }
        Step::Storm(calls) => {
            let unknown = (0..calls).filter(|_| cpu::call_is_unknown()).count();
            say!("storm of {calls} calls, {unknown} of a function that does not exist");
        }
        Step::Spin => {
            say!("spins");
            cpu::spin()
        }
        Step::Reset => {
            say!("resets");
            system_reset()
        }
        // One of the CPU's own.
        step => return cpu::trespass(step, width),
    }
    Ok(())
}

/// What a load came to.
fn gave(what: Arguments<'_>, result: Result<u64, Exception>) {
    match result {
        Ok(value) => say!("{what} gave {value:#x}"),
        Err(exception) => say!("{what} took {}", cpu::Told(exception)),
    }
}

/// What something without a result came to.
fn passed(what: Arguments<'_>, result: Result<(), Exception>) {
    match result {
        Ok(()) => say!("{what} was no trouble"),
        Err(exception) => say!("{what} took {}", cpu::Told(exception)),
    }
}

//! The program: chooses by the command line.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as cpu;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as cpu;

use guest_runtime::wait::wait_until;
use guest_runtime::{Machine, Program, Verdict, program, timer};

program!(Program::new("stop", main).with_interrupts(cpu::interrupt));

fn main(machine: &Machine) -> Verdict {
    cpu::open(machine)?;
    timer::open(machine)?;
    let word = machine.command_line.split_whitespace().next().unwrap_or_default();
    if word == "sleep" {
        loop {
            wait_until(|| false);
        }
    }
    cpu::run(word, machine).unwrap_or(Err("the command line says nothing that this program knows"))
}

//! The program: chooses by the command line.

mod com2;
mod hpet;
mod rtc;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use guest_runtime::machine::{Line, Polarity, Trigger, own_id};
use guest_runtime::{Machine, Program, Verdict, apic, program, say, timer};

program!(Program::new("passed", main).with_interrupts(interrupt));

/// Vectors of the lines.
const COM2: u32 = 0x40;
const RTC: u32 = 0x50;
const HPET: u32 = 0x60;

fn main(machine: &Machine) -> Verdict {
    apic::open(machine)?;
    timer::open(machine)?;
    for word in machine.command_line.split_whitespace() {
        match word {
            "com2" => com2::write()?,
            "rtc" => rtc::count()?,
            "hpet" => hpet::count()?,
            "storm" => hpet::storm()?,
            "edges" => com2::storm()?,
            "reset" => hpet::reset()?,
            _ => return Err("a word of the command line is no test"),
        }
    }
    Ok(())
}

fn interrupt(vector: u32) {
    match vector {
        COM2 => com2::took(),
        RTC => rtc::took(),
        HPET => hpet::took(),
        _ => say!("interrupt {vector}"),
    }
}

/// Line `number`, triggered so, to this CPU.
fn open(number: u32, trigger: Trigger, vector: u32) {
    Line { number, trigger, polarity: Polarity::High }.route(vector, own_id());
}

/// Interrupts of one device: its handler alone counts.
struct Count(AtomicU32);

impl Count {
    const fn new() -> Count {
        Count(AtomicU32::new(0))
    }

    fn get(&self) -> u32 {
        self.0.load(Relaxed)
    }

    fn one(&self) {
        self.0.store(self.get() + 1, Relaxed);
    }
}

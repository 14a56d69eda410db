//! The program: reads what it is to do, does it, and says what came of it.

mod batch;
mod floods;
mod tables;
mod vectors;
mod world;

use crate::attack::{ATTACKS, Class, Random};
use crate::options::{Options, What};
use core::fmt::{Display, Formatter, Result};
use guest_runtime::system_register::mask_interrupts;
use guest_runtime::{Machine, Program, Verdict, gic, program, psci, say, timer, uart};
use vectors::Counts;

program!(Program::new("hostile", main).with_secondary(second));

/// Attacks between two lines about how far it is.
const PROGRESS: u64 = 1 << 20;

/// A CPU that an attack turned on.
fn second(_context: u64) -> ! {
    psci::cpu_off();
    guest_runtime::fail("a CPU went on after CPU_OFF")
}

fn main(machine: &Machine) -> Verdict {
    let mut typed = [0; 80];
    let text = match machine.command_line {
        "ask" => ask(&mut typed),
        words => words,
    };
    let options = match Options::parse(text) {
        Ok(options) => options,
        Err(word) => {
            say!("{word}");
            return Err("a word that is no option");
        }
    };
    match options.seed {
        Some(seed) => say!("class={} seed={seed:#x} operations={}", options.name(), options.operations),
        None => say!("class={} in order", options.name()),
    }
    // A timer that has run out: whatever waits for an interrupt has one.
    gic::open(machine)?;
    mask_interrupts();
    timer::open(machine)?;
    timer::alarm(0);
    let world = world::of(machine)?;
    world::map();
    vectors::open();
    let before = vectors::counts();
    let done = match options.what {
        What::Made(class) => made(machine, class, &options, &world)?,
        What::Tables => tables::walk(&options, &world)?,
        What::Exits => floods::exits(options.operations),
        What::Sgis => floods::sgis(options.operations)?,
        What::Timer => floods::timer(options.operations)?,
        What::Reset => psci::system_reset(),
        What::Spin => floods::spin(),
    };
    // An attack may have left the UART in any state.
    uart::open(&machine.uart);
    say!("done: {done} operations, {}", Taken(vectors::counts() - before));
    Ok(())
}

/// Attacks of a class, in order or at random.
fn made(
    machine: &Machine,
    class: Class,
    options: &Options,
    world: &crate::attack::World,
) -> core::result::Result<u64, &'static str> {
    let mut random = Random::new(options.seed.unwrap_or(0));
    let (mut done, mut told) = (0, 0);
    let has_32 = world::has_32_bit();
    if class == Class::El032 && !has_32 {
        say!("this CPU has no 32-bit code");
        return Ok(0);
    }
    loop {
        let taken = vectors::counts();
        let kind = class.of_batch(&mut random, has_32);
        let code = batch::with(kind == Class::El032, |code| {
            let limit = if options.lists { 1 } else { ATTACKS };
            while code.attacks() < limit {
                if options.seed.is_some() {
                    kind.attack(&mut random, world, code);
                } else if !kind.in_order(done + code.attacks(), world, code) {
                    break;
                }
            }
        });
        if code.attacks() == 0 || options.seed.is_some() && done >= options.operations {
            return Ok(done);
        }
        if let Err(wrong) = batch::run(code) {
            uart::open(&machine.uart);
            say!("after {done} operations and {} more of {kind:?}: {wrong}", code.attacks());
            code.words().chunks(8).for_each(|words| say!("{words:08x?}"));
            return Err("a register is not what it has to be");
        }
        if options.lists && taken.all() == vectors::counts().all() {
            say!("{done:#x}");
        }
        done += code.attacks();
        if done - told >= PROGRESS {
            told = done;
            uart::open(&machine.uart);
            say!("{done} operations");
        }
    }
}

/// The line that is typed.
fn ask(line: &mut [u8; 80]) -> &str {
    say!("which attack?");
    let mut length = 0;
    loop {
        match uart::receive() {
            Some(b'\r' | b'\n') => break,
            Some(byte) if length < line.len() => {
                line[length] = byte;
                length += 1;
            }
            _ => core::hint::spin_loop(),
        }
    }
    core::str::from_utf8(&line[..length]).unwrap_or("?")
}

/// Exceptions in words.
struct Taken(Counts);

impl Display for Taken {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Counts { undefined, data, fetch, call, other, interrupts, errors } = self.0;
        write!(f, "undefined {undefined}, data aborts {data}, fetch aborts {fetch}, calls {call}, other {other}, ")?;
        write!(f, "interrupts {interrupts}, errors {errors}")
    }
}

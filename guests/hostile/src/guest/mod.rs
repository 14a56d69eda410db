//! The program: reads what it is to do, does it, and says what came of it.

use crate::cpu::attack::{ATTACKS, Class, World};
use crate::cpu::{self, NAMES, What, batch, restore_console, vectors};
use crate::options::Options;
use crate::random::Random;
use guest_runtime::{Machine, Program, Verdict, program, say, uart};

program!(Program::new("hostile", main).with_secondary(cpu::second));

/// Attacks between two lines about how far it is.
pub(crate) const PROGRESS: u64 = 1 << 20;

fn main(machine: &Machine) -> Verdict {
    let mut typed = [0; 80];
    let text = match machine.command_line {
        "ask" => ask(&mut typed),
        words => words,
    };
    let options = match Options::parse(text, NAMES) {
        Ok(options) => options,
        Err(word) => {
            say!("{word}");
            return Err("a word that is no option");
        }
    };
    match options.seed {
        Some(seed) => say!("class={} seed={seed:#x} operations={}", options.name, options.operations),
        None => say!("class={} in order", options.name),
    }
    let world = cpu::open(machine)?;
    let before = vectors::counts();
    let done = match options.what {
        What::Made(class) => made(machine, class, &options, &world)?,
        _ => cpu::do_other(&options, &world)?,
    };
    restore_console(machine);
    say!("done: {done} operations, {}", vectors::counts() - before);
    Ok(())
}

/// Attacks of a class, in order or at random.
fn made(machine: &Machine, class: Class, options: &Options<What>, world: &World) -> Result<u64, &'static str> {
    let mut random = Random::new(options.seed.unwrap_or(0));
    let (mut done, mut told) = (0, 0);
    if !class.is_possible(world) {
        say!("this CPU has nothing of the kind");
        return Ok(0);
    }
    loop {
        let taken = vectors::counts();
        let kind = class.of_batch(&mut random, world);
        let code = batch::with(kind, |code| {
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
            restore_console(machine);
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
            restore_console(machine);
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

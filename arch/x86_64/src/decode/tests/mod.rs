//! Tests of the decoder: against `iced-x86`, the arithmetic against a model of single bits, and what instructions do.

mod apply;
mod arithmetic;
mod bounds;
mod iced;
mod oracle;

use super::{Error, Instruction, Mode, Registers, decode};

/// A small generator, so that a run's cases do not depend on the machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 16) as usize % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// The instruction at the beginning of a slice.
fn decoded(bytes: &[u8], mode: Mode) -> Result<Instruction, Error> {
    decode(bytes.into(), mode)
}

/// A vCPU's registers.
#[derive(Clone, Debug, Default, PartialEq)]
struct Cpu {
    general: [u64; 16],
    flags: u64,
}

impl Registers for Cpu {
    fn get(&self, number: u8) -> u64 {
        self.general[usize::from(number)]
    }

    fn set(&mut self, number: u8, value: u64) {
        self.general[usize::from(number)] = value;
    }

    fn flags(&self) -> u64 {
        self.flags
    }

    fn set_flags(&mut self, flags: u64) {
        self.flags = flags;
    }
}

//! An exception that EL2 took from itself, with all that the CPU says about it, for the report of a failure.

use core::fmt;

use crate::cpu::FaultRegisters;
use crate::entry::FatalFrame;
use crate::syndrome::{OwnException, Syndrome};

/// What the vectors hand to `ostler_fatal`.
#[derive(Debug)]
pub struct Fault {
    exception: OwnException,
    registers: FaultRegisters,
}

impl Fault {
    /// The exception that was taken last, by `vector`.
    pub fn read(vector: u64, _frame: &FatalFrame) -> Fault {
        let registers = FaultRegisters::read();
        Fault { exception: OwnException { vector, syndrome: Syndrome(registers.esr), far: registers.far }, registers }
    }

    /// The data address at fault, if the exception has one.
    pub fn data_address(&self) -> Option<u64> {
        self.exception.data_address()
    }

    /// The CPU's registers about it.
    pub fn registers(&self) -> impl fmt::Display {
        let FaultRegisters { esr, far, elr, spsr } = self.registers;
        fmt::from_fn(move |f| write!(f, "pc {elr:#x} pstate {spsr:#x} esr {esr:#x} far {far:#x}"))
    }
}

/// What happened, in words, and where.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, pc {:#x}", self.exception, self.registers.elr)
    }
}

impl FatalFrame {
    /// The address that the function would return to that was running.
    pub fn link(&self) -> u64 {
        let [.., link] = self.x;
        link
    }

    /// The stack pointer.
    pub fn sp(&self) -> u64 {
        self.sp
    }

    /// Row `index` of the registers, in words; `None` after the last one.
    pub fn row(&self, index: usize) -> Option<impl fmt::Display> {
        let registers = self.x.chunks(4).nth(index);
        let is_sp = index == self.x.len().div_ceil(4);
        (registers.is_some() || is_sp).then(|| {
            fmt::from_fn(move |f| match registers {
                Some(registers) => write!(f, "x{:<2} {registers:016x?}", index.saturating_mul(4)),
                None => write!(f, "sp {:#x}", self.sp),
            })
        })
    }
}

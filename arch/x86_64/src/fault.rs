//! An exception that the hypervisor took from itself, with all that the CPU says about it, for the report of a failure.

use core::fmt;

use crate::cpu::FaultRegisters;
use crate::entry::FatalFrame;
use crate::exception::OwnException;
use crate::machine_check;

/// What the vectors hand to `ostler_fatal`.
#[derive(Debug)]
pub struct Fault {
    exception: OwnException,
    rip: u64,
    rflags: u64,
}

impl Fault {
    /// The exception that was taken last, by `vector`, with `frame`.
    pub fn read(vector: u64, frame: &FatalFrame) -> Fault {
        let FaultRegisters { cr2, .. } = FaultRegisters::read();
        let exception = OwnException { vector, error: frame.error, address: cr2 };
        Fault { exception, rip: frame.rip, rflags: frame.rflags }
    }

    /// The data address at fault, if the exception has one.
    pub fn data_address(&self) -> Option<u64> {
        self.exception.data_address()
    }

    /// The CPU's registers about it.
    pub fn registers(&self) -> impl fmt::Display {
        let Fault { exception: OwnException { error, address, .. }, rip, rflags } = *self;
        fmt::from_fn(move |f| write!(f, "rip {rip:#x} rflags {rflags:#x} error {error:#x} cr2 {address:#x}"))
    }
}

/// What happened, in words, and where.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, rip {:#x}", self.exception, self.rip)?;
        if self.exception.vector == machine_check::VECTOR { write!(f, "{}", machine_check::Banks) } else { Ok(()) }
    }
}

impl FatalFrame {
    /// The address that the function would return to that was running: it is on the stack like all others.
    pub fn link(&self) -> u64 {
        0
    }

    /// The stack pointer.
    pub fn sp(&self) -> u64 {
        self.rsp
    }

    /// Row `index` of the registers, in words; `None` after the last one.
    pub fn row(&self, index: usize) -> Option<impl fmt::Display> {
        let first = index.saturating_mul(4);
        let row = self.registers.chunks(4).zip(FatalFrame::NAMES.chunks(4)).nth(index);
        let is_sp = first == self.registers.len().next_multiple_of(4);
        (row.is_some() || is_sp).then(|| {
            fmt::from_fn(move |f| match row {
                Some((registers, names)) => {
                    let mut pairs = names.iter().zip(registers);
                    pairs.try_for_each(|(name, value)| write!(f, "{name:<3} {value:016x} "))
                }
                None => write!(f, "rsp {:#x}", self.rsp),
            })
        })
    }
}

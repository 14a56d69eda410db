//! What a PC's tables say of the devices that the hypervisor itself uses.

use core::fmt;

use arch_x86_64::board::{Board, MAX_PAGES};
use arrayvec::ArrayVec;

use crate::facts::{self, Region};

/// All that Ostler wants to know of the board.
pub type Facts = facts::Facts<Hardware, Note>;

/// The devices that the hypervisor itself uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardware {
    /// The CPU's surroundings: interrupt controllers, power, clocks.
    pub board: Board,
    /// The console.
    pub console: Option<Uart>,
    /// The pages that the hypervisor itself reaches as device memory.
    pub regions: ArrayVec<Region, MAX_PAGES>,
}

/// The console: a 16550.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uart {
    /// The first of its eight ports.
    pub port: u16,
    /// The global system interrupt that it raises.
    pub line: Option<u32>,
}

impl Uart {
    /// What `arch::uart::Uart::new` takes.
    pub fn address(&self) -> u64 {
        u64::from(self.port)
    }

    /// Its registers, if they are memory: they are not.
    pub fn registers(&self) -> Option<&Region> {
        None
    }

    /// The number of its interrupt.
    pub fn interrupt(&self) -> Option<u32> {
        self.line
    }
}

/// Something that was not used, or is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The table.
    pub table: &'static str,
    /// What is with it, as the rest of a sentence that starts with the table's name.
    pub why: &'static str,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.why)
    }
}

/// Why a board's tables can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What the boot loader gave us is not what its protocol says.
    Protocol(&'static str),
    /// A table that nothing works without is missing.
    Missing(&'static str),
    /// A table ends early.
    Truncated(&'static str),
    /// More of something than there is room for.
    TooMany(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Protocol(what) => write!(f, "the boot loader's {what}"),
            Fault::Missing(table) => write!(f, "there is no {table}"),
            Fault::Truncated(table) => write!(f, "the {table} is truncated"),
            Fault::TooMany(what) => write!(f, "more {what} than Ostler has room for"),
        }
    }
}

impl Facts {
    /// Keeps a note; one too many is no reason not to boot.
    pub(super) fn note(&mut self, table: &'static str, why: &'static str) {
        let _ = self.notes.try_push(Note { table, why });
    }
}

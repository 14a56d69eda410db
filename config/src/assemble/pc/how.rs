//! How an x86 program wants to be started.

use loader::{BzImage, Multiboot};

use super::BELOW_4G;
use crate::assemble::claims::Range;
use crate::assemble::floor::ANYWHERE;

/// The boot protocol of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::assemble) enum How {
    /// From its first byte: in real mode below 1 MiB, else in 32-bit mode.
    Raw,
    /// ELF of 64 bits: as a Linux kernel, at its entry point (arm64's too).
    Plain,
    /// ELF of 32 bits: as a Linux kernel, at its entry point.
    Plain32,
    /// A `bzImage`.
    Linux(Setup),
    /// By its PVH note.
    Pvh,
    /// By its multiboot header.
    Multiboot(Multiboot),
}

/// What of a `bzImage` counts after it is in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::assemble) struct Setup {
    /// The setup header, for the zero page.
    pub(super) header: Vec<u8>,
    pub(super) has_64_bit_entry: bool,
    initrd_last: u64,
    /// Longest command line.
    pub(super) cmdline_bytes: u64,
}

impl Setup {
    /// What `kernel` says.
    pub(in crate::assemble) fn new(kernel: &BzImage) -> Setup {
        Setup {
            header: kernel.header.to_vec(),
            has_64_bit_entry: kernel.has_64_bit_entry,
            initrd_last: kernel.initrd_last,
            cmdline_bytes: kernel.cmdline_bytes,
        }
    }
}

impl How {
    /// Where its RAM disk may be.
    pub(in crate::assemble) fn initrd_reach(&self) -> Range {
        match self {
            // A header without the field means what the field's comment does (boot.rst, initrd_addr_max).
            How::Linux(setup) => match setup.initrd_last {
                0 => Range { start: 0, end: 0x3800_0000 },
                last => Range { start: 0, end: last.saturating_add(1) },
            },
            How::Raw | How::Plain => ANYWHERE,
            How::Plain32 | How::Pvh | How::Multiboot(_) => BELOW_4G,
        }
    }
}

/// What a kernel wants of its place, behind "it takes so many bytes in one piece".
pub(in crate::assemble) fn wish(kernel: &BzImage) -> String {
    match kernel.alignment {
        Some(_) => format!(" at or above {:#x}", kernel.preferred),
        None => format!(" at {:#x}", kernel.preferred),
    }
}

//! Why a file is no image for a guest here, in words for its user.

use core::fmt;

use crate::Cpu;

/// The reason that a file was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The file has no bytes.
    Empty,
    /// The file ends before what its own headers promise: a copy or a download that stopped.
    Truncated {
        /// The format by its headers.
        format: &'static str,
        /// Number of bytes that the headers promise.
        needs: u64,
        /// Number of bytes that are there.
        has: u64,
    },
    /// The headers contradict themselves.
    Malformed {
        /// The format by its first bytes.
        format: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// A program for another CPU, or for this one in a mode that guests do not start in.
    OtherCpu {
        /// The CPU.
        cpu: &'static str,
        /// The format.
        format: &'static str,
        /// Whose programs guests are.
        here: Cpu,
    },
    /// A known format that holds no program, or wraps one in a way that is not undone here.
    OtherFormat {
        /// The format.
        format: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
}

impl Error {
    /// What the user can do about it, if that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Truncated { .. } => Some("copy or download the file again"),
            Error::OtherCpu { here, .. } => Some(here.programs()),
            Error::OtherFormat { hint, .. } => Some(hint),
            Error::Malformed { format, .. } => malformed_hint(format),
            Error::Empty => None,
        }
    }
}

/// Where to look for what is right in a format.
fn malformed_hint(format: &str) -> Option<&'static str> {
    match format {
        crate::multiboot::FORMAT => {
            Some("correct the header in the program's source: Multiboot specification 0.6.96, section 3.1")
        }
        crate::multiboot::FORMAT_2 => {
            Some("correct the header in the program's source: Multiboot2 specification 2.0, section 3.1")
        }
        crate::bzimage::FORMAT => Some("take the kernel from its package or its build again: the file is damaged"),
        crate::elf_file::FORMAT => Some("link the program again; `readelf -hl FILE` shows what its headers say"),
        _ => None,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Empty => f.write_str("the file is empty"),
            Error::Truncated { format, needs, has } => {
                write!(f, "the {format} is truncated: it needs {needs} bytes and the file has {has}")
            }
            Error::Malformed { format, what } => write!(f, "the {format} is malformed: {what}"),
            Error::OtherCpu { cpu, format, .. } => write!(f, "this is a program for another CPU: {format} for {cpu}"),
            Error::OtherFormat { format, .. } => write!(f, "this is {format}, not a guest's program"),
        }
    }
}

impl core::error::Error for Error {}

//! An exception that the hypervisor took from itself, in words. It is a bug of ours: what is left is to say what happened.

use core::fmt::{self, Display, Formatter};

/// Page fault.
const PAGE_FAULT: u64 = 14;

/// What happened: the vector, and what describes it.
#[derive(Clone, Copy, Debug)]
pub struct OwnException {
    /// Number of the exception (APM volume 2, 8.1).
    pub vector: u64,
    /// Its error code; zero if it has none.
    pub error: u64,
    /// CR2: the address of the last page fault.
    pub address: u64,
}

impl OwnException {
    /// The data address at fault, if the exception has one.
    pub fn data_address(&self) -> Option<u64> {
        (self.vector == PAGE_FAULT && self.error & FETCH == 0).then_some(self.address)
    }
}

// A page fault's error code (APM volume 2, 8.4.2).
const PRESENT: u64 = 1 << 0;
const WRITE: u64 = 1 << 1;
const RESERVED: u64 = 1 << 3;
const FETCH: u64 = 1 << 4;

/// Names of the vectors, as the manuals have them (APM volume 2, table 8-1).
fn name(vector: u64) -> &'static str {
    match vector {
        0 => "divide error",
        1 => "debug exception",
        2 => "non-maskable interrupt",
        3 => "breakpoint",
        4 => "overflow",
        5 => "bound range exceeded",
        6 => "invalid opcode",
        7 => "device not available",
        8 => "double fault",
        10 => "invalid task-state segment",
        11 => "segment not present",
        12 => "stack fault",
        13 => "general protection fault",
        14 => "page fault",
        16 => "x87 exception",
        17 => "alignment check",
        18 => "machine check",
        19 => "SIMD exception",
        20 => "virtualization exception",
        21 => "control protection exception",
        28 => "hypervisor injection exception",
        29 => "VMM communication exception",
        30 => "security exception",
        _ => "exception that there is not",
    }
}

impl Display for OwnException {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let &OwnException { vector, error, address } = self;
        if vector != PAGE_FAULT {
            write!(f, "{} (vector {vector})", name(vector))?;
            return if error == 0 { Ok(()) } else { write!(f, ", error code {error:#x}") };
        }
        let what = if error & FETCH != 0 {
            "instruction fetch from"
        } else if error & WRITE != 0 {
            "store to"
        } else {
            "load from"
        };
        let why = if error & RESERVED != 0 {
            "a reserved bit is set in its translation"
        } else if error & PRESENT != 0 {
            "what is mapped there forbids it"
        } else {
            "nothing is mapped there"
        };
        write!(f, "{what} {address:#x}: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(vector: u64, error: u64) -> String {
        OwnException { vector, error, address: 0x1000 }.to_string()
    }

    #[test]
    fn page_faults_say_what_was_tried_and_why_it_failed() {
        assert_eq!(said(14, 0), "load from 0x1000: nothing is mapped there");
        assert_eq!(said(14, 0b11), "store to 0x1000: what is mapped there forbids it");
        assert_eq!(said(14, 0b1_0001), "instruction fetch from 0x1000: what is mapped there forbids it");
        assert_eq!(said(14, 0b1001), "load from 0x1000: a reserved bit is set in its translation");
        let address = |error| OwnException { vector: 14, error, address: 0x1000 }.data_address();
        assert_eq!((address(0b10), address(0b1_0000)), (Some(0x1000), None));
    }

    #[test]
    fn others_have_a_name_and_perhaps_an_error_code() {
        assert_eq!(said(8, 0), "double fault (vector 8)");
        assert_eq!(said(13, 0x18), "general protection fault (vector 13), error code 0x18");
        assert_eq!(said(200, 0), "exception that there is not (vector 200)");
        assert_eq!(OwnException { vector: 13, error: 0, address: 1 }.data_address(), None);
    }
}

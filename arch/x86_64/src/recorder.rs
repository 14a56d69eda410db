//! What a record of the flight recorder says of an exit: the code, and the low bits of EXITINFO1.
#![forbid(unsafe_code)]

use core::fmt;

pub use arch_common::recorder::{CAUSE_BITS, Cause, RECORDS, RING_BYTES, Recorder, Tag};

use crate::svm::exit_code;

/// What this CPU says of an exit.
pub type Said = Recorded;

/// A record of ours.
pub type Record = arch_common::recorder::Record<Recorded>;

/// Bits of the exit's code; EXITINFO1 lies above.
pub(crate) const CODE_BITS: u32 = 12;

/// Why a guest was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The exit's code.
    pub code: u64,
    /// EXITINFO1, or what there is room for.
    pub info: u64,
}

impl Cause for Recorded {
    fn of(bits: u64) -> Recorded {
        Recorded { code: bits & ((1 << CODE_BITS) - 1), info: bits >> CODE_BITS }
    }

    fn is_of_address(&self) -> bool {
        self.code == exit_code::NESTED_PAGE_FAULT
    }

    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Recorded { code, info } = self;
        match code {
            exit_code::PORT => write!(f, "port {:#x}", info >> 16),
            exit_code::INTERRUPT => f.write_str("interrupt"),
            _ => write!(f, "{} ({code:#x}), {info:#x}", exit_code::name(code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_say_what_left_the_guest() {
        let told = |code, info: u64| Record::of([1, 0x10, info << CODE_BITS | code, 0xfee0_0000]).to_string();
        assert_eq!(told(0x7b, 0x03f8_0010), "pc 0x10 port 0x3f8");
        assert_eq!(told(0x400, 1 << 32 | 6), "pc 0x10 nested page fault (0x400), 0x100000006, at 0xfee00000");
        assert_eq!(told(0x60, 0), "pc 0x10 interrupt");
        assert_eq!(told(0x7c, 1), "pc 0x10 MSR (0x7c), 0x1");
    }
}

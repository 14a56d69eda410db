//! The flight recorder on arm64: an exception is recorded by its syndrome.

use core::fmt;

pub use arch_common::recorder::{CAUSE_BITS, Cause, INTERRUPT, RECORDS, RING_BYTES, Recorder, Tag};

use crate::syndrome::Syndrome;

/// What this CPU says of an exit.
pub type Said = Syndrome;

/// One exit.
pub type Record = arch_common::recorder::Record<Said>;

/// No more bits of ESR_EL2 are defined than fit, of ISS2 only the lower ones (DDI 0487 D24.2).
impl Cause for Syndrome {
    fn of(bits: u64) -> Syndrome {
        Syndrome(bits)
    }

    fn is_of_address(&self) -> bool {
        self.is_abort()
    }

    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, syndrome {:#x}", self.class_name(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syndrome_is_told_in_words() {
        let of = |cause| Record::of([9, 0x4008_0000, Tag::new(3, 1).word() | cause, 0x0904_0000]).to_string();
        assert_eq!(of(0x9300_0047), "pc 0x40080000 store, syndrome 0x93000047, at 0x9040000");
    }
}

//! Events as the VMCB has them: EVENTINJ, and EXITINTINFO alike (APM volume 2, 15.20 and 15.7.2).
#![forbid(unsafe_code)]

use crate::inject::Event;

/// Bit 31: there is one. All other bits may be stale without it.
pub const VALID: u64 = 1 << 31;
/// Bit 11: there is an error code.
const HAS_ERROR: u64 = 1 << 11;

/// Bits 10:8.
mod kind {
    pub(super) const INTERRUPT: u64 = 0;
    pub(super) const NMI: u64 = 2;
    pub(super) const EXCEPTION: u64 = 3;
}

/// `event` for EVENTINJ.
pub const fn encode(event: Event) -> u64 {
    let (kind, vector, error) = match event {
        Event::Interrupt(vector) => (kind::INTERRUPT, vector, None),
        // The vector is ignored.
        Event::Nmi => (kind::NMI, 2, None),
        Event::Exception { vector, error } => (kind::EXCEPTION, vector, error),
    };
    let error = match error {
        Some(error) => HAS_ERROR | (error as u64) << 32,
        None => 0,
    };
    VALID | error | kind << 8 | vector as u64
}

/// What has to be delivered once more when `info`, from EXITINTINFO, was not. INT n, INT3 and INTO are not among it: RIP is at
/// the instruction still, and it is executed again, whether or not the CPU knows where the next one is.
pub const fn undelivered(info: u64) -> Option<Event> {
    if info & VALID == 0 {
        return None;
    }
    let vector = info as u8;
    let error = if info & HAS_ERROR != 0 { Some((info >> 32) as u32) } else { None };
    match info >> 8 & 7 {
        kind::INTERRUPT => Some(Event::Interrupt(vector)),
        kind::NMI => Some(Event::Nmi),
        kind::EXCEPTION if vector != 3 && vector != 4 => Some(Event::Exception { vector, error }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn events_are_what_the_manual_says() {
        assert_eq!(encode(Event::Interrupt(0x20)), 0x8000_0020);
        assert_eq!(encode(Event::Nmi), 0x8000_0202);
        assert_eq!(encode(Event::Exception { vector: 6, error: None }), 0x8000_0306);
        assert_eq!(encode(Event::Exception { vector: 14, error: Some(2) }), 0x2_8000_0b0e);
    }

    #[test]
    fn software_interrupts_are_executed_again() {
        assert_eq!(undelivered(0x8000_0480), None, "INT 0x80");
        assert_eq!(undelivered(0x8000_0303), None, "INT3");
        assert_eq!(undelivered(0x8000_0304), None, "INTO");
        assert_eq!(undelivered(0x0000_030e), None, "stale");
    }

    proptest! {
        #[test]
        fn what_was_not_delivered_comes_again(vector in prop_oneof![5u8..32, Just(0), Just(1)], error: Option<u32>) {
            for event in [Event::Exception { vector, error }, Event::Interrupt(vector), Event::Nmi] {
                prop_assert_eq!(undelivered(encode(event)), Some(event));
            }
        }
    }
}

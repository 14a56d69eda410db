//! The reset control register of PC chipsets, port 0xcf9 (Intel ICH9 data sheet, RST_CNT), which ACPI names as its reset
//! register.

use crate::{Registers, Request, Width};

/// The reset is one of the whole system, not of the CPU alone. Here that is the same.
const SYSTEM: u8 = 1 << 1;
/// The reset comes when this bit rises.
const RESET: u8 = 1 << 2;
/// The reset takes the power away for a while.
const FULL: u8 = 1 << 3;

/// One reset control register.
#[derive(Debug)]
pub struct ResetControl {
    value: u8,
    request: Option<Request>,
    /// The VM stops: no request.
    quiesced: bool,
}

impl ResetControl {
    /// Number of ports.
    pub const FRAME_BYTES: u64 = 1;

    /// The register after power-on.
    #[expect(clippy::new_without_default, reason = "as the other devices")]
    pub const fn new() -> ResetControl {
        ResetControl { value: 0, request: None, quiesced: false }
    }
}

impl Registers for ResetControl {
    fn read(&mut self, offset: u64, _: Width) -> u64 {
        if offset == 0 { self.value.into() } else { 0 }
    }

    fn write(&mut self, offset: u64, _: Width, value: u64) {
        if offset == 0 {
            let value = value.to_le_bytes()[0] & (SYSTEM | RESET | FULL);
            let before = core::mem::replace(&mut self.value, value);
            if value & !before & RESET != 0 && !self.quiesced {
                self.request = Some(Request::Reset);
            }
        }
    }

    /// It has none.
    fn line(&self) -> bool {
        false
    }

    fn take_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    fn reset(&mut self) {
        *self = ResetControl::new();
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
        self.request = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(control: &mut ResetControl, value: u64) -> Option<Request> {
        control.write(0, Width::Byte, value);
        control.take_request()
    }

    #[test]
    fn a_reset_comes_as_the_bit_rises() {
        let mut control = ResetControl::new();
        // What Linux does by `reboot=p`, and what ACPI does by its value of 6.
        assert_eq!((put(&mut control, 0x02), put(&mut control, 0x06)), (None, Some(Request::Reset)));
        assert_eq!((control.take_request(), control.read(0, Width::Byte)), (None, 0x06), "asking takes it");
        assert_eq!((put(&mut control, 0x0e), put(&mut control, 0x02)), (None, None));
        assert_eq!(put(&mut control, 0xff), Some(Request::Reset));
        assert_eq!(control.read(0, Width::Word), 0x0e);
        control.reset();
        assert_eq!(control.read(0, Width::Byte), 0);
        // By way of the processor alone.
        assert_eq!(put(&mut control, 0x04), Some(Request::Reset));
    }

    #[test]
    fn nothing_is_behind_it_and_nothing_comes_of_it_while_a_vm_stops() {
        let mut control = ResetControl::new();
        for offset in [1, 0x100, u64::MAX] {
            control.write(offset, Width::Word, u64::MAX);
            assert_eq!((control.read(offset, Width::Word), control.take_request()), (0, None));
        }
        control.write(0, Width::Byte, 6);
        control.quiesce();
        assert_eq!(control.take_request(), None);
        put(&mut control, 0);
        assert_eq!((put(&mut control, 6), control.line()), (None, false));
    }
}

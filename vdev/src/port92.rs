//! System control port A of the PS/2, port 0x92: the fast way to reset, and to have address line 20 let through.

use crate::{Registers, Request, Width};

/// The reset comes when this bit rises.
const RESET: u8 = 1 << 0;
/// Address line 20 is let through. It is in any case: the bit is kept for who reads it.
const A20: u8 = 1 << 1;

/// One port 0x92.
#[derive(Debug)]
pub struct Port92 {
    value: u8,
    request: Option<Request>,
    /// The VM stops: no request.
    quiesced: bool,
}

impl Port92 {
    /// Number of ports.
    pub const FRAME_BYTES: u64 = 1;

    /// The port after power-on, when firmware has let address line 20 through.
    #[expect(clippy::new_without_default, reason = "as the other devices")]
    pub const fn new() -> Port92 {
        Port92 { value: A20, request: None, quiesced: false }
    }
}

impl Registers for Port92 {
    fn read(&mut self, offset: u64, _: Width) -> u64 {
        if offset == 0 { self.value.into() } else { 0 }
    }

    fn write(&mut self, offset: u64, _: Width, value: u64) {
        if offset == 0 {
            let value = value.to_le_bytes()[0] & (RESET | A20);
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
        *self = Port92::new();
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
        self.request = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(port: &mut Port92, value: u64) -> Option<Request> {
        port.write(0, Width::Byte, value);
        port.take_request()
    }

    #[test]
    fn a_reset_comes_as_the_bit_rises() {
        let mut port = Port92::new();
        assert_eq!(port.read(0, Width::Byte), 0x02);
        assert_eq!((put(&mut port, 0x00), port.read(0, Width::Byte)), (None, 0x00));
        assert_eq!((put(&mut port, 0xfe), port.read(0, Width::Byte)), (None, 0x02));
        assert_eq!((put(&mut port, 0x03), put(&mut port, 0x01)), (Some(Request::Reset), None));
        port.reset();
        assert_eq!((port.read(0, Width::Byte), put(&mut port, 0x01)), (0x02, Some(Request::Reset)));
    }

    #[test]
    fn nothing_is_behind_it_and_nothing_comes_of_it_while_a_vm_stops() {
        let mut port = Port92::new();
        for offset in [1, 0x100, u64::MAX] {
            port.write(offset, Width::Word, u64::MAX);
            assert_eq!((port.read(offset, Width::Word), port.take_request()), (0, None));
        }
        port.write(0, Width::Byte, 1);
        port.quiesce();
        assert_eq!(port.take_request(), None);
        put(&mut port, 0);
        assert_eq!((put(&mut port, 1), port.line()), (None, false));
    }
}

//! The two registers of a PC of which a bit resets the machine as it rises: the reset control register of chipsets, and port 0x92.

use crate::{Registers, Request, Width};

/// One of them. Which bits it keeps, and which one resets, is all that they differ in.
#[derive(Debug)]
pub struct ResetRegister {
    /// The bits that are there.
    bits: u8,
    /// The reset comes when this bit rises.
    reset: u8,
    after_power_on: u8,
    value: u8,
    request: Option<Request>,
    /// The VM stops: no request.
    quiesced: bool,
}

impl ResetRegister {
    /// Number of ports.
    pub const FRAME_BYTES: u64 = 1;

    /// The reset control register of PC chipsets, port 0xcf9 (Intel ICH9 data sheet, RST_CNT), which ACPI names as its reset
    /// register. Bit 1 is a reset of the whole system, not of the CPU alone, which is the same here; bit 3 takes the power away for a
    /// while; bit 2 resets.
    pub const fn control() -> ResetRegister {
        ResetRegister::new(0b1110, 0b100, 0)
    }

    /// System control port A of the PS/2, port 0x92: bit 0 is the fast way to reset, bit 1 lets address line 20 through. It is let
    /// through in any case, by firmware after power-on: the bit is kept for who reads it.
    pub const fn port_92() -> ResetRegister {
        ResetRegister::new(0b11, 0b1, 0b10)
    }

    const fn new(bits: u8, reset: u8, after_power_on: u8) -> ResetRegister {
        ResetRegister { bits, reset, after_power_on, value: after_power_on, request: None, quiesced: false }
    }
}

impl Registers for ResetRegister {
    fn read(&mut self, offset: u64, _: Width) -> u64 {
        if offset == 0 { self.value.into() } else { 0 }
    }

    fn write(&mut self, offset: u64, _: Width, value: u64) {
        if offset == 0 {
            let value = value.to_le_bytes()[0] & self.bits;
            let before = core::mem::replace(&mut self.value, value);
            if value & !before & self.reset != 0 && !self.quiesced {
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
        *self = ResetRegister::new(self.bits, self.reset, self.after_power_on);
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
        self.request = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(register: &mut ResetRegister, value: u64) -> Option<Request> {
        register.write(0, Width::Byte, value);
        register.take_request()
    }

    #[test]
    fn a_reset_comes_as_the_bit_of_the_control_register_rises() {
        let mut control = ResetRegister::control();
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
    fn a_reset_comes_as_the_bit_of_port_92_rises() {
        let mut port = ResetRegister::port_92();
        assert_eq!(port.read(0, Width::Byte), 0x02);
        assert_eq!((put(&mut port, 0x00), port.read(0, Width::Byte)), (None, 0x00));
        assert_eq!((put(&mut port, 0xfe), port.read(0, Width::Byte)), (None, 0x02));
        assert_eq!((put(&mut port, 0x03), put(&mut port, 0x01)), (Some(Request::Reset), None));
        port.reset();
        assert_eq!((port.read(0, Width::Byte), put(&mut port, 0x01)), (0x02, Some(Request::Reset)));
    }

    #[test]
    fn nothing_is_behind_them_and_nothing_comes_of_them_while_a_vm_stops() {
        for (mut register, resets) in [(ResetRegister::control(), 6), (ResetRegister::port_92(), 1)] {
            for offset in [1, 0x100, u64::MAX] {
                register.write(offset, Width::Word, u64::MAX);
                assert_eq!((register.read(offset, Width::Word), register.take_request()), (0, None));
            }
            register.write(0, Width::Byte, resets);
            register.quiesce();
            assert_eq!(register.take_request(), None);
            put(&mut register, 0);
            assert_eq!((put(&mut register, resets), register.line()), (None, false));
        }
    }
}

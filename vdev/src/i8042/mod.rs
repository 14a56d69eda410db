//! The keyboard controller of PCs (Intel 8042), to be probed and to reset by.
//!
//! There is neither a keyboard nor a mouse. Every byte to one of them is answered at once as the controller answers when a
//! device does not: by 0xfe with the time-out bit. The line to the mouse fails its test, and what is echoed as the mouse's is
//! not marked as such, by which Linux concludes in its first two commands that there is no port for one; it takes the keyboard's
//! port for a free one. Nothing that it asks goes unanswered, so it never waits its half second.
//!
//! The frame is two ports: 0x60, and 0x64 as its second byte. Address line 20 is let through in any case; its bit is kept for
//! who reads it. Line 1 of the PC is the only interrupt line.

mod registers;
#[cfg(test)]
mod tests;

use crate::{Registers, Request, Width};
use registers::*;

/// The configuration as firmware leaves it.
const CONFIG_RESET: u8 = CONFIG_INTERRUPT | CONFIG_SYSTEM | CONFIG_MOUSE_OFF | CONFIG_TRANSLATE;

/// One keyboard controller.
#[derive(Debug)]
pub struct I8042 {
    config: u8,
    output_port: u8,
    /// The byte in the output buffer.
    output: Option<u8>,
    /// That byte says that a device did not answer.
    timed_out: bool,
    /// The last byte that was written was a command.
    commanded: bool,
    /// The command that waits for its byte.
    pending: Option<u8>,
    request: Option<Request>,
    /// The VM stops: no interrupt, and no request.
    quiesced: bool,
}

impl I8042 {
    /// Size of the frame in bytes: port 0x60 and port 0x64.
    pub const FRAME_BYTES: u64 = 2;

    /// A controller after power-on.
    #[expect(clippy::new_without_default, reason = "as the other devices")]
    pub const fn new() -> I8042 {
        I8042 {
            config: CONFIG_RESET,
            output_port: OUTPUT_RESET | OUTPUT_A20,
            output: None,
            timed_out: false,
            commanded: false,
            pending: None,
            request: None,
            quiesced: false,
        }
    }

    fn answer(&mut self, byte: u8) {
        (self.output, self.timed_out) = (Some(byte), false);
    }

    /// A byte is sent to a device, and there is none.
    fn send(&mut self) {
        (self.output, self.timed_out) = (Some(RESEND), true);
    }

    fn read_data(&mut self) -> u8 {
        self.timed_out = false;
        self.output.take().unwrap_or(0)
    }

    fn status(&self) -> u8 {
        let set = |bit, when| if when { bit } else { 0 };
        STATUS_UNLOCKED
            | set(STATUS_FULL, self.output.is_some())
            | set(STATUS_SYSTEM, self.config & CONFIG_SYSTEM != 0)
            | set(STATUS_COMMANDED, self.commanded)
            | set(STATUS_TIMEOUT, self.timed_out)
    }

    /// The output port's lines go to these levels.
    fn put_out(&mut self, levels: u8) {
        if levels & OUTPUT_RESET == 0 && !self.quiesced {
            self.request = Some(Request::Reset);
        }
    }

    fn command(&mut self, command: u8) {
        self.commanded = true;
        self.pending = None;
        match command {
            READ_CONFIG => self.answer(self.config),
            // The rest of the controller's memory, which is for nothing.
            READ_SPARE..=READ_LAST => self.answer(0),
            WRITE_CONFIG..=WRITE_LAST | WRITE_OUTPUT..=SEND_MOUSE => self.pending = Some(command),
            TEST_MOUSE => self.answer(LINE_STUCK),
            TEST => self.answer(TEST_PASSED),
            TEST_KEYBOARD => self.answer(LINE_PASSED),
            KEYBOARD_OFF => self.config |= CONFIG_KEYBOARD_OFF,
            KEYBOARD_ON => self.config &= !CONFIG_KEYBOARD_OFF,
            READ_INPUT => self.answer(INPUT),
            READ_OUTPUT => {
                let full = if self.output.is_some() { OUTPUT_FULL } else { 0 };
                self.answer(self.output_port | full);
            }
            PULSE.. => self.put_out(command),
            _ => {}
        }
    }

    fn write_data(&mut self, byte: u8) {
        self.commanded = false;
        match self.pending.take() {
            // There is no port for a mouse to be enabled.
            Some(WRITE_CONFIG) => self.config = byte | CONFIG_MOUSE_OFF,
            Some(WRITE_OUTPUT) => {
                self.output_port = byte & OUTPUT_A20 | OUTPUT_RESET;
                self.put_out(byte);
            }
            Some(ECHO_KEYBOARD | ECHO_MOUSE) => self.answer(byte),
            Some(SEND_MOUSE) | None => self.send(),
            Some(_) => {}
        }
    }
}

impl Registers for I8042 {
    fn read(&mut self, offset: u64, _: Width) -> u64 {
        let value = match offset {
            DATA => self.read_data(),
            STATUS_COMMAND => self.status(),
            _ => 0,
        };
        value.into()
    }

    fn write(&mut self, offset: u64, _: Width, value: u64) {
        let value = value.to_le_bytes()[0];
        match offset {
            DATA => self.write_data(value),
            STATUS_COMMAND => self.command(value),
            _ => {}
        }
    }

    fn line(&self) -> bool {
        self.output.is_some() && self.config & CONFIG_INTERRUPT != 0 && !self.quiesced
    }

    fn take_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    fn reset(&mut self) {
        *self = I8042::new();
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
        self.request = None;
    }
}

//! The port to one counter: counts are written and read byte by byte, and what is latched is read first.

use super::counter::Counter;
use super::program::Program;

/// A counter, and what its port remembers from one byte to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Port {
    pub(super) counter: Counter,
    /// The first byte of two of a count.
    written: Option<u8>,
    /// The second byte of two is to be read.
    reads_second: bool,
    latched_count: Option<u16>,
    latched_status: Option<u8>,
}

impl Port {
    pub(super) const fn new(gate: bool) -> Port {
        Port {
            counter: Counter::new(gate),
            written: None,
            reads_second: false,
            latched_count: None,
            latched_status: None,
        }
    }

    /// A control word for this counter.
    pub(super) fn set_program(&mut self, program: Program) {
        self.counter.set_program(program);
        *self = Port { written: None, reads_second: false, latched_count: None, latched_status: None, ..*self };
    }

    pub(super) fn write(&mut self, byte: u8, now: u64) {
        match (self.counter.program().has_bytes(), self.written.take()) {
            ((true, true), None) => {
                self.written = Some(byte);
                self.counter.begin_count();
            }
            ((true, true), Some(low)) => self.counter.set_count(u16::from_le_bytes([low, byte]), now),
            ((false, true), _) => self.counter.set_count(u16::from_le_bytes([0, byte]), now),
            _ => self.counter.set_count(byte.into(), now),
        }
    }

    pub(super) fn read(&mut self, now: u64) -> u8 {
        if let Some(status) = self.latched_status.take() {
            return status;
        }
        let [low, high] = self.latched_count.unwrap_or_else(|| self.counter.value(now)).to_le_bytes();
        let (has_low, has_high) = self.counter.program().has_bytes();
        let is_first = has_low && !self.reads_second;
        self.reads_second = is_first && has_high;
        if !self.reads_second {
            self.latched_count = None;
        }
        if is_first { low } else { high }
    }

    /// Keeps the count until it is read. One that was kept before and not read is not replaced.
    pub(super) fn latch_count(&mut self, now: u64) {
        self.latched_count.get_or_insert(self.counter.value(now));
    }

    /// Keeps the status likewise (82C54 data sheet, "read-back command").
    pub(super) fn latch_status(&mut self, now: u64) {
        let (out, null) = (u8::from(self.counter.out(now)), u8::from(self.counter.is_null(now)));
        self.latched_status.get_or_insert(out << 7 | null << 6 | self.counter.program().bits());
    }
}

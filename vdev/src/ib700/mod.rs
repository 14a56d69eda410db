//! The watchdog of the IB700 board, as its drivers use it: two ports that are only written.
//!
//! A store to the one starts a count of 30 seconds at most, in steps of two; a store before its end starts it anew; the other port
//! stops it. At its end it bites, with no interrupt before: on the board it resets, here whoever asks [`Ib700::bites`] stops the VM.
//!
//! Nothing ticks: the end is a time of the guest's counter, so the watchdog stands still when that does.

#[cfg(test)]
mod tests;

use core::num::NonZeroU64;

use crate::clock::is_forward;
use crate::{Registers, Timed, Width};

/// The port that stops it, 0x441 on the board.
const STOP: u64 = 0;
/// The port that starts it, 0x443: behind the other one in the frame.
const START: u64 = 1;
/// What is stored there that counts: 0 is the longest time, 15 none at all.
const CODE: u64 = 0xf;
/// Seconds that are one step of it.
const STEP_S: u64 = 2;

/// One IB700 watchdog.
#[derive(Debug)]
pub struct Ib700 {
    counter_hz: NonZeroU64,
    /// The guest's counter when it was last looked at.
    now: u64,
    /// The guest's counter at the end of the count; `None` while it is off.
    end: Option<u64>,
    /// The end was reached.
    expired: bool,
    /// The VM stops: no bite.
    quiesced: bool,
}

impl Ib700 {
    /// Ports in the frame.
    pub const FRAME_BYTES: u64 = 2;

    /// A watchdog after power-on, off. The guest's counter is one of `counter_hz`.
    pub const fn new(counter_hz: NonZeroU64) -> Ib700 {
        Ib700 { counter_hz, now: 0, end: None, expired: false, quiesced: false }
    }

    /// What the time that has passed has brought about.
    fn count(&mut self) {
        self.expired |= self.end.is_some_and(|end| is_forward(self.now.wrapping_sub(end)));
    }
}

impl Timed for Ib700 {
    fn advance(&mut self, now: u64) {
        self.now = now;
        self.count();
    }

    fn deadline(&self) -> Option<u64> {
        self.end.filter(|_| !self.quiesced)
    }

    fn bites(&self) -> bool {
        self.expired && !self.quiesced
    }
}

impl Registers for Ib700 {
    /// Nothing drives the bus.
    fn read(&mut self, _offset: u64, width: Width) -> u64 {
        width.mask()
    }

    fn write(&mut self, offset: u64, _width: Width, value: u64) {
        match offset {
            STOP => self.end = None,
            START => {
                let seconds = (!value & CODE).saturating_mul(STEP_S);
                self.end = Some(self.now.wrapping_add(seconds.saturating_mul(self.counter_hz.get())));
                self.count();
            }
            _ => {}
        }
    }

    fn line(&self) -> bool {
        false
    }

    fn reset(&mut self) {
        *self = Ib700::new(self.counter_hz);
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
    }
}

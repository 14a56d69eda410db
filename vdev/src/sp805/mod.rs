//! The Arm watchdog module SP805 (DDI 0270B).
//!
//! A count goes down from WDOGLOAD. At zero it raises the interrupt and begins anew; at the second zero, if nobody fed it in
//! between, it bites: on silicon its output resets the board, here whoever asks [`Sp805::bites`] stops the VM.
//!
//! Nothing ticks. The count is worked out from the guest's counter whenever somebody looks, and [`Timed::deadline`] says when
//! somebody must. So the watchdog stands still when the guest's counter does.

mod registers;
#[cfg(test)]
mod tests;

use core::num::{NonZeroU32, NonZeroU64};

use crate::clock::{Clock, is_forward};
use crate::registers::identification;
use crate::{Registers, Timed, Width};
use registers::*;

/// One SP805.
#[derive(Debug)]
pub struct Sp805 {
    clock: Clock,
    /// The guest's counter when it was last looked at.
    now: u64,
    load: u32,
    control: u32,
    is_locked: bool,
    /// WDOGITCR and WDOGITOP.
    test: u32,
    test_output: u32,
    /// WDOGRIS: one time-out since it was fed.
    raised: bool,
    /// A second one.
    expired: bool,
    /// The guest's counter when the count was last at WDOGLOAD by somebody's doing.
    started: u64,
    /// Time-outs since then that have had their effect.
    timeouts: u64,
    /// Where the count stands while it is not enabled.
    held: u32,
    /// The VM stops: no interrupt, and no bite.
    quiesced: bool,
}

impl Sp805 {
    /// Size of the register frame in bytes.
    pub const FRAME_BYTES: u64 = 0x1000;

    /// A watchdog after power-on, off, on a clock of `hz` that is made from the guest's counter of `counter_hz`.
    pub fn new(hz: NonZeroU32, counter_hz: NonZeroU32) -> Sp805 {
        Sp805::off(Clock::new(hz.into(), counter_hz.into()))
    }

    const fn off(clock: Clock) -> Sp805 {
        Sp805 {
            clock,
            now: 0,
            load: u32::MAX,
            control: 0,
            is_locked: false,
            test: 0,
            test_output: 0,
            raised: false,
            expired: false,
            started: 0,
            timeouts: 0,
            held: u32::MAX,
            quiesced: false,
        }
    }

    fn is_counting(&self) -> bool {
        self.control & INTEN != 0
    }

    /// Ticks from one zero to the next: on the tick after a zero the count is at WDOGLOAD again (DDI 0270B section 2.2).
    fn period(&self) -> NonZeroU64 {
        NonZeroU64::MIN.saturating_add(self.load.into())
    }

    /// Ticks of its clock since the count began.
    fn ticks(&self) -> u64 {
        // Two CPUs may read the counter in one order and come here in the other: time does not go back.
        let counted = self.now.wrapping_sub(self.started);
        if is_forward(counted) { self.clock.ticks(counted) } else { 0 }
    }

    /// Where the count is.
    fn value(&self) -> u32 {
        if !self.is_counting() {
            return self.held;
        }
        // Less than the period, so it fits.
        self.load.saturating_sub((self.ticks() % self.period()) as u32)
    }

    /// The count begins from WDOGLOAD.
    fn restart(&mut self) {
        self.held = self.load;
        self.started = self.now;
        self.timeouts = 0;
        self.count();
    }

    /// What the time that has passed has brought about.
    fn count(&mut self) {
        if !self.is_counting() {
            return;
        }
        // The first zero is WDOGLOAD ticks from the beginning, one less than a period.
        let timeouts = self.ticks().saturating_add(1) / self.period();
        let new = timeouts.saturating_sub(self.timeouts);
        if new > 0 {
            self.timeouts = timeouts;
            self.expired |= self.raised || new > 1;
            self.raised = true;
        }
    }

    fn set_control(&mut self, control: u32) {
        self.held = self.value();
        let was_counting = self.is_counting();
        self.control = control & (INTEN | RESEN);
        // DDI 0270B section 3.3.3: the count begins anew when it is enabled and was not.
        if self.is_counting() && !was_counting {
            self.restart();
        }
    }
}

impl Timed for Sp805 {
    fn advance(&mut self, now: u64) {
        self.now = now;
        self.count();
    }

    fn deadline(&self) -> Option<u64> {
        if self.bites() {
            return Some(self.now);
        }
        let waits = !self.raised || (self.control & RESEN != 0 && !self.expired);
        if self.quiesced || !self.is_counting() || !waits {
            return None;
        }
        let ticks = self.timeouts.checked_add(1)?.checked_mul(self.period().get())?.checked_sub(1)?;
        Some(self.started.wrapping_add(self.clock.counted(ticks)))
    }

    fn bites(&self) -> bool {
        let reset = match self.test & ITCR_ENABLE {
            0 => self.expired && self.control & RESEN != 0,
            _ => self.test_output & ITOP_RES != 0,
        };
        reset && !self.quiesced
    }
}

impl Registers for Sp805 {
    fn read(&mut self, offset: u64, width: Width) -> u64 {
        let value = match offset {
            // No bus that the SP805 sits on is wider than 32 bits.
            _ if width == Width::Double => 0,
            LOAD => self.load,
            VALUE => self.value(),
            CONTROL => self.control,
            RIS => self.raised.into(),
            MIS => (self.raised && self.is_counting()).into(),
            LOCK => self.is_locked.into(),
            ITCR => self.test,
            PERIPH_ID0.. => identification(&IDENTIFICATION, offset.wrapping_sub(PERIPH_ID0)).into(),
            _ => 0,
        };
        u64::from(value) & width.mask()
    }

    fn write(&mut self, offset: u64, width: Width, value: u64) {
        let value = (value & width.mask()) as u32;
        match offset {
            _ if width == Width::Double => {}
            LOCK => self.is_locked = value != UNLOCK,
            _ if self.is_locked => {}
            LOAD => {
                self.load = value;
                self.restart();
            }
            CONTROL => self.set_control(value),
            INTCLR => {
                self.raised = false;
                self.expired = false;
                self.restart();
            }
            ITCR => self.test = value & ITCR_ENABLE,
            ITOP => self.test_output = value & (ITOP_RES | ITOP_INT),
            _ => {}
        }
    }

    fn line(&self) -> bool {
        let interrupt = match self.test & ITCR_ENABLE {
            0 => self.raised && self.is_counting(),
            _ => self.test_output & ITOP_INT != 0,
        };
        interrupt && !self.quiesced
    }

    fn reset(&mut self) {
        *self = Sp805::off(self.clock);
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
    }
}

//! The high precision event timers of PCs (IA-PC HPET 1.0a): a counter of 64 bits, and three timers that compare with it.
//!
//! The counter has 10 MHz, the least that is allowed, and so the longest period: systems that want an interrupt in so many
//! ticks have the most time to say so. All timers have 64 bits and can be periodic. None interrupts by message (FSB).
//!
//! A bit of [`Signals`] is the interrupt line of that number: an input of the I/O APIC, or in legacy replacement line 0 or 8.
//! While [`Hpet::replaces_legacy`] holds, these lines are not those of the 8254 and of the clock: it asks for that
//! ([`Request::ReplaceLegacy`]).
//!
//! Nothing ticks. A match by edge is a rise of its line, several in between are one; a match by level keeps the line high until
//! its status is cleared. A guest can program intervals that no host could serve. Whoever waits for [`Timed::deadline`] is not
//! sent for more than [`MATCHES_PER_SECOND`] times a second by one timer.

mod registers;
#[cfg(test)]
mod tests;
mod timer;

use core::num::NonZeroU64;

use crate::clock::Ticker;
use crate::{Registers, Request, Signals, Timed, Width};
use registers::*;
use timer::Timer;

/// The counter's clock.
const HZ: NonZeroU64 = NonZeroU64::new(10_000_000).unwrap();
/// COUNTER_CLK_PERIOD, in femtoseconds.
const PERIOD: u64 = 1_000_000_000_000_000 / HZ.get();
/// How often a second a match of a periodic timer is waited for at most.
const MATCHES_PER_SECOND: u64 = 10_000;
/// Number of timers.
const TIMERS_COUNT: usize = 3;

/// One block of high precision event timers.
#[derive(Debug)]
pub struct Hpet {
    /// The interrupt lines that timers can be routed to, one bit a line.
    routes: u32,
    ticker: Ticker,
    timers: [Timer; TIMERS_COUNT],
    config: u64,
    /// One bit a timer that interrupts by level and has.
    status: u64,
    /// The counter when it was last written, enabled or looked at, up to which matches have been seen.
    counter: u64,
    /// The ticks then.
    seen: u64,
    /// Lines that have risen since somebody asked.
    rose: u32,
    /// Whether it replaces legacy devices, as it was last asked for.
    replaces: bool,
    /// The VM stops: no interrupt.
    quiesced: bool,
}

impl Hpet {
    /// Size of the register frame in bytes.
    pub const FRAME_BYTES: u64 = 0x400;
    /// The lower half of the capabilities, which the ACPI table repeats as its event timer block ID.
    pub const ID: u32 = VENDOR | HAS_LEGACY | HAS_64_BITS | (TIMERS_COUNT as u32 - 1) << LAST_TIMER_SHIFT | REVISION;

    /// Timers after power-on, on a clock that is made from the guest's counter of `counter_hz`. They can be routed to the lines
    /// `routes`, one bit a line.
    pub const fn new(routes: u32, counter_hz: NonZeroU64) -> Hpet {
        Hpet::idle(routes, Ticker::new(HZ, counter_hz))
    }

    const fn idle(routes: u32, ticker: Ticker) -> Hpet {
        Hpet {
            routes,
            ticker,
            timers: [Timer::new(); TIMERS_COUNT],
            config: 0,
            status: 0,
            counter: 0,
            seen: 0,
            rose: 0,
            replaces: false,
            quiesced: false,
        }
    }

    /// Whether timers 0 and 1 have the lines of the 8254 and of the clock.
    pub fn replaces_legacy(&self) -> bool {
        self.config & LEGACY != 0
    }

    fn is_enabled(&self) -> bool {
        self.config & ENABLE != 0
    }

    /// The line of timer `index`, as a bit; none if it is routed to a line that there is not.
    fn line_of(&self, index: usize, timer: &Timer) -> u32 {
        match index {
            0 if self.replaces_legacy() => 1 << 0,
            1 if self.replaces_legacy() => 1 << 8,
            _ => self.routes & 1 << timer.route(),
        }
    }

    /// Brings the counter, and what has come about, to the time that it is.
    fn count(&mut self) {
        let ticks = self.ticker.now().wrapping_sub(self.seen);
        self.seen = self.ticker.now();
        if !self.is_enabled() {
            return;
        }
        let before = self.counter;
        self.counter = before.wrapping_add(ticks);
        let mut matched = 0;
        for (index, timer) in self.timers.iter_mut().enumerate() {
            matched |= u64::from(timer.advance(before, ticks)) << index;
        }
        for (index, timer) in self.timers.iter().enumerate().filter(|(index, _)| matched & 1 << index != 0) {
            if timer.is(BY_LEVEL) {
                self.status |= 1 << index;
            } else if timer.is(INTERRUPTS) {
                self.rose |= self.line_of(index, timer);
            }
        }
    }

    /// Lines that are high: those of timers that interrupt by level, and have.
    fn high(&self) -> u32 {
        let is_on = self.is_enabled() && !self.quiesced;
        let timers = self.timers.iter().enumerate().filter(|(index, timer)| {
            is_on && self.status & 1 << index != 0 && timer.is(BY_LEVEL) && timer.is(INTERRUPTS)
        });
        timers.fold(0, |lines, (index, timer)| lines | self.line_of(index, timer))
    }

    /// The register at `offset`, a multiple of eight.
    fn register(&self, offset: u64) -> u64 {
        match offset {
            CAPABILITIES => PERIOD << 32 | u64::from(Self::ID),
            CONFIG => self.config,
            STATUS => self.status,
            COUNTER => self.counter,
            _ => {
                let Some((index, register)) = timer_register(offset) else { return 0 };
                match (self.timers.get(index), register) {
                    (Some(timer), TIMER_CONFIG) => u64::from(self.routes) << ROUTES_SHIFT | timer.config(),
                    (Some(timer), TIMER_COMPARATOR) => timer.comparator(),
                    _ => 0,
                }
            }
        }
    }

    /// A store of those bits of `value` that are in `mask` to the register at `offset`, a multiple of eight.
    fn set_register(&mut self, offset: u64, value: u64, mask: u64) {
        let merged = self.register(offset) & !mask | value & mask;
        match offset {
            CONFIG => self.config = merged & (ENABLE | LEGACY),
            // A one clears.
            STATUS => self.status &= !(value & mask),
            COUNTER => self.counter = merged,
            _ => {
                let Some((index, register)) = timer_register(offset) else { return };
                match (self.timers.get_mut(index), register) {
                    (Some(timer), TIMER_CONFIG) => timer.set_config(merged, self.routes),
                    (Some(timer), TIMER_COMPARATOR) => timer.set_comparator(value, mask),
                    _ => {}
                }
            }
        }
    }
}

impl Timed for Hpet {
    fn advance(&mut self, now: u64) {
        self.ticker.advance(now);
        self.count();
    }

    fn deadline(&self) -> Option<u64> {
        if !self.is_enabled() || self.quiesced {
            return None;
        }
        let patience = HZ.get() / MATCHES_PER_SECOND;
        let waits = self.timers.iter().enumerate().filter_map(|(index, timer)| {
            let has_interrupted = timer.is(BY_LEVEL) && self.status & 1 << index != 0;
            timer.wait(self.counter, patience).filter(|_| timer.is(INTERRUPTS) && !has_interrupted)
        });
        self.ticker.counter_at(self.seen.checked_add(waits.min()?)?)
    }
}

impl Registers for Hpet {
    fn read(&mut self, offset: u64, width: Width) -> u64 {
        match aligned(offset, width) {
            Some(shift) => self.register(offset & !7) >> shift & width.mask(),
            None => 0,
        }
    }

    fn write(&mut self, offset: u64, width: Width, value: u64) {
        if let Some(shift) = aligned(offset, width) {
            self.set_register(offset & !7, value << shift, width.mask() << shift);
        }
    }

    /// Whether any line is high.
    fn line(&self) -> bool {
        self.high() != 0
    }

    fn signals(&mut self) -> Signals {
        let rose = core::mem::take(&mut self.rose);
        Signals { high: self.high(), rose: if self.quiesced { 0 } else { rose } }
    }

    fn take_request(&mut self) -> Option<Request> {
        let replaces = self.replaces_legacy();
        (core::mem::replace(&mut self.replaces, replaces) != replaces).then_some(Request::ReplaceLegacy(replaces))
    }

    fn reset(&mut self) {
        self.ticker.restart();
        *self = Hpet { seen: self.seen, ..Hpet::idle(self.routes, self.ticker) };
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
    }
}

/// Where in its register an access is, in bits; `None` unless it is one of 32 or of 64 bits at a multiple of its width
/// (IA-PC HPET 1.0a, section 2.3.2).
fn aligned(offset: u64, width: Width) -> Option<u64> {
    match width {
        Width::Word if offset & 3 == 0 => Some(if offset & 4 == 0 { 0 } else { 32 }),
        Width::Double if offset & 7 == 0 => Some(0),
        _ => None,
    }
}

/// The number of a timer, and the offset in it, of the register at `offset`.
fn timer_register(offset: u64) -> Option<(usize, u64)> {
    let offset = offset.checked_sub(TIMERS)?;
    Some((usize::try_from(offset / TIMER_STRIDE).ok()?, offset % TIMER_STRIDE))
}

//! The programmable interval timer of PCs (Intel 8254), and the port beside it that has counter 2 in its hands.
//!
//! The frame is the ports 0x40 to 0x43, and as its fifth byte port 0x61: the gate of counter 2, how its OUT stands, and the
//! bit that shows memory being refreshed. The speaker is silent. OUT of counter 0 is the interrupt line, where its rises count: bit
//! 0 of [`Signals`]. Counter 1, which had memory refreshed, drives nothing.
//!
//! A guest can program rates that no host could serve. Whoever waits for [`Timed::deadline`] is not sent for more than
//! [`WAVES_PER_SECOND`] times a second; the rises in between are one.

mod counter;
mod port;
mod program;
#[cfg(test)]
mod tests;

use core::num::NonZeroU64;

use crate::clock::Ticker;
use crate::{Registers, Signals, Timed, Width};
use port::Port;
use program::Program;

/// The clock of all three counters: a twelfth of the 14.31818 MHz of the first PCs.
const HZ: NonZeroU64 = NonZeroU64::new(1_193_182).unwrap();
/// How often a second a periodic interrupt is waited for at most.
const WAVES_PER_SECOND: u64 = 10_000;
/// Ticks from one refresh of memory to the next: 15 microseconds.
const REFRESH: u64 = 18;

/// The port of the control word.
const CONTROL: u64 = 3;
/// Port 0x61.
const SYSTEM: u64 = 4;
/// The gate of counter 2.
const GATE: u8 = 1 << 0;
/// The bits of port 0x61 that keep what is written: the gate, the speaker, and two masks of errors that never come.
const SYSTEM_KEPT: u8 = 0x0f;

/// One 8254.
#[derive(Debug)]
pub struct I8254 {
    ticker: Ticker,
    ports: [Port; 3],
    system: u8,
    /// OUT of counter 0 has risen since somebody asked.
    has_risen: bool,
    /// The VM stops: no interrupt.
    quiesced: bool,
}

impl I8254 {
    /// Size of the frame in bytes: four ports, and port 0x61.
    pub const FRAME_BYTES: u64 = 5;

    /// A timer after power-on, on a clock that is made from the guest's counter of `counter_hz`.
    pub const fn new(counter_hz: NonZeroU64) -> I8254 {
        I8254::idle(Ticker::new(HZ, counter_hz))
    }

    const fn idle(ticker: Ticker) -> I8254 {
        let ports = [Port::new(true), Port::new(true), Port::new(false)];
        I8254 { ticker, ports, system: 0, has_risen: false, quiesced: false }
    }

    fn now(&self) -> u64 {
        self.ticker.now()
    }

    fn out(&self, index: usize) -> bool {
        self.ports.get(index).is_some_and(|port| port.counter.out(self.now()))
    }

    /// Does something to a counter, by which its OUT may rise at once.
    fn with(&mut self, index: usize, action: impl FnOnce(&mut Port, u64)) {
        let (before, now) = (self.out(0), self.now());
        if let Some(port) = self.ports.get_mut(index) {
            action(port, now);
        }
        self.has_risen |= !before && self.out(0);
    }

    /// 82C54 data sheet, "control word format" and "read-back command format".
    fn control(&mut self, word: u8) {
        let selected = usize::from(word >> 6);
        if selected == 3 {
            for index in (0..3).filter(|index| word & (2 << index) != 0) {
                self.with(index, |port, now| {
                    if word & 0x20 == 0 {
                        port.latch_count(now);
                    }
                    if word & 0x10 == 0 {
                        port.latch_status(now);
                    }
                });
            }
        } else if word & 0x30 == 0 {
            self.with(selected, |port, now| port.latch_count(now));
        } else {
            self.with(selected, |port, _| port.set_program(Program::new(word)));
        }
    }

    fn system(&self) -> u8 {
        let refresh = u8::from(self.now() / REFRESH % 2 == 1);
        self.system | refresh << 4 | u8::from(self.out(2)) << 5
    }
}

impl Timed for I8254 {
    fn advance(&mut self, now: u64) {
        self.ticker.advance(now);
        let now = self.now();
        for (index, port) in self.ports.iter_mut().enumerate() {
            let has_risen = port.counter.advance(now);
            self.has_risen |= has_risen && index == 0;
        }
    }

    fn deadline(&self) -> Option<u64> {
        let [first, ..] = &self.ports;
        let patience = HZ.get() / WAVES_PER_SECOND;
        let tick = first.counter.deadline(self.now(), patience).filter(|_| !self.quiesced)?;
        self.ticker.counter_at(tick)
    }
}

impl Registers for I8254 {
    fn read(&mut self, offset: u64, _: Width) -> u64 {
        let now = self.now();
        let port = usize::try_from(offset).ok().and_then(|index| self.ports.get_mut(index));
        match port {
            Some(port) => port.read(now).into(),
            None if offset == SYSTEM => self.system().into(),
            None => 0,
        }
    }

    fn write(&mut self, offset: u64, _: Width, value: u64) {
        let value = value.to_le_bytes()[0];
        match offset {
            CONTROL => self.control(value),
            SYSTEM => {
                self.system = value & SYSTEM_KEPT;
                self.with(2, |port, now| port.counter.set_gate(value & GATE != 0, now));
            }
            _ => {
                if let Ok(index) = usize::try_from(offset) {
                    self.with(index, |port, now| port.write(value, now));
                }
            }
        }
    }

    /// OUT of counter 0.
    fn line(&self) -> bool {
        self.out(0) && !self.quiesced
    }

    fn signals(&mut self) -> Signals {
        let has_risen = core::mem::take(&mut self.has_risen) && !self.quiesced;
        Signals { high: self.line().into(), rose: has_risen.into() }
    }

    fn reset(&mut self) {
        self.ticker.restart();
        *self = I8254::idle(self.ticker);
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
    }
}

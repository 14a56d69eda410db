//! One of the three counters of an 8254, without the port to it.
//!
//! Nothing ticks: what the counter holds and how OUT stands follow from the tick at which the count was loaded. A count that is
//! written, and a trigger, take effect with the next tick, as on silicon.

use core::num::NonZeroU64;

use super::program::{Mode, Program};
use crate::clock::is_forward;

/// Where the counting stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It waits for a count, or for a trigger.
    Idle,
    /// The count was, or will be, loaded at this tick.
    Since(u64),
    /// The gate holds it; it has counted for as many ticks.
    Held(u64),
}

/// A count that was written while another one runs.
#[derive(Clone, Copy, Debug)]
struct Next {
    count: u64,
    /// The tick at which it is loaded; `None`: a trigger loads it.
    at: Option<u64>,
}

/// One counter. Every method is told the time, in ticks of its clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    program: Program,
    count: u64,
    next: Option<Next>,
    phase: Phase,
    gate: bool,
    /// The tick until which OUT was followed.
    seen: u64,
}

impl Counter {
    /// A counter after power-on. What it does then is undefined; here it waits, with OUT low.
    pub(super) const fn new(gate: bool) -> Counter {
        Counter { program: Program::new(0x30), count: 0x1_0000, next: None, phase: Phase::Idle, gate, seen: 0 }
    }

    pub(super) fn program(&self) -> Program {
        self.program
    }

    /// A control word. It ends what the counter did.
    pub(super) fn set_program(&mut self, program: Program) {
        *self = Counter { program, next: None, phase: Phase::Idle, ..*self };
    }

    /// The first byte of two of a count. In mode 0 it stops the counter.
    pub(super) fn begin_count(&mut self) {
        if self.program.mode() == Mode::TerminalCount {
            self.phase = Phase::Idle;
        }
    }

    /// A count is written.
    pub(super) fn set_count(&mut self, written: u16, now: u64) {
        let count = self.program.decode(written);
        match self.phase {
            _ if self.program.is_triggered() => self.next = Some(Next { count, at: None }),
            Phase::Since(start) if self.program.is_periodic() => {
                let at = start.wrapping_add(self.boundary(self.elapsed(now)));
                self.next = Some(Next { count, at: Some(at) });
            }
            _ => {
                (self.count, self.next) = (count, None);
                self.begin(now);
            }
        }
    }

    /// The count is loaded with the next tick, and goes no further as long as the gate is low.
    fn begin(&mut self, now: u64) {
        self.phase = if self.gate { Phase::Since(now.wrapping_add(1)) } else { Phase::Held(0) };
    }

    /// The gate's level (82C54 data sheet, "gate pin operations summary").
    pub(super) fn set_gate(&mut self, gate: bool, now: u64) {
        if gate == core::mem::replace(&mut self.gate, gate) {
            return;
        }
        let elapsed = self.elapsed(now);
        let waits = self.phase == Phase::Idle && self.next.is_none();
        let restarts = self.program.is_triggered() || self.program.is_periodic();
        match gate {
            _ if waits => {}
            true if restarts => {
                self.count = self.next.take().map_or(self.count, |next| next.count);
                self.begin(now);
            }
            true => self.phase = Phase::Since(now.wrapping_sub(elapsed)),
            false if self.program.is_triggered() => {}
            false => self.phase = Phase::Held(elapsed),
        }
    }

    /// Time has come to `now`. Whether OUT has risen since it last had.
    pub(super) fn advance(&mut self, now: u64) -> bool {
        let mut has_risen = false;
        if let (Some(Next { count, at: Some(at) }), Phase::Since(start)) = (self.next, self.phase)
            && is_forward(now.wrapping_sub(at))
        {
            has_risen = self.rises(at) > self.rises(self.seen);
            // A square wave may be in the middle: then the half that is to come is the low one.
            let is_middle = at.wrapping_sub(start) % self.period() != 0;
            self.count = count;
            let half = if is_middle { self.high() } else { 0 };
            self.phase = Phase::Since(at.wrapping_sub(half));
            self.next = None;
            self.seen = at;
        }
        has_risen |= self.rises(now) > self.rises(self.seen);
        self.seen = now;
        has_risen
    }

    /// How often OUT has risen from the load to `now`, by counting.
    fn rises(&self, now: u64) -> u64 {
        let elapsed = self.elapsed(now);
        match self.program.mode() {
            Mode::TerminalCount | Mode::OneShot => (elapsed >= self.count).into(),
            Mode::Rate | Mode::Square => elapsed / self.period(),
            Mode::SoftwareStrobe | Mode::HardwareStrobe => (elapsed > self.count).into(),
        }
    }

    /// How OUT stands.
    pub(super) fn out(&self, now: u64) -> bool {
        let elapsed = self.elapsed(now);
        match (self.program.mode(), self.phase) {
            (Mode::TerminalCount, Phase::Idle) => false,
            (_, Phase::Idle) | (Mode::Rate | Mode::Square, Phase::Held(_)) => true,
            (Mode::TerminalCount | Mode::OneShot, _) => elapsed >= self.count,
            (Mode::Rate, _) => elapsed % self.period() != self.count.wrapping_sub(1),
            (Mode::Square, _) => elapsed % self.period() < self.high(),
            (Mode::SoftwareStrobe | Mode::HardwareStrobe, _) => elapsed != self.count,
        }
    }

    /// The count, as it is read.
    pub(super) fn value(&self, now: u64) -> u16 {
        let elapsed = self.elapsed(now);
        let into = elapsed % self.period();
        let value = match self.program.mode() {
            Mode::Rate => self.count.wrapping_sub(into),
            // It counts by two, from an even number, in each half.
            Mode::Square => {
                let half = if into < self.high() { into } else { into.wrapping_sub(self.high()) };
                (self.count & !1).wrapping_sub(half.wrapping_mul(2))
            }
            // Past the end it goes on from the largest count.
            _ => {
                let modulus = self.program.modulus();
                self.count.wrapping_add(modulus.get()).wrapping_sub(elapsed % modulus)
            }
        };
        self.program.encode(value)
    }

    /// Whether a count, or a control word, was written and nothing was loaded since.
    pub(super) fn is_null(&self, now: u64) -> bool {
        let is_ahead = matches!(self.phase, Phase::Since(start) if !is_forward(now.wrapping_sub(start)));
        self.phase == Phase::Idle || self.next.is_some() || is_ahead
    }

    /// The next tick at which somebody has to look, because OUT rises or another count begins. From one rise of
    /// a wave to the next that is waited for there are at least `patience` ticks.
    pub(super) fn deadline(&self, now: u64, patience: u64) -> Option<u64> {
        let Phase::Since(start) = self.phase else { return None };
        let elapsed = self.elapsed(now);
        let rise = match self.program.mode() {
            Mode::TerminalCount | Mode::OneShot => Some(self.count).filter(|&at| elapsed < at)?,
            Mode::SoftwareStrobe | Mode::HardwareStrobe => {
                Some(self.count.wrapping_add(1)).filter(|&at| elapsed < at)?
            }
            Mode::Rate | Mode::Square => {
                let last = elapsed.wrapping_sub(elapsed % self.period());
                last.saturating_add(patience.max(1)).checked_next_multiple_of(self.period().get())?
            }
        };
        // The distance from the load, which may lie before the first tick of all.
        let next = self.next.and_then(|next| next.at).map(|at| at.wrapping_sub(start));
        Some(start.wrapping_add(next.map_or(rise, |next| next.min(rise))))
    }

    /// Ticks that it has counted.
    fn elapsed(&self, now: u64) -> u64 {
        match self.phase {
            Phase::Idle => 0,
            // The load may be a tick ahead.
            Phase::Since(start) => Some(now.wrapping_sub(start)).filter(|&ticks| is_forward(ticks)).unwrap_or(0),
            Phase::Held(elapsed) => elapsed,
        }
    }

    /// The end of the period in which `elapsed` is, or of its half in a square wave.
    fn boundary(&self, elapsed: u64) -> u64 {
        let into = elapsed % self.period();
        let is_first_half = self.program.mode() == Mode::Square && into < self.high();
        elapsed.wrapping_sub(into).wrapping_add(if is_first_half { self.high() } else { self.count })
    }

    /// Ticks for which a square wave is high: of an odd count, the longer part.
    fn high(&self) -> u64 {
        self.count.div_ceil(2)
    }

    /// The count, which is never zero.
    fn period(&self) -> NonZeroU64 {
        NonZeroU64::new(self.count).unwrap_or(NonZeroU64::MIN)
    }
}

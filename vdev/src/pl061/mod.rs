//! The Arm PrimeCell GPIO (PL061, DDI 0190B), with a power key on one of its eight lines.
//!
//! The key's line ([`model::POWER_KEY_LINE`]) is high while it is down. The other lines are not connected and read as low,
//! and what the guest puts out goes nowhere. [`Pl061::press`] presses the key, and it comes up by itself: a driver that waits
//! until the line no longer bounces finds it down, and an operating system that knows long presses takes it for a short one.

mod registers;
#[cfg(test)]
mod tests;

use crate::clock::is_forward;
use crate::registers::identification;
use crate::{Registers, Timed, Width};
use model::POWER_KEY_LINE;
use registers::*;

/// One PL061 with a power key.
#[derive(Debug)]
pub struct Pl061 {
    /// How long the key stays down, in ticks of the guest's counter.
    hold: u64,
    /// The guest's counter when it was last looked at.
    now: u64,
    /// Where the guest's counter is when the key comes up; `None`: it is up.
    release: Option<u64>,
    /// What the guest would put out, a bit a line.
    output: u8,
    direction: u8,
    by_level: u8,
    both_edges: u8,
    event: u8,
    mask: u8,
    alternate: u8,
    /// Edges that nobody has cleared.
    edges: u8,
    /// The VM stops: no interrupt.
    quiesced: bool,
}

impl Pl061 {
    /// Size of the register frame in bytes.
    pub const FRAME_BYTES: u64 = 0x1000;
    /// A GPIO after power-on. Its key stays down for `hold` ticks of the guest's counter.
    pub const fn new(hold: u64) -> Pl061 {
        Pl061 {
            hold,
            now: 0,
            release: None,
            output: 0,
            direction: 0,
            by_level: 0,
            both_edges: 0,
            event: 0,
            mask: 0,
            alternate: 0,
            edges: 0,
            quiesced: false,
        }
    }

    fn set_key(&mut self, release: Option<u64>) {
        let before = self.levels();
        self.release = release;
        let levels = self.levels();
        // DDI 0190B section 3.3.5: an edge counts by GPIOIEV, or in any case by GPIOIBE.
        let counts = self.both_edges | !(levels ^ self.event);
        self.edges |= (before ^ levels) & counts & !self.by_level;
    }

    /// What comes in, a bit a line. Of outputs that is nothing: what the guest puts out goes nowhere.
    fn input(&self) -> u8 {
        u8::from(self.release.is_some()).wrapping_shl(POWER_KEY_LINE) & !self.direction
    }

    /// The levels of all lines.
    fn levels(&self) -> u8 {
        self.input() | self.output & self.direction
    }

    /// GPIORIS: edges that are remembered, and levels as they are. Only inputs interrupt.
    fn raw(&self) -> u8 {
        let levels = !(self.levels() ^ self.event) & !self.direction;
        self.edges & !self.by_level | levels & self.by_level
    }

    fn masked(&self) -> u8 {
        self.raw() & self.mask
    }
}

impl Timed for Pl061 {
    fn advance(&mut self, now: u64) {
        self.now = now;
        if self.release.is_some_and(|release| is_forward(now.wrapping_sub(release))) {
            self.set_key(None);
        }
    }

    fn deadline(&self) -> Option<u64> {
        self.release.filter(|_| !self.quiesced)
    }

    fn press(&mut self) {
        self.set_key(Some(self.now.wrapping_add(self.hold)));
    }
}

impl Registers for Pl061 {
    fn read(&mut self, offset: u64, width: Width) -> u64 {
        let value = match offset {
            // No bus that the PL061 sits on is wider than 32 bits.
            _ if width == Width::Double || offset & 3 != 0 => 0,
            ..DATA_END => self.levels() & lines(offset),
            DIR => self.direction,
            IS => self.by_level,
            IBE => self.both_edges,
            IEV => self.event,
            IE => self.mask,
            RIS => self.raw(),
            MIS => self.masked(),
            AFSEL => self.alternate,
            PERIPH_ID0.. => identification(&IDENTIFICATION, offset.wrapping_sub(PERIPH_ID0)),
            _ => 0,
        };
        value.into()
    }

    fn write(&mut self, offset: u64, width: Width, value: u64) {
        let value = value.to_le_bytes()[0];
        match offset {
            _ if width == Width::Double || offset & 3 != 0 => {}
            ..DATA_END => self.output = self.output & !lines(offset) | value & lines(offset),
            DIR => self.direction = value,
            IS => self.by_level = value,
            IBE => self.both_edges = value,
            IEV => self.event = value,
            IE => self.mask = value,
            IC => self.edges &= !value,
            AFSEL => self.alternate = value,
            _ => {}
        }
    }

    fn line(&self) -> bool {
        self.masked() != 0 && !self.quiesced
    }

    fn reset(&mut self) {
        *self = Pl061::new(self.hold);
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
    }
}

/// The lines that an access to GPIODATA at `offset` touches.
fn lines(offset: u64) -> u8 {
    (offset >> 2).to_le_bytes()[0]
}

//! The I/O APIC (Intel 82093AA datasheet; with the EOI register of version 0x20, ICH datasheets, "APIC EOI register").
//!
//! Lines come in as asserted or not: polarity is a matter of wires, and its bit is only kept. What a line of the board's brings
//! ([`super::passed`]) waits at its entry until that is not masked, whichever way the entry is triggered.

use super::message::{Destination, Message};
use arch_common::bits::{bit, ones};

/// Its lines.
pub(super) const PINS: usize = model::Pc::LINES as usize;

/// Offsets in the page: index, data, and the EOI register.
const SELECT: u64 = 0x00;
const WINDOW: u64 = 0x10;
const END: u64 = 0x40;

/// Version 0x20, and the last entry.
const VERSION: u32 = (PINS as u32 - 1) << 16 | 0x20;

/// Bits of an entry.
const LOGICAL: u64 = 1 << 11;
const REMOTE_IRR: u64 = 1 << 14;
const LEVEL: u64 = 1 << 15;
const MASKED: u64 = 1 << 16;
/// What software writes: not delivery status and remote IRR.
const WRITABLE: u64 = 0xff00_0000_0001_afff;

/// What an access leads to: messages of entries, at most one each.
pub(super) type Fired = u32;

/// Registers and lines.
#[derive(Debug)]
pub(super) struct IoApic {
    entries: [u64; PINS],
    /// Lines that are asserted.
    lines: u32,
    /// Remote IRR: level-triggered entries that a CPU handles. In the entries themselves it is zero.
    handled: u32,
    /// Interrupts of the board that wait to be sent.
    waiting: u32,
    /// Those that were sent, as the vector that each had then: their EOI is to come.
    sent: u32,
    vectors: [u8; PINS],
    /// Those that are over, for [`IoApic::take_over`].
    over: u32,
    select: u8,
    id: u32,
}

impl IoApic {
    pub(super) const fn new() -> IoApic {
        IoApic {
            entries: [MASKED; PINS],
            lines: 0,
            handled: 0,
            waiting: 0,
            sent: 0,
            vectors: [0; PINS],
            over: 0,
            select: 0,
            id: 0,
        }
    }

    /// Back to power-on. Lines keep their level.
    pub(super) fn reset(&mut self) {
        *self = IoApic { lines: self.lines, ..IoApic::new() };
    }

    fn entry(&self, pin: u32) -> u64 {
        self.entries.get(pin as usize).copied().unwrap_or(MASKED)
    }

    /// A line changes, or is said to be as it was. True if its entry is to be sent.
    pub(super) fn set_line(&mut self, pin: u32, level: bool) -> bool {
        if pin as usize >= PINS {
            return false;
        }
        let was_high = self.lines & bit(pin) != 0;
        self.lines = if level { self.lines | bit(pin) } else { self.lines & !bit(pin) };
        if self.entry(pin) & LEVEL != 0 {
            return self.wants_level(pin);
        }
        // An edge at a masked entry is lost.
        level && !was_high && self.entry(pin) & MASKED == 0
    }

    /// A level-triggered entry that has to be sent: its line is high, and nobody handles it.
    fn wants_level(&self, pin: u32) -> bool {
        self.lines & !self.handled & bit(pin) != 0 && self.entry(pin) & (LEVEL | MASKED) == LEVEL
    }

    /// The board's interrupt behind a line was taken. True if its entry is to be sent.
    pub(super) fn arrive(&mut self, pin: u32) -> bool {
        self.waiting |= bit(pin);
        self.wants_passed(pin)
    }

    /// An entry with something of the board's, which it sends as soon as it may.
    fn wants_passed(&self, pin: u32) -> bool {
        let entry = self.entry(pin);
        let is_handled = entry & LEVEL != 0 && self.handled & bit(pin) != 0;
        self.waiting & bit(pin) != 0 && entry & MASKED == 0 && !is_handled
    }

    /// The message of an entry.
    pub(super) fn message(&self, pin: u32) -> (Destination, Message) {
        let entry = self.entry(pin);
        let destination = Destination::of_device(entry & LOGICAL != 0, (entry >> 56) as u8);
        let message = Message::from_bits(entry as u32);
        // Of what is the board's, EOI is told here in any case.
        (destination, Message { is_level: message.is_level || self.waiting & bit(pin) != 0, ..message })
    }

    /// A message of the entry was accepted by a CPU: a level waits for its EOI, and so does what is the board's.
    pub(super) fn accepted(&mut self, pin: u32) {
        let entry = self.entry(pin);
        if entry & LEVEL != 0 {
            self.handled |= bit(pin);
        }
        if self.waiting & bit(pin) == 0 {
            return;
        }
        self.waiting &= !bit(pin);
        let message = Message::from_bits(entry as u32);
        match self.vectors.get_mut(pin as usize).filter(|_| message.has_end()) {
            Some(vector) => {
                *vector = message.vector;
                self.sent |= bit(pin);
            }
            None => self.over |= bit(pin),
        }
    }

    /// EOI of a vector: the entries that are to be sent again, because their lines are still high.
    pub(super) fn end(&mut self, vector: u8) -> Fired {
        let is_ended = |pin: &u32| self.vectors.get(*pin as usize) == Some(&vector);
        let ended = ones(self.sent).filter(is_ended).fold(0, |ended, pin| ended | bit(pin));
        self.sent &= !ended;
        self.over |= ended;
        let mut fired = 0;
        for pin in ones(self.handled) {
            if self.entry(pin) as u8 != vector {
                continue;
            }
            self.handled &= !bit(pin);
            if self.wants_level(pin) || self.wants_passed(pin) {
                fired |= bit(pin);
            }
        }
        fired
    }

    /// A load of 4 bytes at `offset` of the page; what does not exist reads as zero.
    pub(super) fn read(&self, offset: u64) -> u32 {
        match (offset, self.select) {
            (SELECT, select) => select.into(),
            (WINDOW, 0) => self.id,
            (WINDOW, 1) => VERSION,
            // The arbitration ID follows the ID.
            (WINDOW, 2) => self.id,
            (WINDOW, select @ 0x10..) => {
                let pin = select.wrapping_sub(0x10) >> 1;
                let remote_irr = if self.handled & bit(pin.into()) != 0 { REMOTE_IRR } else { 0 };
                let entry = self.entries.get(usize::from(pin)).map_or(0, |entry| entry | remote_irr);
                (if select & 1 == 0 { entry } else { entry >> 32 }) as u32
            }
            _ => 0,
        }
    }

    /// A store of 4 bytes; what does not exist is ignored. The entries that are to be sent.
    pub(super) fn write(&mut self, offset: u64, value: u32) -> Fired {
        match (offset, self.select) {
            (SELECT, _) => self.select = value as u8,
            (END, _) => return self.end(value as u8),
            (WINDOW, 0) => self.id = value & 0x0f00_0000,
            (WINDOW, select @ 0x10..) => return self.write_entry(select, value),
            _ => {}
        }
        0
    }

    fn write_entry(&mut self, select: u8, value: u32) -> Fired {
        let pin = select.wrapping_sub(0x10) >> 1;
        let Some(entry) = self.entries.get_mut(usize::from(pin)) else { return 0 };
        let half = if select & 1 == 0 { 0xffff_ffff } else { 0xffff_ffff << 32 };
        let value = u64::from(value) | u64::from(value) << 32;
        *entry = *entry & !(half & WRITABLE) | value & half & WRITABLE;
        // An edge has no remote IRR: software without an EOI register clears it so.
        if *entry & LEVEL == 0 {
            self.handled &= !bit(pin.into());
        }
        if self.wants_level(pin.into()) || self.wants_passed(pin.into()) { bit(pin.into()) } else { 0 }
    }

    /// A CPU has forgotten what it had been sent: nobody will end it.
    pub(super) fn forget_sent(&mut self) {
        self.over |= core::mem::take(&mut self.sent);
    }

    /// Of `lines` nothing is here any more: it came to an end at the 8259s.
    pub(super) fn withdraw(&mut self, lines: u32) {
        self.waiting &= !lines;
        self.sent &= !lines;
    }

    /// The board's interrupts that came to their end here since this was called.
    pub(super) fn take_over(&mut self) -> u32 {
        core::mem::take(&mut self.over)
    }
}

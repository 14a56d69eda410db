//! The clock of PCs (Motorola MC146818A): time and date, an alarm, a periodic interrupt, and memory that a battery keeps.
//!
//! The frame is two ports: 0x70, where a register is chosen, and 0x71. The bit of port 0x70 that masks NMI is taken and means
//! nothing. The memory is 128 bytes; what it holds after power-on, and any register besides, the configuration may say.
//!
//! Nothing ticks. The time is where the clock was set and what has passed since, and it changes at once: there is no moment at
//! which registers are undefined, but UIP is set 244 microseconds before as on silicon, for those who wait for it. What is
//! written to a time register while the clock runs takes effect at once; the day of the week follows from the date.

mod calendar;
mod format;
mod registers;
#[cfg(test)]
mod tests;

use core::num::NonZeroU64;

use crate::clock::Ticker;
use crate::{Registers, Timed, Width};
use calendar::{DAY_OF_1970, Date, weekday};
use format::Format;
use registers::*;

/// The crystal.
const HZ: NonZeroU64 = NonZeroU64::new(32_768).unwrap();
/// How long before a change UIP is set, in ticks: 244 microseconds.
const NEAR: u64 = 8;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY_SECONDS: u64 = 24 * HOUR;
/// The registers that the time is in.
const TIME_REGISTERS: [u8; 8] = [SECONDS, MINUTES, HOURS, WEEKDAY, DAY, MONTH, YEAR, CENTURY];
/// 9999-12-31, after which years would have five digits: no clock begins later.
const LAST_EPOCH: u64 = 253_402_300_799;

/// One MC146818.
#[derive(Debug)]
pub struct Mc146818 {
    ticker: Ticker,
    /// What it begins with: seconds since 1970, and registers.
    epoch: u64,
    presets: &'static [(u8, u8)],
    index: u8,
    /// The memory, with the registers of the alarm, and those of the time while it stands still.
    bytes: [u8; 128],
    a: u8,
    b: u8,
    /// Register C but IRQF.
    flags: u8,
    /// The time at `anchor`, in seconds since 0000-03-01.
    time: u64,
    /// A tick at which the seconds changed.
    anchor: u64,
    /// The tick until which everything has come about.
    seen: u64,
    /// The VM stops: no interrupt.
    quiesced: bool,
}

impl Mc146818 {
    /// Number of ports.
    pub const FRAME_BYTES: u64 = 2;
    /// The register of the century, for ACPI's table.
    pub const CENTURY: u8 = CENTURY;

    /// A clock after power-on, by the guest's counter of `counter_hz`. It is `epoch` seconds since 1970 when it is first told the
    /// time. `presets` are registers and what is stored to them then; there is nothing from register 128 on.
    pub fn new(epoch: u64, presets: &'static [(u8, u8)], counter_hz: NonZeroU64) -> Mc146818 {
        Mc146818::begin(epoch, presets, Ticker::new(HZ, counter_hz))
    }

    fn begin(epoch: u64, presets: &'static [(u8, u8)], ticker: Ticker) -> Mc146818 {
        let mut clock = Mc146818 {
            ticker,
            epoch,
            presets,
            index: 0,
            bytes: [0; 128],
            a: A_RESET,
            b: B_24_HOURS,
            flags: 0,
            time: epoch.min(LAST_EPOCH).saturating_add(DAY_OF_1970.saturating_mul(DAY_SECONDS)),
            anchor: 0,
            seen: ticker.now(),
            quiesced: false,
        };
        for &(register, value) in presets {
            clock.store(register, value);
        }
        clock
    }

    fn format(&self) -> Format {
        Format::of(self.b)
    }

    fn byte(&self, register: u8) -> u8 {
        self.bytes.get(usize::from(register)).copied().unwrap_or(0)
    }

    fn set_byte(&mut self, register: u8, value: u8) {
        if let Some(byte) = self.bytes.get_mut(usize::from(register)) {
            *byte = value;
        }
    }

    /// The divider is held: nothing goes on.
    fn is_held(&self) -> bool {
        self.a & A_HELD == A_HELD
    }

    /// The time stands still, and its registers are memory.
    fn is_frozen(&self) -> bool {
        self.is_held() || self.b & B_SET != 0
    }

    /// Ticks since the seconds changed at `anchor`.
    fn since_anchor(&self, tick: u64) -> u64 {
        tick.wrapping_sub(self.anchor)
    }

    /// The time at a tick, in seconds since 0000-03-01.
    fn time_at(&self, tick: u64) -> u64 {
        self.time.saturating_add(self.since_anchor(tick) / HZ)
    }

    /// A register of the time, of a clock that runs.
    fn time_register(&self, register: u8) -> u8 {
        let time = self.time_at(self.seen);
        let (format, days) = (self.format(), time / DAY_SECONDS);
        let date = Date::of_day(days);
        match register {
            SECONDS => format.byte(time % MINUTE),
            MINUTES => format.byte(time / MINUTE % 60),
            HOURS => format.hour_byte(time / HOUR % 24),
            WEEKDAY => format.byte(weekday(days)),
            DAY => format.byte(date.day),
            MONTH => format.byte(date.month),
            YEAR => format.byte(date.year % 100),
            _ => format.byte(date.year / 100),
        }
    }

    /// Puts the time into its registers, which are memory from now on.
    fn freeze(&mut self) {
        for register in TIME_REGISTERS {
            self.set_byte(register, self.time_register(register));
        }
    }

    /// Takes the time from its registers. The divider has gone on: the seconds change when they would have.
    fn thaw(&mut self) {
        let number = |register| self.format().number(self.byte(register));
        let year = number(CENTURY).saturating_mul(100).saturating_add(number(YEAR));
        let days = Date { year, month: number(MONTH), day: number(DAY) }.day();
        let hours = days.saturating_mul(24).saturating_add(self.format().hour(self.byte(HOURS)));
        let minutes = hours.saturating_mul(60).saturating_add(number(MINUTES));
        self.time = minutes.saturating_mul(60).saturating_add(number(SECONDS));
        self.anchor = self.seen.wrapping_sub(self.since_anchor(self.seen) % HZ);
    }

    /// Changes registers A or B, which may stop the time or let it go on.
    fn change(&mut self, action: impl FnOnce(&mut Mc146818)) {
        let was_frozen = self.is_frozen();
        if !was_frozen {
            self.freeze();
        }
        let was_held = self.is_held();
        action(self);
        if was_held && !self.is_held() {
            // Motorola data sheet, "divider stages": the first update is half a second later.
            self.anchor = self.seen.wrapping_sub(HZ.get() / 2);
        }
        if was_frozen && !self.is_frozen() {
            self.thaw();
        }
    }

    fn store(&mut self, register: u8, value: u8) {
        match register {
            A => self.change(|clock| clock.a = value & !A_UPDATES),
            B => self.change(|clock| {
                // Motorola data sheet, "SET": as it is set, UIE is cleared.
                let sets = value & !clock.b & B_SET != 0;
                clock.b = value & !if sets { UPDATE } else { 0 };
            }),
            C | D => {}
            register if TIME_REGISTERS.contains(&register) && !self.is_frozen() => {
                self.freeze();
                self.set_byte(register, value);
                self.thaw();
            }
            register => self.set_byte(register, value),
        }
    }

    fn load(&mut self, register: u8) -> u8 {
        match register {
            A if self.is_near() => self.a | A_UPDATES,
            A => self.a,
            B => self.b,
            C => {
                let interrupts = if self.interrupts() { C_INTERRUPTS } else { 0 };
                core::mem::take(&mut self.flags) | interrupts
            }
            D => D_VALID,
            register if TIME_REGISTERS.contains(&register) && !self.is_frozen() => self.time_register(register),
            register => self.byte(register),
        }
    }

    /// UIP.
    fn is_near(&self) -> bool {
        !self.is_frozen() && self.since_anchor(self.seen) % HZ >= HZ.get().saturating_sub(NEAR)
    }

    /// IRQF.
    fn interrupts(&self) -> bool {
        self.flags & self.b & B_INTERRUPTS != 0
    }

    /// Ticks from one periodic interrupt to the next (Motorola data sheet, table 5, for a crystal of 32,768 Hz).
    fn period(&self) -> Option<NonZeroU64> {
        let shift = match self.a & A_RATE {
            _ if self.is_held() => return None,
            0 => return None,
            // The same as 8 and 9.
            rate @ 1..=2 => u32::from(rate).saturating_add(6),
            rate => u32::from(rate).saturating_sub(1),
        };
        NonZeroU64::new(1 << shift)
    }

    /// The next time after `time` that the alarm is set for; `None` if it is set for none that there is.
    fn alarm_after(&self, time: u64) -> Option<u64> {
        let format = self.format();
        let fields = [
            (HOUR, 24, format.wanted_hour(self.byte(HOURS_ALARM))),
            (MINUTE, 60, format.wanted(self.byte(MINUTES_ALARM))),
            (1, 60, format.wanted(self.byte(SECONDS_ALARM))),
        ];
        if fields.iter().any(|(_, count, wanted)| wanted.is_some_and(|wanted| wanted >= *count)) {
            return None;
        }
        // A field that is brought forward may carry a higher one past what is wanted of it, but not twice: then all lower ones
        // begin from zero.
        let begin = time.saturating_add(1);
        Some(
            [fields; 3]
                .into_iter()
                .flatten()
                .fold(begin, |time, (unit, count, wanted)| forward(time, unit, count, wanted)),
        )
    }
}

/// The first time from `time` on at which the field of as many as `count` units is as wanted.
fn forward(time: u64, unit: u64, count: u64, wanted: Option<u64>) -> u64 {
    let units = time.checked_div(unit).unwrap_or(time);
    let field = units.checked_rem(count).unwrap_or(0);
    match wanted {
        Some(wanted) if wanted != field => {
            let missing = wanted.wrapping_sub(field).wrapping_add(if wanted < field { count } else { 0 });
            units.saturating_add(missing).saturating_mul(unit)
        }
        _ => time,
    }
}

impl Timed for Mc146818 {
    fn advance(&mut self, now: u64) {
        self.ticker.advance(now);
        let before = core::mem::replace(&mut self.seen, self.ticker.now());
        if let Some(period) = self.period()
            && self.since_anchor(self.seen) / period > self.since_anchor(before) / period
        {
            self.flags |= PERIODIC;
        }
        let (earlier, time) = (self.time_at(before), self.time_at(self.seen));
        if time > earlier && !self.is_frozen() {
            self.flags |= UPDATE;
            if self.alarm_after(earlier).is_some_and(|alarm| alarm <= time) {
                self.flags |= ALARM;
            }
        }
    }

    fn deadline(&self) -> Option<u64> {
        // The line is high until register C is read, whatever else comes about.
        if self.interrupts() || self.quiesced {
            return None;
        }
        let (since, time) = (self.since_anchor(self.seen), self.time_at(self.seen));
        let periodic = self.period().map(|period| since.saturating_add(period.get()).saturating_sub(since % period));
        let at = |time: u64| time.saturating_sub(self.time).saturating_mul(HZ.get());
        let update = (!self.is_frozen()).then(|| at(time.saturating_add(1)));
        let alarm = self.alarm_after(time).filter(|_| !self.is_frozen()).map(at);
        let waits = [(PERIODIC, periodic), (UPDATE, update), (ALARM, alarm)];
        let next = waits.into_iter().filter(|(flag, _)| self.b & flag != 0).filter_map(|(_, since)| since).min()?;
        // The anchor may lie before the first tick of all.
        self.ticker.counter_at(self.anchor.wrapping_add(next))
    }
}

impl Registers for Mc146818 {
    fn read(&mut self, offset: u64, _: Width) -> u64 {
        match offset {
            // Only written, on silicon.
            INDEX => 0xff,
            DATA => self.load(self.index).into(),
            _ => 0,
        }
    }

    fn write(&mut self, offset: u64, _: Width, value: u64) {
        let value = value.to_le_bytes()[0];
        match offset {
            INDEX => self.index = value & INDEX_BITS,
            DATA => self.store(self.index, value),
            _ => {}
        }
    }

    fn latch(&mut self, offset: u64, value: u8) -> bool {
        let is_index = offset == INDEX;
        if is_index {
            self.index = value & INDEX_BITS;
        }
        is_index
    }

    fn line(&self) -> bool {
        self.interrupts() && !self.quiesced
    }

    fn reset(&mut self) {
        self.ticker.restart();
        *self = Mc146818::begin(self.epoch, self.presets, self.ticker);
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
    }
}

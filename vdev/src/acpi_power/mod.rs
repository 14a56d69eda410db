//! Power management as ACPI has it in hardware (ACPI 6.5, section 4.8): the power button, the way off, and the timer.
//!
//! ACPI mode is on from the beginning and cannot be left: there is no SMI, and SCI_EN is one. The only sleep is S5, soft off,
//! and its SLP_TYP is [`AcpiPower::S5`]; other types are kept and lead to nothing. There is no sleep button, and the clock
//! wakes nobody. The timer has 24 bits (without the FADT's TMR_VAL_EXT), which every system expects.

mod registers;
#[cfg(test)]
mod tests;

use core::num::NonZeroU64;

use crate::clock::Ticker;
use crate::{Registers, Request, Timed, Width};
use registers::*;

/// The timer's clock (ACPI 6.5, section 4.8.2.1).
const HZ: NonZeroU64 = NonZeroU64::new(3_579_545).unwrap();
/// The number of the timer's highest bit.
const CARRY_SHIFT: u32 = 23;
/// The timer's bits.
const TIMER_BITS: u32 = 0xff_ffff;

/// One block of power management registers.
#[derive(Debug)]
pub struct AcpiPower {
    ticker: Ticker,
    /// How often the timer's highest bit had changed when last looked at.
    carries: u64,
    status: u16,
    enabled: u16,
    control: u16,
    request: Option<Request>,
    /// The VM stops: no interrupt, and no request.
    quiesced: bool,
}

impl AcpiPower {
    /// Size of the register frame in bytes: PM1a_EVT_BLK at 0, PM1a_CNT_BLK at 4, PM_TMR_BLK at 8.
    pub const FRAME_BYTES: u64 = 12;
    /// SLP_TYP of soft off, for the DSDT's `_S5`.
    pub const S5: u8 = 5;

    /// The registers after power-on. The timer is made from the guest's counter of `counter_hz`.
    pub const fn new(counter_hz: NonZeroU64) -> AcpiPower {
        AcpiPower::idle(Ticker::new(HZ, counter_hz), 0)
    }

    const fn idle(ticker: Ticker, carries: u64) -> AcpiPower {
        AcpiPower { ticker, carries, status: 0, enabled: 0, control: SCI, request: None, quiesced: false }
    }

    /// All registers, the first one lowest.
    fn image(&self) -> u128 {
        let timer = self.ticker.now() as u32 & TIMER_BITS;
        u128::from(self.status) << STATUS
            | u128::from(self.enabled) << ENABLE
            | u128::from(self.control) << CONTROL
            | u128::from(timer) << TIMER
    }

    fn set_control(&mut self, value: u16) {
        self.control = value & CONTROL_KEPT | SCI;
        let sleep_type = (value >> SLEEP_TYPE_SHIFT) & 7;
        if value & SLEEP != 0 && sleep_type == Self::S5.into() && !self.quiesced {
            self.request = Some(Request::PowerOff);
        }
    }
}

impl Timed for AcpiPower {
    fn advance(&mut self, now: u64) {
        self.ticker.advance(now);
        let carries = self.ticker.now() >> CARRY_SHIFT;
        if carries != core::mem::replace(&mut self.carries, carries) {
            self.status |= TIMER_CARRY;
        }
    }

    fn deadline(&self) -> Option<u64> {
        let waits = self.enabled & !self.status & TIMER_CARRY != 0 && !self.quiesced;
        let next = self.carries.wrapping_add(1).checked_shl(CARRY_SHIFT).filter(|_| waits)?;
        self.ticker.counter_at(next)
    }

    fn press(&mut self) {
        self.status |= POWER_BUTTON;
    }
}

impl Registers for AcpiPower {
    fn read(&mut self, offset: u64, width: Width) -> u64 {
        match offset {
            0..Self::FRAME_BYTES => (self.image() >> bits_of(offset)) as u64 & width.mask(),
            _ => 0,
        }
    }

    fn write(&mut self, offset: u64, width: Width, value: u64) {
        if offset >= Self::FRAME_BYTES {
            return;
        }
        // What is written, and which bits are, where they are among all registers.
        let [value, mask] = [value & width.mask(), width.mask()].map(|bits| u128::from(bits) << bits_of(offset));
        let written = |register: u32, old: u16| {
            let [value, mask] = [value, mask].map(|bits| (bits >> register) as u16);
            old & !mask | value
        };
        // ACPI 6.5, section 4.8.3.1.1: a one clears.
        self.status &= !written(STATUS, 0);
        self.enabled = written(ENABLE, self.enabled) & ENABLE_ALL;
        self.set_control(written(CONTROL, self.control));
    }

    /// SCI.
    fn line(&self) -> bool {
        self.status & self.enabled != 0 && !self.quiesced
    }

    fn take_request(&mut self) -> Option<Request> {
        self.request.take()
    }

    fn reset(&mut self) {
        self.ticker.restart();
        *self = AcpiPower::idle(self.ticker, self.carries);
    }

    fn quiesce(&mut self) {
        self.quiesced = true;
        self.request = None;
    }
}

/// Bits in as many bytes; of a frame, far fewer than 128.
fn bits_of(bytes: u64) -> u64 {
    bytes.wrapping_mul(8)
}

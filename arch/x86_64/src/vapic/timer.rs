//! The timer of a local APIC (SDM volume 3, 11.5.4; APM volume 2, 16.4.1). Its clock is the guest's TSC, divided.

/// What it counts, by LVT's timer mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    OneShot,
    Periodic,
    /// Until the TSC has a value.
    Deadline,
    Reserved,
}

impl Mode {
    /// From bits 18:17 of LVT's entry.
    pub(super) const fn from_entry(entry: u32) -> Mode {
        match entry >> 17 & 3 {
            0 => Mode::OneShot,
            1 => Mode::Periodic,
            2 => Mode::Deadline,
            _ => Mode::Reserved,
        }
    }
}

/// The counter. Times are values of the guest's TSC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Timer {
    mode: Mode,
    /// As written: bits 3, 1 and 0.
    divide: u32,
    initial_count: u32,
    /// When it was last at its initial count.
    start: u64,
    /// When it next fires.
    deadline: Option<u64>,
}

impl Timer {
    /// Out of reset: stopped.
    pub(super) const fn new() -> Timer {
        Timer { mode: Mode::OneShot, divide: 0, initial_count: 0, start: 0, deadline: None }
    }

    /// When it next fires.
    #[inline]
    pub(super) fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    pub(super) fn divide(&self) -> u32 {
        self.divide
    }

    pub(super) fn initial_count(&self) -> u32 {
        self.initial_count
    }

    /// LVT's entry was written.
    pub(super) fn set_mode(&mut self, mode: Mode, now: u64) {
        if mode == self.mode {
            return;
        }
        // To or from TSC-deadline mode disarms; one-shot and periodic go on counting.
        if mode == Mode::Deadline || self.mode == Mode::Deadline || mode == Mode::Reserved {
            self.stop();
        } else if self.deadline.is_none() && mode == Mode::Periodic {
            self.restart(now);
        }
        self.mode = mode;
    }

    fn stop(&mut self) {
        self.deadline = None;
        self.initial_count = 0;
    }

    /// The divisor as a shift: 1 is 0b1011, 2 is 0b0000 … 128 is 0b1010.
    fn shift(&self) -> u32 {
        (self.divide & 3 | self.divide >> 1 & 4).wrapping_add(1) & 7
    }

    /// The time from the initial count to zero.
    fn period(&self) -> u64 {
        u64::from(self.initial_count).wrapping_shl(self.shift())
    }

    fn restart(&mut self, now: u64) {
        self.start = now;
        self.deadline = (self.initial_count != 0).then(|| now.saturating_add(self.period()));
    }

    /// The current-count register.
    pub(super) fn count(&self, now: u64) -> u32 {
        if self.deadline.is_none() || self.mode == Mode::Deadline {
            return 0;
        }
        let elapsed = now.saturating_sub(self.start).wrapping_shr(self.shift());
        let initial = u64::from(self.initial_count);
        let elapsed = match self.mode {
            Mode::Periodic => elapsed.checked_rem(initial).unwrap_or(0),
            _ => elapsed.min(initial),
        };
        initial.saturating_sub(elapsed) as u32
    }

    /// A write of the initial-count register: starts, and zero stops. Ignored in TSC-deadline mode.
    #[inline]
    pub(super) fn set_initial_count(&mut self, count: u32, now: u64) {
        if matches!(self.mode, Mode::OneShot | Mode::Periodic) {
            self.initial_count = count;
            self.restart(now);
        }
    }

    /// A write of the divide-configuration register: what was counted so far stays.
    pub(super) fn set_divide(&mut self, divide: u32, now: u64) {
        let left = u64::from(self.count(now));
        self.divide = divide & 0xb;
        if self.deadline.is_some() && self.mode != Mode::Deadline {
            let counted = u64::from(self.initial_count).saturating_sub(left).wrapping_shl(self.shift());
            self.start = now.saturating_sub(counted);
            self.deadline = Some(now.saturating_add(left.wrapping_shl(self.shift())));
        }
    }

    /// IA32_TSC_DEADLINE: zero if it is not armed.
    pub(super) fn tsc_deadline(&self) -> u64 {
        if self.mode == Mode::Deadline { self.deadline.unwrap_or(0) } else { 0 }
    }

    /// A write of it: zero disarms. Ignored in other modes.
    #[inline]
    pub(super) fn set_tsc_deadline(&mut self, deadline: u64) {
        if self.mode == Mode::Deadline {
            self.deadline = (deadline != 0).then_some(deadline);
        }
    }

    /// Whether it fires now; then it is stopped, or counts its next period. Periods that nobody saw end are one.
    #[inline]
    pub(super) fn fires(&mut self, now: u64) -> bool {
        let Some(deadline) = self.deadline.filter(|&deadline| deadline <= now) else { return false };
        self.deadline = None;
        if self.mode == Mode::Periodic {
            let period = self.period().max(1);
            let since = now.saturating_sub(deadline).checked_rem(period).unwrap_or(0);
            self.start = now.saturating_sub(since);
            self.deadline = Some(self.start.saturating_add(period));
        }
        true
    }
}

//! The records of time that the guest has asked for (`crate::pvclock`): written in its memory, while it is not in the guest.
//!
//! A record's version is odd while it is written, and another one afterwards. x86 makes stores visible in their order (APM volume 2,
//! 7.2), and each is an instruction.

use model::{Gpa, PAGE_BYTES};

use super::Vcpu;
use crate::memory;
use crate::pvclock::{self, Refused, STEAL_TIME, SYSTEM_TIME, VERSION, VERSION_OF_STOLEN, WALL_CLOCK};

/// What the guest has written to the registers, and what it was told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    wall_clock: u64,
    system_time: u64,
    steal_time: u64,
    /// Ticks that were stolen so far.
    stolen: u64,
}

impl Told {
    /// Out of reset: no records. What was stolen stays so.
    pub(super) fn reset(&mut self) {
        *self = Told { stolen: self.stolen, ..Told::default() };
    }
}

impl Vcpu {
    pub(super) fn read_clock(&self, register: u32) -> u64 {
        match register {
            WALL_CLOCK => self.told.wall_clock,
            SYSTEM_TIME => self.told.system_time,
            _ => self.told.steal_time,
        }
    }

    pub(super) fn write_clock(&mut self, register: u32, value: u64) -> Result<(), Refused> {
        if let Some((start, size)) = pvclock::record(register, value)? {
            // All of it, whatever of it is written.
            let mut words = (0..size).step_by(4).map(|offset| start.0.checked_add(offset));
            let is_ram = |at: Option<u64>| at.is_some_and(|at| self.guest.memory.find(Gpa(at), true).is_some());
            if !words.all(is_ram) {
                return Err(Refused);
            }
        }
        match register {
            WALL_CLOCK => {
                self.told.wall_clock = value;
                self.tell(Gpa(value), VERSION, &pvclock::time_of_day(self.guest.time_of_day()));
            }
            SYSTEM_TIME => {
                self.told.system_time = value;
                self.tell_time();
            }
            _ => {
                self.told.steal_time = value;
                self.tell_stolen(self.told.stolen);
            }
        }
        Ok(())
    }

    /// Tells the guest how its time stamp becomes time, if it wants to know. The VM's is at zero where the guest's is at what it has
    /// added.
    pub(super) fn tell_time(&self) {
        if let Ok(Some((start, _))) = pvclock::record(SYSTEM_TIME, self.told.system_time) {
            self.tell(start, VERSION, &self.guest.scale.clock(self.tsc_adjust));
        }
    }

    /// Tells the guest that `ticks` of the counter were stolen from it so far, if it wants to know. Called when it is about to run.
    pub fn tell_stolen(&mut self, ticks: u64) {
        self.told.stolen = ticks;
        if let Ok(Some((start, _))) = pvclock::record(STEAL_TIME, self.told.steal_time) {
            let stolen = self.guest.scale.nanoseconds(ticks);
            self.tell(start, VERSION_OF_STOLEN, &pvclock::stolen(stolen));
        }
    }

    /// Writes a record, `words` at `start`, with its version as word number `version`.
    fn tell(&self, start: Gpa, version: usize, words: &[u32]) {
        let mut known = None;
        let mut store = |index: usize, word: u32| {
            let at = Gpa(start.0.wrapping_add((index as u64) << 2));
            let (page, offset) = (Gpa(at.0 & !(PAGE_BYTES - 1)), at.0 & (PAGE_BYTES - 1));
            // It was found to be RAM when the guest named it, and that is for good. Seldom it lies in two pages.
            let host = known.filter(|&(known, _)| known == page).map(|(_, host)| host);
            let Some(host) = host.or_else(|| self.guest.memory.find(page, true)) else { return };
            known = Some((page, host));
            // SAFETY: an aligned word in RAM of the guest's, at its own address.
            unsafe { memory::store(host.0.wrapping_add(offset), 4, word.into()) };
        };
        let number = self.guest.next_version();
        store(version, number.wrapping_sub(1));
        for (index, &word) in words.iter().enumerate().filter(|&(index, _)| index != version) {
            store(index, word);
        }
        store(version, number);
    }
}

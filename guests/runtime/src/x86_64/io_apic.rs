//! The I/O APIC (Intel 82093AA): a window of two registers, behind it two words an input.

use super::mmio::{read32, write32};
use crate::machine::{Line, Machine, Polarity, Trigger};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// IOREGSEL and IOWIN.
const SELECT: usize = 0x00;
const WINDOW: usize = 0x10;
const ID: u32 = 0;
const VERSION: u32 = 1;
/// The lower word of an input's entry; the upper one follows.
const ENTRY: u32 = 0x10;
const POLARITY_LOW: u32 = 1 << 13;
/// The interrupt was taken and not yet ended; of level-triggered ones.
const REMOTE_IRR: u32 = 1 << 14;
const LEVEL: u32 = 1 << 15;
const MASKED: u32 = 1 << 16;

static ADDRESS: AtomicUsize = AtomicUsize::new(0);

pub(super) fn find(machine: &Machine) {
    ADDRESS.store(machine.io_apic, Relaxed);
}

fn read(register: u32) -> u32 {
    write32(ADDRESS.load(Relaxed) + SELECT, register);
    read32(ADDRESS.load(Relaxed) + WINDOW)
}

fn write(register: u32, value: u32) {
    write32(ADDRESS.load(Relaxed) + SELECT, register);
    write32(ADDRESS.load(Relaxed) + WINDOW, value);
}

/// The ID, the version, and the number of inputs.
pub fn identity() -> (u32, u32, u32) {
    let version = read(VERSION);
    (read(ID) >> 24 & 0xf, version & 0xff, (version >> 16 & 0xff) + 1)
}

impl Line {
    const fn entry(self) -> u32 {
        ENTRY + 2 * self.number
    }

    /// To the CPU `id` with this vector, from here on.
    pub fn route(self, vector: u32, id: u64) {
        // Masked while only half of the entry is written.
        write(self.entry(), MASKED);
        write(self.entry() + 1, (id as u32) << 24);
        let trigger = if self.trigger == Trigger::Level { LEVEL } else { 0 };
        let polarity = if self.polarity == Polarity::Low { POLARITY_LOW } else { 0 };
        write(self.entry(), vector | trigger | polarity);
    }

    /// Not taken from here on, or again.
    pub fn mask(self, masked: bool) {
        let entry = read(self.entry()) & !MASKED;
        write(self.entry(), if masked { entry | MASKED } else { entry });
    }

    /// The entry's lower word.
    pub fn entry_word(self) -> u32 {
        read(self.entry())
    }

    /// Whether its interrupt, level-triggered, was taken and not yet ended.
    pub fn is_in_service(self) -> bool {
        read(self.entry()) & REMOTE_IRR != 0
    }

    /// The same line, triggered otherwise.
    pub const fn with(self, trigger: Trigger) -> Line {
        Line { trigger, ..self }
    }
}

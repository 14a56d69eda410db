//! A VM's devices by address, and the way of their interrupts to its interrupt controller.

mod serial;
mod timed;

use arch::{At, Guest};
use model::Vdev;
use vdev::{Registers, Width};

pub use serial::Serial;
pub use timed::Timed;

/// A device of one VM. Its lock is held for one access, by one pCPU, and never while waiting.
pub struct Device {
    config: &'static Vdev,
    kind: Kind,
}

/// What it is, by what it lives on besides its registers.
pub enum Kind {
    /// Characters.
    Serial(Serial),
    /// Time.
    Timed(Timed),
}

impl Device {
    /// The device that `config` describes.
    pub fn new(config: &'static Vdev, kind: Kind) -> Device {
        Device { config, kind }
    }

    /// The serial device that it is.
    pub fn serial(&self) -> Option<&Serial> {
        match &self.kind {
            Kind::Serial(serial) => Some(serial),
            Kind::Timed(_) => None,
        }
    }

    /// The device that waits for a time that it is.
    pub fn timed(&self) -> Option<&Timed> {
        match &self.kind {
            Kind::Timed(timed) => Some(timed),
            Kind::Serial(_) => None,
        }
    }

    /// The offset in the device's registers of what is `at` an address; `None` outside of them.
    pub fn offset(&self, at: At) -> Option<u64> {
        match at {
            At::Memory(gpa) => self.config.place.of_memory(gpa),
            At::Port(port) => self.config.place.of_port(port),
        }
    }

    /// A load by a guest.
    pub fn read(&self, guest: &Guest, offset: u64, width: Width) -> u64 {
        match &self.kind {
            Kind::Serial(serial) => serial.with(guest, |uart| uart.read(offset, width)),
            Kind::Timed(timed) => timed.with(guest, |device| device.registers().read(offset, width)),
        }
    }

    /// A store by a guest.
    pub fn write(&self, guest: &Guest, offset: u64, width: Width, value: u64) {
        match &self.kind {
            Kind::Serial(serial) => serial.with(guest, |uart| uart.write(offset, width, value)),
            Kind::Timed(timed) => timed.with(guest, |device| device.registers().write(offset, width, value)),
        }
    }

    /// The VM stops: no effect on anything from now on.
    pub fn quiesce(&self) {
        match &self.kind {
            Kind::Serial(serial) => serial.quiesce(),
            Kind::Timed(timed) => timed.quiesce(),
        }
    }

    /// The VM starts again: the device as after power-on.
    pub fn reset(&self, guest: &Guest) {
        match &self.kind {
            Kind::Serial(serial) => serial.with(guest, Registers::reset),
            Kind::Timed(timed) => timed.with(guest, |device| device.registers().reset()),
        }
    }
}

/// A device's interrupt line.
struct Line {
    intid: Option<u32>,
    /// As the interrupt controller last saw it.
    level: bool,
}

impl Line {
    /// The line of the device that `config` describes, after power-on.
    fn new(config: &Vdev) -> Line {
        Line { intid: config.lines.first().copied(), level: false }
    }

    /// The line is at `level` now. Called under the device's lock: the controller sees the changes in the order in which they
    /// happened.
    #[inline]
    fn set(&mut self, guest: &Guest, level: bool) {
        if level != core::mem::replace(&mut self.level, level)
            && let Some(intid) = self.intid
        {
            guest.set_line(intid, level);
        }
    }
}

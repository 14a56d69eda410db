//! A VM's devices by address, and the way of their interrupts to its interrupt controller.

mod lines;
mod plain;
mod serial;
mod timed;

use arch::{At, Guest};
use model::{Vdev, VdevKind};
use vdev::{Request, Width};

use lines::Lines;

pub use plain::Plain;
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
    /// Nothing.
    Plain(Plain),
}

impl Device {
    /// The device that `config` describes.
    pub fn new(config: &'static Vdev, kind: Kind) -> Device {
        Device { config, kind }
    }

    /// What it is, as its VM's file says.
    pub fn kind(&self) -> &'static VdevKind {
        &self.config.kind
    }

    /// The serial device that it is.
    pub fn serial(&self) -> Option<&Serial> {
        match &self.kind {
            Kind::Serial(serial) => Some(serial),
            Kind::Timed(_) | Kind::Plain(_) => None,
        }
    }

    /// The device that waits for a time that it is.
    pub fn timed(&self) -> Option<&Timed> {
        match &self.kind {
            Kind::Timed(timed) => Some(timed),
            Kind::Serial(_) | Kind::Plain(_) => None,
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
            Kind::Timed(timed) => timed.with(guest, |device| device.read(offset, width)),
            Kind::Plain(plain) => plain.with(guest, |device| device.read(offset, width)),
        }
    }

    /// A store by a guest, and what it makes the device ask of the machine.
    pub fn write(&self, guest: &Guest, offset: u64, width: Width, value: u64) -> Option<Request> {
        match &self.kind {
            Kind::Serial(serial) => {
                serial.with(guest, |uart| uart.write(offset, width, value));
                None
            }
            Kind::Timed(timed) => timed.with(guest, |device| {
                device.write(offset, width, value);
                device.take_request()
            }),
            Kind::Plain(plain) => plain.with(guest, |device| {
                device.write(offset, width, value);
                device.take_request()
            }),
        }
    }

    /// A store of a byte by a guest, if that only selects what another access means. False if it is more than that.
    pub fn latch(&self, offset: u64, value: u8) -> bool {
        match &self.kind {
            Kind::Timed(timed) => timed.latch(offset, value),
            Kind::Serial(_) | Kind::Plain(_) => false,
        }
    }

    /// The VM stops: no effect on anything from now on.
    pub fn quiesce(&self) {
        match &self.kind {
            Kind::Serial(serial) => serial.quiesce(),
            Kind::Timed(timed) => timed.quiesce(),
            Kind::Plain(plain) => plain.quiesce(),
        }
    }

    /// The VM starts again: the device as after power-on.
    pub fn reset(&self, guest: &Guest) {
        match &self.kind {
            Kind::Serial(serial) => serial.with(guest, |uart| uart.reset()),
            Kind::Timed(timed) => timed.reset(guest),
            Kind::Plain(plain) => plain.with(guest, |device| device.reset()),
        }
    }
}

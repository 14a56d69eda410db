//! A VM's devices by address, and the way of their interrupts to its interrupt controller.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Guest;
use model::{Gpa, Vdev, VdevKind};
use spin::Mutex;
use vdev::{Endpoint, Pl011, Registers, Width};

/// A device of one VM. Its lock is held for one access, by one pCPU, and never while waiting.
pub struct Device {
    config: &'static Vdev,
    endpoint: Option<&'static Endpoint>,
    /// The bit of its source in the console; zero until it is connected.
    source: AtomicU64,
    state: Mutex<State>,
}

struct State {
    uart: Pl011<'static>,
    /// The interrupt line as the interrupt controller last saw it.
    line: bool,
}

impl Device {
    /// The device that `config` describes; `endpoint` is its end of the console, if it has one.
    pub fn new(config: &'static Vdev, endpoint: Option<&'static Endpoint>) -> Device {
        let VdevKind::Pl011 { .. } = config.kind;
        let state = Mutex::new(State { uart: Pl011::new(endpoint), line: false });
        Device { config, endpoint, source: AtomicU64::new(0), state }
    }

    /// What it prints is the console's source with this bit.
    pub fn connect(&self, source: u64) {
        self.source.store(source, Ordering::Relaxed);
    }

    /// The bit of its source in the console if the console has something of it to show, else zero.
    pub fn printed(&self) -> u64 {
        let has_output = self.endpoint.is_some_and(|endpoint| !endpoint.output.is_empty());
        if has_output { self.source.load(Ordering::Relaxed) } else { 0 }
    }

    /// The offset of `gpa` in the device's registers; `None` outside of them.
    pub fn offset(&self, gpa: Gpa) -> Option<u64> {
        gpa.offset_from(self.config.gpa).filter(|&offset| offset < self.config.size_bytes)
    }

    /// A load by a guest.
    pub fn read(&self, guest: &Guest, offset: u64, width: Width) -> u64 {
        self.with(guest, |device| device.read(offset, width))
    }

    /// A store by a guest.
    pub fn write(&self, guest: &Guest, offset: u64, width: Width, value: u64) {
        self.with(guest, |device| device.write(offset, width, value));
    }

    /// Its console endpoint changed.
    pub fn poll(&self, guest: &Guest) {
        self.with(guest, Pl011::poll);
    }

    /// The VM stops: no effect on anything from now on.
    pub fn quiesce(&self) {
        self.state.lock().uart.quiesce();
    }

    /// The VM starts again: the device as after power-on.
    pub fn reset(&self, guest: &Guest) {
        self.with(guest, Pl011::reset);
    }

    /// Does something to the device and tells the interrupt controller what became of its line, all under the lock:
    /// the controller sees the changes in the order in which they happened.
    fn with<R>(&self, guest: &Guest, action: impl FnOnce(&mut Pl011<'static>) -> R) -> R {
        let mut state = self.state.lock();
        let result = action(&mut state.uart);
        let line = state.uart.line();
        if line != core::mem::replace(&mut state.line, line)
            && let Some(intid) = self.config.intid
        {
            guest.set_line(intid, line);
        }
        result
    }
}

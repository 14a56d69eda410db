//! A serial device: a UART whose other end is an endpoint of the console.

use core::sync::atomic::{AtomicU64, Ordering};

use arch::Guest;
use model::Vdev;
use spin::Mutex;
use vdev::{Endpoint, Uart};

use super::Lines;

/// A UART.
pub struct Serial {
    endpoint: Option<&'static Endpoint>,
    /// The bit of its source in the console; zero until it is connected.
    source: AtomicU64,
    state: Mutex<State>,
}

struct State {
    uart: &'static mut (dyn Uart + Send),
    lines: Lines,
}

impl Serial {
    /// `uart`, which `config` describes; `endpoint` is its end of the console, if it has one.
    pub fn new(config: &Vdev, uart: &'static mut (dyn Uart + Send), endpoint: Option<&'static Endpoint>) -> Serial {
        let state = State { uart, lines: Lines::new(config) };
        Serial { endpoint, source: AtomicU64::new(0), state: Mutex::new(state) }
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

    /// Its console endpoint changed.
    pub fn poll(&self, guest: &Guest) {
        self.with(guest, |uart| uart.poll());
    }

    pub(super) fn quiesce(&self) {
        self.state.lock().uart.quiesce();
    }

    /// Does something to the UART, and tells the interrupt controller what became of its line.
    pub(super) fn with<R>(&self, guest: &Guest, action: impl FnOnce(&mut dyn Uart) -> R) -> R {
        let State { uart, lines } = &mut *self.state.lock();
        let result = action(*uart);
        lines.tell(guest, uart.signals());
        result
    }
}

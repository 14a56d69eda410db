//! A device that has nothing but registers and lines.

use arch::Guest;
use model::Vdev;
use spin::Mutex;
use vdev::Registers;

use super::Lines;

/// A device without a clock, and without a console.
pub struct Plain {
    state: Mutex<State>,
}

struct State {
    device: &'static mut (dyn Registers + Send),
    lines: Lines,
}

impl Plain {
    /// `device`, which `config` describes.
    pub fn new(config: &Vdev, device: &'static mut (dyn Registers + Send)) -> Plain {
        Plain { state: Mutex::new(State { device, lines: Lines::new(config) }) }
    }

    pub(super) fn quiesce(&self) {
        self.state.lock().device.quiesce();
    }

    /// Does something to the device, and tells the interrupt controller what became of its lines.
    pub(super) fn with<R>(&self, guest: &Guest, action: impl FnOnce(&mut dyn Registers) -> R) -> R {
        let State { device, lines } = &mut *self.state.lock();
        let result = action(*device);
        lines.tell(guest, device.signals());
        result
    }
}

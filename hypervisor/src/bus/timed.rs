//! A device that waits for a time: a watchdog, a timer, or a power key that comes up again.
//!
//! Its time is the guest's: what the guest's counter says, under the device's lock. Whoever did something to it calls
//! [`crate::vm::Vm::rearm`], by which the VM's home comes back to it in time ([`crate::vm::Vm::tend`]).

use arch::Guest;
use model::Vdev;
use spin::Mutex;
use vdev::Signals;

use super::Lines;

/// A device with a clock.
pub struct Timed {
    state: Mutex<State>,
}

struct State {
    device: &'static mut (dyn vdev::Timed + Send),
    lines: Lines,
    /// Another device has its lines: at the interrupt controller they are low.
    is_replaced: bool,
}

impl Timed {
    /// `device`, which `config` describes.
    pub fn new(config: &Vdev, device: &'static mut (dyn vdev::Timed + Send)) -> Timed {
        Timed { state: Mutex::new(State { device, lines: Lines::new(config), is_replaced: false }) }
    }

    /// Presses the power key, if it has one.
    pub fn press(&self, guest: &Guest) {
        self.with(guest, |device| device.press());
    }

    /// Whether the watchdog, if it is one, bites.
    pub fn bites(&self, guest: &Guest) -> bool {
        self.with(guest, |device| device.bites())
    }

    /// Where the guest's counter will be when somebody has to look at it again.
    pub fn deadline(&self, guest: &Guest) -> Option<u64> {
        self.with(guest, |device| device.deadline())
    }

    /// No time, no line and nobody else has to do with it.
    pub(super) fn latch(&self, offset: u64, value: u8) -> bool {
        self.state.lock().device.latch(offset, value)
    }

    pub(super) fn quiesce(&self) {
        self.state.lock().device.quiesce();
    }

    /// Another device has its lines from now on, or it has them again.
    pub fn replace(&self, guest: &Guest, is_replaced: bool) {
        self.state.lock().is_replaced = is_replaced;
        self.with(guest, |_| ());
    }

    /// After power-on nobody has another one's lines.
    pub(super) fn reset(&self, guest: &Guest) {
        self.state.lock().is_replaced = false;
        self.with(guest, |device| device.reset());
    }

    /// Tells the device the time, does something to it, and tells the interrupt controller what became of its lines.
    pub(super) fn with<R>(&self, guest: &Guest, action: impl FnOnce(&mut dyn vdev::Timed) -> R) -> R {
        let State { device, lines, is_replaced } = &mut *self.state.lock();
        device.advance(guest.counter());
        let result = action(*device);
        let signals = device.signals();
        lines.tell(guest, if *is_replaced { Signals::default() } else { signals });
        result
    }
}

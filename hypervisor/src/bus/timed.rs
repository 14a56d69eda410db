//! A device that waits for a time: a watchdog, or a power key that comes up again.
//!
//! Its time is the guest's: what the guest's counter says, under the device's lock. Whoever did something to it calls
//! [`crate::vm::Vm::rearm`], by which the VM's home comes back to it in time ([`crate::vm::Vm::tend`]).

use core::num::NonZeroU32;

use arch::Guest;
use model::Vdev;
use spin::Mutex;
use vdev::{Pl061, Sp805};

use super::Line;

/// The power key stays down for a second divided by this: longer than any driver waits until a key no longer bounces.
const KEY_HOLDS_PER_SECOND: u64 = 2;

/// A PL061 or an SP805.
pub struct Timed {
    state: Mutex<State>,
}

struct State {
    device: Either,
    line: Line,
}

/// One of them.
pub(super) enum Either {
    Gpio(Pl061),
    Watchdog(Sp805),
}

impl Either {
    pub(super) fn registers(&mut self) -> &mut dyn vdev::Timed {
        match self {
            Either::Gpio(gpio) => gpio,
            Either::Watchdog(watchdog) => watchdog,
        }
    }
}

impl Timed {
    /// The GPIO with a power key that `config` describes.
    pub fn power_key(config: &Vdev) -> Timed {
        let hold = arch::cpu::counter_hz() / KEY_HOLDS_PER_SECOND;
        Timed::new(config, Either::Gpio(Pl061::new(hold)))
    }

    /// The watchdog that `config` describes, on a clock of `hz`.
    pub fn watchdog(config: &Vdev, hz: u32) -> Timed {
        // Neither is zero: assembly sees to the one (`frequency`), and the board's firmware to the other (DDI 0487 D11.1.2).
        let [hz, counter_hz] = [u64::from(hz), arch::cpu::counter_hz()]
            .map(|hz| u32::try_from(hz).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN));
        Timed::new(config, Either::Watchdog(Sp805::new(hz, counter_hz)))
    }

    fn new(config: &Vdev, device: Either) -> Timed {
        Timed { state: Mutex::new(State { device, line: Line::new(config) }) }
    }

    /// Presses the power key, if it is one.
    pub fn press(&self, guest: &Guest) {
        self.with(guest, |device| match device {
            Either::Gpio(gpio) => gpio.press(),
            Either::Watchdog(_) => {}
        });
    }

    /// Whether the watchdog, if it is one, bites.
    pub fn bites(&self, guest: &Guest) -> bool {
        self.with(guest, |device| match device {
            Either::Gpio(_) => false,
            Either::Watchdog(watchdog) => watchdog.bites(),
        })
    }

    /// Where the guest's counter will be when somebody has to look at it again.
    pub fn deadline(&self, guest: &Guest) -> Option<u64> {
        self.with(guest, |device| device.registers().deadline())
    }

    pub(super) fn quiesce(&self) {
        self.state.lock().device.registers().quiesce();
    }

    /// Tells the device the time, does something to it, and tells the interrupt controller what became of its line.
    pub(super) fn with<R>(&self, guest: &Guest, action: impl FnOnce(&mut Either) -> R) -> R {
        let State { device, line } = &mut *self.state.lock();
        device.registers().advance(guest.counter());
        let result = action(device);
        line.set(guest, device.registers().line());
        result
    }
}

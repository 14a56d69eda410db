//! A device's interrupt lines.

use arch::Guest;
use model::{Vdev, VdevKind};
use vdev::Signals;

/// Lines of a device that can be routed to any: each has the controller's number.
const ALL: [u32; 32] = {
    let mut all = [0; 32];
    let mut line = 0;
    while line < all.len() {
        all[line] = line as u32;
        line += 1;
    }
    all
};

/// The lines of one device.
pub(super) struct Lines {
    /// The controller's numbers, by the device's.
    numbers: &'static [u32],
    /// As the interrupt controller last saw them, one bit each.
    high: u32,
}

impl Lines {
    /// The lines of the device that `config` describes, after power-on.
    pub(super) fn new(config: &Vdev) -> Lines {
        let numbers = if config.kind == VdevKind::Hpet { &ALL } else { config.lines };
        Lines { numbers, high: 0 }
    }

    /// The lines stand as `signals` says now. Called under the device's lock: the controller sees the changes in the order in which
    /// they happened.
    #[inline]
    pub(super) fn tell(&mut self, guest: &Guest, signals: Signals) {
        let was = core::mem::replace(&mut self.high, signals.high);
        // Who rose and is where it was, high or low, was the other way meanwhile.
        let pulsed = signals.rose & !(signals.high & !was);
        if was != signals.high || pulsed != 0 {
            self.change(guest, was, pulsed);
        }
    }

    #[inline(never)]
    fn change(&self, guest: &Guest, was: u32, pulsed: u32) {
        let bit = |index: usize| u32::try_from(index).map_or(0, |index| 1_u32.checked_shl(index).unwrap_or(0));
        for (index, &number) in self.numbers.iter().enumerate() {
            let (was, is) = (was & bit(index) != 0, self.high & bit(index) != 0);
            if pulsed & bit(index) != 0 {
                guest.set_line(number, !is);
                guest.set_line(number, is);
            } else if was != is {
                guest.set_line(number, is);
            }
        }
    }
}

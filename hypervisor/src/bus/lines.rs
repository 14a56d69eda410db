//! A device's interrupt lines.

use arch::Guest;
use model::{Vdev, VdevKind};
use vdev::Signals;

/// The lines of one device.
pub(super) struct Lines {
    /// The controller's numbers, by the device's; `None` if they are the same, since the device can be told which line to use.
    numbers: Option<&'static [u32]>,
    /// As the interrupt controller last saw them, one bit each.
    high: u32,
}

impl Lines {
    /// The lines of the device that `config` describes, after power-on.
    pub(super) fn new(config: &Vdev) -> Lines {
        let numbers = (config.kind != VdevKind::Hpet).then_some(config.lines);
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
        for line in arch::bits::ones((was ^ self.high) | pulsed) {
            let number = match self.numbers {
                Some(numbers) => numbers.get(line as usize).copied(),
                None => Some(line),
            };
            let Some(number) = number else { continue };
            let bit = arch::bits::bit(line);
            let is = self.high & bit != 0;
            if pulsed & bit != 0 {
                guest.set_line(number, !is);
                guest.set_line(number, is);
            } else {
                guest.set_line(number, is);
            }
        }
    }
}

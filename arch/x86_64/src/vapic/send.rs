//! IPIs: a write of the interrupt command register (SDM volume 3, 11.6.1 and 11.12.9).

use super::{
    KickMask, LocalApic, Vapic,
    message::{Delivery, Destination, Message},
    registers::{COMMAND_BITS, error},
};

/// A logical destination.
const LOGICAL: u32 = 1 << 11;
/// Shorthand, delivery mode and destination mode; to itself, fixed; and by its destination, fixed and physical.
const HOW: u32 = 3 << 18 | 7 << 8 | LOGICAL;
const TO_ITSELF: u32 = 1 << 18;
const TO_ID: u32 = 0;
/// Assert, of INIT.
const ASSERT: u32 = 1 << 14;

impl LocalApic {
    /// Sends what [`LocalApic::command`] says.
    pub(super) fn send_command(&mut self, vapic: &Vapic<'_>) -> KickMask {
        let low = self.command as u32;
        match low & HOW {
            TO_ITSELF => return self.send_self(low as u8),
            TO_ID if self.command_destination() == self.vcpu => return self.send_self(low as u8),
            _ => {}
        }
        // The trigger mode means something for INIT alone: IPIs are edges (SDM volume 3, table 11-3).
        let message = Message { is_level: false, ..Message::from_bits(low) };
        match message.delivery {
            // Level de-assert, which no CPU since Pentium 4 heeds.
            Delivery::Init if low & ASSERT == 0 => return KickMask::NONE,
            Delivery::Fixed | Delivery::Lowest if message.vector < 16 => {
                self.report_error(error::SENT_ILLEGAL_VECTOR);
                return KickMask::NONE;
            }
            Delivery::External | Delivery::Reserved | Delivery::Management => return KickMask::NONE,
            _ => {}
        }
        let targets = match low >> 18 & 3 {
            0 => vapic.addressed(Destination::new(low & LOGICAL != 0, self.command_destination())),
            1 => KickMask::of(self.vcpu),
            2 => vapic.all(),
            _ => vapic.all().without(self.vcpu),
        };
        vapic.deliver(targets, message).kick
    }

    /// A store of `value` to ICR, in memory, if that is an IPI to itself by the shorthand: its vector, which is to be sent.
    #[inline]
    pub fn command_to_itself(&mut self, value: u32) -> Option<u8> {
        let vector = value as u8;
        if value & HOW != TO_ITSELF || vector < 16 || !self.is_software_enabled() {
            return None;
        }
        self.command = self.command & !0xffff_ffff | u64::from(value & COMMAND_BITS);
        Some(vector)
    }

    /// The destination field.
    #[inline]
    fn command_destination(&self) -> u32 {
        let high = (self.command >> 32) as u32;
        if self.is_x2apic() { high } else { high >> 24 }
    }

    /// An IPI to itself.
    #[inline]
    pub(super) fn send_self(&mut self, vector: u8) -> KickMask {
        if vector < 16 {
            self.report_error(error::SENT_ILLEGAL_VECTOR);
        } else if self.is_software_enabled() {
            self.request(vector);
        }
        KickMask::NONE
    }
}

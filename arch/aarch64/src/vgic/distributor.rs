//! The distributor's registers (IHI 0069 section 12.9).

use super::atomic::SeqCst;
use super::bank::{ENABLE_GROUP0, ENABLE_GROUP1};
use super::bits::{BANKS, KickMask};
use super::registers::{BankRegister, DistributorRegister, FIRST_OF_BANKS, IIDR, PRIVATE_WORD};
use super::route::Route;
use super::{Read, Vgic};

/// GICD_CTLR: affinity routing always on, one security state.
const CONTROL_FIXED: u32 = 1 << 4 | 1 << 6;
/// GICD_CTLR.RWP.
const CONTROL_RWP: u32 = 1 << 31;
/// GICD_TYPER.IDbits: 10 bits of INTID, the least that covers the special ones.
const TYPE_ID_BITS: u32 = 9 << 19;

impl Vgic<'_> {
    /// A load by vCPU `from` at `offset` of the distributor's frame. Never fails: what does not exist reads as zero.
    /// [`super::shows_list_registers`] says for which offsets `from` syncs first.
    pub fn distributor_read(&self, from: u32, offset: u64, width_bytes: u8) -> Read {
        // (Below them, the distributor's own are asked for most.)
        if offset >= FIRST_OF_BANKS
            && let Some(register) = BankRegister::decode(offset, width_bytes)
        {
            // With affinity routing, the private interrupts are in the redistributors only.
            return if register.word() == PRIVATE_WORD { Read::from(0) } else { self.read_bank(from, 0, register) };
        }
        let value = match DistributorRegister::decode(offset, width_bytes) {
            Some(DistributorRegister::Control) => u64::from(self.control() | CONTROL_FIXED | self.rwp(from)),
            Some(DistributorRegister::Type) => u64::from(TYPE_ID_BITS | (BANKS - 1)),
            Some(DistributorRegister::Implementer) => IIDR,
            Some(DistributorRegister::Route(intid, part)) => {
                let route = self.shared(intid.word()).and_then(|shared| shared.route(intid.index()));
                route.map_or(0, |route| part.read(Route(route.load(SeqCst)).router()))
            }
            Some(DistributorRegister::Identification(value)) => value.into(),
            None => 0,
        };
        Read::from(value)
    }

    /// A store by vCPU `from` at `offset` of the distributor's frame. Never fails: what does not exist, and what can't be
    /// written with this width, is ignored. [`super::shows_list_registers`] says for which offsets `from` syncs first.
    pub fn distributor_write(&self, from: u32, offset: u64, width_bytes: u8, value: u64) -> KickMask {
        if let Some(register) = BankRegister::decode(offset, width_bytes) {
            return match register.word() {
                PRIVATE_WORD => KickMask::NONE,
                _ => self.write_bank(from, register, value),
            };
        }
        match DistributorRegister::decode(offset, width_bytes) {
            Some(DistributorRegister::Control) => self.set_control(value as u32),
            Some(DistributorRegister::Route(intid, part)) => self.reroute(intid, |old| part.write(old, value)),
            _ => KickMask::NONE,
        }
    }

    /// GICD_CTLR's enable bits.
    pub(super) fn set_control(&self, value: u32) -> KickMask {
        let enables = value & (ENABLE_GROUP0 | ENABLE_GROUP1);
        if self.control.swap(enables, SeqCst) == enables { KickMask::NONE } else { self.notify_all() }
    }

    pub(super) fn read_bank(&self, from: u32, vcpu: u32, register: BankRegister) -> Read {
        match register {
            BankRegister::Bits { word, field } => self.read_field(from, vcpu, word, field),
            BankRegister::Priorities { word, first, count } => {
                Read::from(self.read_priorities(vcpu, word, first, count))
            }
            BankRegister::Config { word, upper } => Read::from(self.read_config(vcpu, word, upper)),
        }
    }

    pub(super) fn write_bank(&self, vcpu: u32, register: BankRegister, value: u64) -> KickMask {
        match register {
            BankRegister::Bits { word, field } => self.write_field(vcpu, word, field, value as u32),
            BankRegister::Priorities { word, first, count } => {
                self.write_priorities(vcpu, word, first, count, value);
                KickMask::NONE
            }
            BankRegister::Config { word, upper } => self.write_config(vcpu, word, upper, value as u32),
        }
    }

    /// Register write pending: set while another vCPU may still take an interrupt that was disabled. (The caller's own
    /// list registers are brought up to date before it runs again.)
    fn rwp(&self, from: u32) -> u32 {
        if self.is_retracting(from) { CONTROL_RWP } else { 0 }
    }
}

//! A GICv2's distributor (IHI 0048 section 4.3), another view of the same state: one security state, as a guest on a GIC-400
//! without TrustZone sees it. Each vCPU finds its private interrupts in word 0; who accesses it is part of the address.

use super::atomic::SeqCst;
use super::bits::{BANKS, IntId, KickMask, PER_BANK};
use super::fields::{Field, SGIS};
use super::registers::{BankRegister, IIDR, PRIVATE_WORD, identification};
use super::route::Route;
use super::{Read, Vgic};
use model::GicVersion;

/// GICC_DIR, in the CPU interface's second page, which has nothing else.
const DEACTIVATE: u64 = 0x1000;

/// Whether the register at `offset` of a GICv2's distributor or CPU interface shows or changes what is in list registers. Before
/// an access to such a register the vCPU syncs.
#[inline]
pub const fn v2_shows_list_registers(offset: u64) -> bool {
    matches!(offset, 0x200..0x400 | 0xf10..0xf30 | DEACTIVATE)
}

/// Registers that only a GICv2's distributor has, or has at that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Register {
    Control,
    Type,
    Implementer,
    /// ITARGETSR: a byte of CPUs for each of these.
    Targets(Bytes),
    SoftwareInterrupt,
    /// CPENDSGIR: a byte of senders for each of these.
    ClearSenders(Bytes),
    SetSenders(Bytes),
    Identification(u32),
}

/// Interrupts that have a byte each, in the order of their bytes: one, or four of the same word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bytes {
    first: IntId,
    count: u8,
}

impl Bytes {
    /// Those that an access of `width_bytes` at `offset` behind the first register names.
    fn at(offset: u64, width_bytes: u8) -> Option<Bytes> {
        let first = IntId::new(u32::try_from(offset).ok()?)?;
        let is_allowed = width_bytes == 1 || width_bytes == 4 && offset.is_multiple_of(4);
        is_allowed.then_some(Bytes { first, count: width_bytes })
    }

    fn iter(self) -> impl DoubleEndedIterator<Item = IntId> {
        (0..u32::from(self.count)).map(move |index| IntId::at(self.first.word(), self.first.index() | index))
    }

    /// Each with its byte of `value`.
    fn with(self, value: u64) -> impl Iterator<Item = (IntId, u8)> {
        self.iter().zip(value.to_le_bytes())
    }

    fn read(self, byte: impl Fn(IntId) -> u8) -> u64 {
        self.iter().rev().fold(0, |value, intid| value << 8 | u64::from(byte(intid)))
    }
}

impl Register {
    fn decode(offset: u64, width_bytes: u8) -> Option<Register> {
        match offset {
            0x800..0xc00 => Bytes::at(offset & 0x3ff, width_bytes).map(Register::Targets),
            0xf10..0xf20 => Bytes::at(offset & 0xf, width_bytes).map(Register::ClearSenders),
            0xf20..0xf30 => Bytes::at(offset & 0xf, width_bytes).map(Register::SetSenders),
            _ if width_bytes != 4 => None,
            0x000 => Some(Register::Control),
            0x004 => Some(Register::Type),
            0x008 => Some(Register::Implementer),
            0xf00 => Some(Register::SoftwareInterrupt),
            0xfd0..0x1000 => identification(offset, 0x90, GicVersion::V2).map(Register::Identification),
            _ => None,
        }
    }
}

impl Vgic<'_> {
    /// A load by vCPU `from` at `offset` of a GICv2's distributor frame. Never fails: what does not exist reads as zero.
    /// [`v2_shows_list_registers`] says for which offsets `from` syncs first.
    pub fn distributor_v2_read(&self, from: u32, offset: u64, width_bytes: u8) -> Read {
        if let Some(register) = BankRegister::decode(offset, width_bytes) {
            return self.read_bank(from, from, register);
        }
        Read::from(match Register::decode(offset, width_bytes) {
            Some(Register::Control) => self.control().into(),
            Some(Register::Type) => {
                let last_vcpu = self.vcpus().saturating_sub(1) & 0b111;
                u64::from(last_vcpu << 5 | (BANKS - 1))
            }
            Some(Register::Implementer) => IIDR,
            Some(Register::Targets(bytes)) => bytes.read(|intid| self.v2_targets(from, intid)),
            Some(Register::ClearSenders(bytes) | Register::SetSenders(bytes)) => {
                bytes.read(|sgi| self.senders(from, sgi))
            }
            Some(Register::Identification(value)) => value.into(),
            Some(Register::SoftwareInterrupt) | None => 0,
        })
    }

    /// A store by vCPU `from` at `offset` of a GICv2's distributor frame. Never fails: what does not exist, and what can't be
    /// written with this width, is ignored. [`v2_shows_list_registers`] says for which offsets `from` syncs first.
    pub fn distributor_v2_write(&self, from: u32, offset: u64, width_bytes: u8, value: u64) -> KickMask {
        if let Some(register) = BankRegister::decode(offset, width_bytes) {
            return self.write_bank(from, register, value & !u64::from(fixed(register)));
        }
        let none = KickMask::NONE;
        match Register::decode(offset, width_bytes) {
            Some(Register::Control) => self.set_control(value as u32),
            Some(Register::Targets(bytes)) => {
                bytes.with(value).fold(none, |kick, (intid, targets)| kick | self.set_v2_targets(intid, targets))
            }
            Some(Register::SoftwareInterrupt) => self.send_v2_sgi(from, value as u32),
            Some(Register::ClearSenders(bytes)) => {
                bytes.with(value).fold(none, |kick, (sgi, senders)| kick | self.clear_senders(from, sgi, senders))
            }
            Some(Register::SetSenders(bytes)) => {
                bytes.with(value).fold(none, |kick, (sgi, senders)| kick | self.set_senders(from, sgi, senders))
            }
            _ => none,
        }
    }

    /// A store by vCPU `vcpu` at `offset` of its CPU interface's second page; the first is hardware. Never fails, as above.
    pub fn cpu_interface_v2_write(&self, vcpu: u32, offset: u64, width_bytes: u8, value: u64) -> KickMask {
        match (offset, width_bytes) {
            // (Of an SGI, its sender stands next to it. One SGI is active at a time, whoever sent it.)
            (DEACTIVATE, 4) => self.deactivate(vcpu, value as u32 & 0x3ff),
            _ => KickMask::NONE,
        }
    }

    /// GICD_ITARGETSR of `intid` as `from` reads it: of a private interrupt, `from` itself. With one vCPU there is nothing to
    /// say (section 4.3.12).
    fn v2_targets(&self, from: u32, intid: IntId) -> u8 {
        if self.vcpus() <= 1 {
            return 0;
        }
        if intid.is_private() {
            return KickMask::of(from).0 as u8;
        }
        let route = self.shared(intid.word()).and_then(|shared| shared.route(intid.index()));
        route.map_or(0, |route| Route(route.load(SeqCst)).targets() as u8)
    }

    fn set_v2_targets(&self, intid: IntId, targets: u8) -> KickMask {
        if self.vcpus() <= 1 {
            return KickMask::NONE;
        }
        let targets = u32::from(targets) & self.everyone();
        self.set_route(intid, |_| Route::to_any_of(targets))
    }
}

/// The bits of a write that change nothing: SGIs are always enabled, as on a GIC-400, and are pending by their senders.
fn fixed(register: BankRegister) -> u32 {
    match register {
        BankRegister::Bits {
            word: PRIVATE_WORD,
            field: Field::SetEnable | Field::ClearEnable | Field::SetPending | Field::ClearPending,
        } => SGIS,
        _ => 0,
    }
}

const _: () = assert!(PER_BANK.is_multiple_of(4), "four interrupts with a byte each are of one word");

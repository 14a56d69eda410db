//! A redistributor: one vCPU's private interrupts and their registers (IHI 0069 sections 12.10 and 12.11).

use super::atomic::{AtomicU32, SeqCst};
use super::bank::Bank;
use super::bits::KickMask;
use super::fields::SGIS;
use super::registers::{BankRegister, IIDR, PRIVATE_WORD, RedistributorRegister};
use super::{Read, Vgic};
use model::GicVersion;

/// Offset of the SGI_base frame.
const SGI_BASE: u64 = 0x1_0000;
/// GICR_CTLR.RWP.
const CONTROL_RWP: u64 = 1 << 3;
/// GICR_WAKER.ProcessorSleep.
const PROCESSOR_SLEEP: u32 = 1 << 1;
/// GICR_WAKER.ChildrenAsleep.
const CHILDREN_ASLEEP: u32 = 1 << 2;
/// GICR_TYPER.Last.
const TYPE_LAST: u64 = 1 << 4;

/// The part of the controller that belongs to one vCPU but that every pCPU may change.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Redistributor {
    /// What the vCPU has to look at; see [`super::notify`].
    pub(super) hints: AtomicU32,
    /// GICR_WAKER.ProcessorSleep as written.
    waker: AtomicU32,
    pub(super) bank: Bank,
}

impl Redistributor {
    /// A redistributor at power-on.
    pub const fn new() -> Redistributor {
        Redistributor { hints: AtomicU32::new(0), waker: AtomicU32::new(0), bank: Bank::new(SGIS) }
    }

    /// Leaves `hints` for the vCPU `vcpu` whose redistributor this is.
    #[inline]
    pub(super) fn hint(&self, vcpu: u32, hints: u32) -> KickMask {
        if self.hints.fetch_or(hints, SeqCst) == 0 { KickMask::of(vcpu) } else { KickMask::NONE }
    }

    pub(super) fn reset(&self, version: GicVersion) {
        self.hints.store(0, SeqCst);
        self.waker.store(0, SeqCst);
        self.bank.reset(SGIS);
        if version == GicVersion::V2 {
            // Always, as on a GIC-400.
            self.bank.enabled.store(SGIS, SeqCst);
        }
    }
}

impl Default for Redistributor {
    fn default() -> Self {
        Redistributor::new()
    }
}

impl Vgic<'_> {
    /// A load by vCPU `from` at `offset` of the frames of vCPU `vcpu`'s redistributor ([`model::Gic::REDISTRIBUTOR_BYTES`]).
    /// Never fails: what does not exist reads as zero. [`super::shows_list_registers`] says for which offsets `from` syncs first.
    pub fn redistributor_read(&self, from: u32, vcpu: u32, offset: u64, width_bytes: u8) -> Read {
        let Some(redistributor) = self.redistributor(vcpu) else { return Read::from(0) };
        if let Some(offset) = offset.checked_sub(SGI_BASE) {
            return private(offset, width_bytes).map_or(Read::from(0), |register| self.read_bank(from, vcpu, register));
        }
        Read::from(match RedistributorRegister::decode(offset, width_bytes) {
            Some(RedistributorRegister::Control) if from != vcpu && self.is_retracting(from) => CONTROL_RWP,
            Some(RedistributorRegister::Implementer) => IIDR,
            Some(RedistributorRegister::Type(part)) => part.read(self.redistributor_type(vcpu)),
            Some(RedistributorRegister::Waker) => redistributor.waker.load(SeqCst).into(),
            Some(RedistributorRegister::Identification(value)) => value.into(),
            Some(RedistributorRegister::Control) | None => 0,
        })
    }

    /// A store by any vCPU at `offset` of the frames of vCPU `vcpu`'s redistributor. Never fails: what does not exist,
    /// and what can't be written with this width, is ignored. [`super::shows_list_registers`] says for which offsets the writer syncs first.
    pub fn redistributor_write(&self, vcpu: u32, offset: u64, width_bytes: u8, value: u64) -> KickMask {
        let Some(redistributor) = self.redistributor(vcpu) else { return KickMask::NONE };
        if let Some(offset) = offset.checked_sub(SGI_BASE) {
            return private(offset, width_bytes)
                .map_or(KickMask::NONE, |register| self.write_bank(vcpu, register, value));
        }
        if let Some(RedistributorRegister::Waker) = RedistributorRegister::decode(offset, width_bytes) {
            // It is kept and answered, and nothing waits for it: an interrupt for a sleeping redistributor raises
            // WakeRequest, which wakes the PE (IHI 0069 section 11.1), and so reaches the vCPU all the same. Awake at
            // power-on, as firmware leaves it.
            let asleep = value as u32 & PROCESSOR_SLEEP != 0;
            redistributor.waker.store(if asleep { PROCESSOR_SLEEP | CHILDREN_ASLEEP } else { 0 }, SeqCst);
        }
        KickMask::NONE
    }

    /// GICR_TYPER: affinity, processor number, Last; no LPIs.
    fn redistributor_type(&self, vcpu: u32) -> u64 {
        // MPIDR has Aff3 in bits 39 to 32; here the four bytes are in a row.
        let affinity = model::affinity(vcpu);
        let packed = ((affinity >> 8) & 0xff00_0000) | (affinity & 0xff_ffff);
        let last = if vcpu.checked_add(1) == Some(self.vcpus()) { TYPE_LAST } else { 0 };
        packed << 32 | u64::from(vcpu) << 8 | last
    }
}

/// The register of the SGI_base frame.
fn private(offset: u64, width_bytes: u8) -> Option<BankRegister> {
    BankRegister::decode(offset, width_bytes).filter(|register| register.word() == PRIVATE_WORD)
}

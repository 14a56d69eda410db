//! Interrupts that come from outside: devices' lines and edges, and the physical interrupts behind private ones.

use super::Vgic;
use super::atomic::SeqCst;
use super::bits::{IntId, KickMask, bit};
use model::Irq;

/// The VM's controller has no such interrupt: an INTID out of range, a vCPU that does not exist, or a message (there is
/// no ITS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchInterrupt;

impl Vgic<'_> {
    /// Sets the level of an interrupt's line; any device, from any pCPU. For an interrupt that the guest has configured as
    /// edge-triggered a rising line is an edge.
    ///
    /// # Errors
    /// If there is no such interrupt; nothing changes then.
    pub fn inject(&self, irq: Irq, level: bool) -> Result<KickMask, NoSuchInterrupt> {
        let (vcpu, intid) = self.resolve(irq)?;
        Ok(self.change_line(vcpu, intid, level))
    }

    /// One edge, whatever the level of the line: for a device without a line, and for tests.
    ///
    /// # Errors
    /// If there is no such interrupt.
    pub fn pulse(&self, irq: Irq) -> Result<KickMask, NoSuchInterrupt> {
        let (vcpu, intid) = self.resolve(irq)?;
        let Some(bank) = self.bank(vcpu, intid.word()) else { return Err(NoSuchInterrupt) };
        bank.pending.latch(intid.bit());
        Ok(self.notify(vcpu, intid.word(), intid.bit()))
    }

    /// The physical private interrupt `intid` (a timer's) was taken by EL2 on vCPU `vcpu`'s pCPU: its priority is dropped
    /// and it stays active until the guest deactivates the virtual one. Called on that pCPU. As long as the guest has the
    /// virtual one disabled, it stays pending and the physical one active, so that it can't storm; when the line goes low
    /// before the guest takes it, it is pending no more and the physical one is deactivated.
    pub fn hardware_pending(&self, vcpu: u32, intid: u32) -> KickMask {
        let Some(intid) = IntId::new(intid).filter(|intid| intid.is_private()) else { return KickMask::NONE };
        let Some(bank) = self.bank(vcpu, intid.word()) else { return KickMask::NONE };
        bank.hardware.fetch_or(intid.bit(), SeqCst);
        self.hint(vcpu, bit(0))
    }

    /// Whether the private interrupt `intid` of `vcpu` would be forwarded if it were pending.
    pub fn may_fire(&self, vcpu: u32, intid: u32) -> bool {
        let bank = self.redistributor(vcpu).map(|own| &own.bank);
        bank.is_some_and(|bank| bank.open(self.control(), SeqCst) & bit(intid) != 0)
    }

    fn resolve(&self, irq: Irq) -> Result<(u32, IntId), NoSuchInterrupt> {
        let (vcpu, intid, private) = match irq {
            Irq::Private { vcpu, intid } => (vcpu, intid, true),
            Irq::Shared(intid) => (0, intid, false),
            Irq::Message { .. } => return Err(NoSuchInterrupt),
        };
        let intid = IntId::new(intid).filter(|intid| intid.is_private() == private).ok_or(NoSuchInterrupt)?;
        if vcpu < self.vcpus() { Ok((vcpu, intid)) } else { Err(NoSuchInterrupt) }
    }

    fn change_line(&self, vcpu: u32, intid: IntId, level: bool) -> KickMask {
        let (word, bits) = (intid.word(), intid.bit());
        let Some(bank) = self.bank(vcpu, word) else { return KickMask::NONE };
        if level {
            let rises = bank.line.fetch_or(bits, SeqCst) & bits == 0;
            if !rises {
                return KickMask::NONE;
            }
            if bank.edge.load(SeqCst) & bits != 0 {
                bank.pending.latch(bits);
            }
            self.notify(vcpu, word, bits)
        } else {
            let falls = bank.line.fetch_and(!bits, SeqCst) & bits != 0;
            if falls { self.retract(vcpu, word, bits) } else { KickMask::NONE }
        }
    }
}

//! Who sent the SGIs that are pending for one vCPU of a GICv2: there an SGI is pending once for each sender (IHI 0048,
//! GICD_SPENDSGIR), and the guest is told whose it takes.
//!
//! A list register holds one of them, and asks for the next when it ends. The latch of [`super::words::Pending`] says that
//! somebody waits. It is set after the sender was entered here, so that whoever finds the latch finds the sender. It may be
//! found without one, if that was taken with an older latch: then it means nothing.

use super::Vgic;
use super::atomic::{AtomicU8, SeqCst};
use super::bank::Bank;
use super::bits::{IntId, KickMask, bit};
use super::lr::{ListRegister, ListRegisters};

/// Whether `intid` is an SGI that is pending once for each sender.
#[inline]
pub(super) fn is_sent(intid: IntId, regs: &impl ListRegisters) -> bool {
    regs.names_senders() && intid.is_sgi()
}

/// Number of SGIs.
const SGI_COUNT: usize = 16;

/// Senders of each SGI, as sets of vCPUs.
#[derive(Debug)]
pub(super) struct Senders {
    /// Those whose SGI is pending and in no list register.
    waiting: [AtomicU8; SGI_COUNT],
    /// The one whose SGI a list register took last: it counts while [`super::words::Pending::taken`] says that it is pending there.
    /// For the receiver's pCPU only.
    taken: [AtomicU8; SGI_COUNT],
}

impl Senders {
    pub(super) const fn new() -> Senders {
        Senders { waiting: [const { AtomicU8::new(0) }; SGI_COUNT], taken: [const { AtomicU8::new(0) }; SGI_COUNT] }
    }

    pub(super) fn reset(&self) {
        for senders in self.waiting.iter().chain(&self.taken) {
            senders.store(0, SeqCst);
        }
    }

    fn waiting(&self, sgi: IntId) -> Option<&AtomicU8> {
        self.waiting.get(sgi.number() as usize)
    }

    fn taken(&self, sgi: IntId) -> Option<&AtomicU8> {
        self.taken.get(sgi.number() as usize)
    }
}

impl Bank {
    /// SGI `sgi` becomes pending from each of `senders`.
    pub(super) fn send(&self, sgi: IntId, senders: u8) {
        let Some(waiting) = self.senders.waiting(sgi) else { return };
        if senders != 0 {
            waiting.fetch_or(senders, SeqCst);
            self.pending.latch(sgi.bit());
        }
    }

    /// Moves the SGI of one sender into a list register; `None` if nobody waits. On the receiver's pCPU, as what follows.
    pub(super) fn take_sent(&self, sgi: IntId, lr: ListRegister) -> Option<ListRegister> {
        if !self.pending.take(sgi.bit()) {
            return None;
        }
        let (waiting, taken) = self.senders.waiting(sgi).zip(self.senders.taken(sgi))?;
        let all = waiting.load(SeqCst);
        if all == 0 {
            self.pending.consumed(sgi.bit());
            return None;
        }
        let sender = all.trailing_zeros();
        taken.store(one(sender), SeqCst);
        waiting.fetch_and(!one(sender), SeqCst);
        self.latch_waiting(sgi);
        let more = self.pending.latched(SeqCst) & sgi.bit() != 0;
        Some(lr.with_sender(sender).with_eoi(more))
    }

    /// The SGI in list register `lr` has been sent again: one by the same sender joins it there, others wait for its end.
    pub(super) fn join_sent(&self, sgi: IntId, lr: ListRegister) -> ListRegister {
        let Some(waiting) = self.senders.waiting(sgi) else { return lr };
        let sender = one(lr.sender());
        let again = waiting.fetch_and(!sender, SeqCst) & sender != 0;
        if again {
            self.pending.take_unlatched(sgi.bit());
        }
        self.latch_waiting(sgi);
        lr.with_pending(lr.is_pending() || again)
    }

    /// The SGI in list register `lr` was not acknowledged and leaves it; unless the guest has cleared it.
    pub(super) fn give_sent_back(&self, sgi: IntId, lr: ListRegister) {
        if self.pending.taken() & sgi.bit() != 0
            && let Some(waiting) = self.senders.waiting(sgi)
        {
            waiting.fetch_or(one(lr.sender()), SeqCst);
            self.pending.give_back(sgi.bit());
        }
    }

    /// The senders whose SGI is pending.
    fn sent(&self, sgi: IntId) -> u8 {
        let load = |senders: Option<&AtomicU8>| senders.map_or(0, |senders| senders.load(SeqCst));
        let is_taken = self.pending.taken() & sgi.bit() != 0;
        load(self.senders.waiting(sgi)) | if is_taken { load(self.senders.taken(sgi)) } else { 0 }
    }

    /// `senders`' SGIs are not pending any more. Whether one of them was in a list register.
    fn unsend(&self, sgi: IntId, senders: u8) -> bool {
        let Some((waiting, taken)) = self.senders.waiting(sgi).zip(self.senders.taken(sgi)) else { return false };
        waiting.fetch_and(!senders, SeqCst);
        self.latch_waiting(sgi);
        let was_listed = self.pending.taken() & sgi.bit() != 0 && taken.load(SeqCst) & senders != 0;
        if was_listed {
            self.pending.consumed(sgi.bit());
        }
        was_listed
    }

    /// Makes the latch say whether somebody waits.
    fn latch_waiting(&self, sgi: IntId) {
        let Some(waiting) = self.senders.waiting(sgi) else { return };
        if waiting.load(SeqCst) == 0 {
            self.pending.unlatch(sgi.bit());
        }
        // Also if somebody came in between, and had latched before that.
        if waiting.load(SeqCst) != 0 {
            self.pending.latch(sgi.bit());
        }
    }
}

const fn one(vcpu: u32) -> u8 {
    bit(vcpu % 8) as u8
}

/// GICD_SGIR.CPUTargetList.
const TARGET_LIST_SHIFT: u32 = 16;
/// GICD_SGIR.TargetListFilter.
const FILTER_SHIFT: u32 = 24;

impl Vgic<'_> {
    /// A write of GICD_SGIR by vCPU `from` (IHI 0048 section 4.3.15). Targets that do not exist are ignored.
    pub(super) fn send_v2_sgi(&self, from: u32, register: u32) -> KickMask {
        let targets = match register >> FILTER_SHIFT & 0b11 {
            0b00 => register >> TARGET_LIST_SHIFT & 0xff,
            0b01 => !bit(from),
            0b10 => bit(from),
            _ => 0,
        };
        let sgi = IntId::at(0, register & 0xf);
        KickMask(targets & self.everyone())
            .iter()
            .fold(KickMask::NONE, |kick, vcpu| kick | self.set_senders(vcpu, sgi, one(from)))
    }

    /// The vCPUs whose SGI `sgi` is pending for `vcpu`: GICD_SPENDSGIR and GICD_CPENDSGIR.
    pub(super) fn senders(&self, vcpu: u32, sgi: IntId) -> u8 {
        self.bank(vcpu, 0).map_or(0, |bank| bank.sent(sgi))
    }

    /// A write of GICD_SPENDSGIR by `vcpu`, or an SGI sent.
    pub(super) fn set_senders(&self, vcpu: u32, sgi: IntId, senders: u8) -> KickMask {
        let Some(bank) = self.bank(vcpu, 0) else { return KickMask::NONE };
        let senders = senders & self.everyone() as u8;
        bank.send(sgi, senders);
        // Whether it is let through there, the receiver sees.
        if senders == 0 { KickMask::NONE } else { self.hint(vcpu, bit(0)) }
    }

    /// A write of GICD_CPENDSGIR by `vcpu`.
    pub(super) fn clear_senders(&self, vcpu: u32, sgi: IntId, senders: u8) -> KickMask {
        let was_listed = self.bank(vcpu, 0).is_some_and(|bank| bank.unsend(sgi, senders));
        if was_listed { self.retract(vcpu, 0, sgi.bit()) } else { KickMask::NONE }
    }

    /// All vCPUs.
    pub(super) fn everyone(&self) -> u32 {
        self.redistributors.iter().fold(0, |all, _| all << 1 | 1)
    }
}

//! What register writes do to a bank: the same for private and shared interrupts.

use super::atomic::SeqCst;
use super::bank::Bank;
use super::bits::{KickMask, bit, ones};
use super::notify::RESYNC;
use super::{Read, Vgic};

/// SGIs are always edge-triggered (IHI 0069, GICR_ICFGR0 is read-only).
pub(super) const SGIS: u32 = 0xffff;

/// A register that has one bit for each interrupt of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Group,
    SetEnable,
    ClearEnable,
    SetPending,
    ClearPending,
    SetActive,
    ClearActive,
}

impl Vgic<'_> {
    /// Reads `field` of word `word`, for vCPU `from` (whose own list registers are in sync) about the bank of `vcpu`.
    pub(super) fn read_field(&self, from: u32, vcpu: u32, word: u32, field: Field) -> Read {
        let Some(bank) = self.bank(vcpu, word) else { return Read::from(0) };
        let value = match field {
            Field::Group => bank.group.load(SeqCst),
            Field::SetEnable | Field::ClearEnable => bank.enabled.load(SeqCst),
            Field::SetPending | Field::ClearPending => {
                bank.pending.any() | bank.level_high() | bank.hardware.load(SeqCst)
            }
            Field::SetActive | Field::ClearActive => bank.claims.active() & !bank.deactivate.load(SeqCst),
        };
        let kick = match field {
            Field::Group | Field::SetEnable | Field::ClearEnable => KickMask::NONE,
            // Other vCPUs' list registers may have gone on since; the next read shall see it.
            _ => {
                let others = self.owners(vcpu, word, bank, u32::MAX).without(from);
                others.iter().fold(KickMask::NONE, |kick, owner| kick | self.hint(owner, RESYNC))
            }
        };
        Read { value: value.into(), kick }
    }

    /// Writes `field` of word `word` of the bank of `vcpu`.
    pub(super) fn write_field(&self, vcpu: u32, word: u32, field: Field, bits: u32) -> KickMask {
        let Some(bank) = self.bank(vcpu, word) else { return KickMask::NONE };
        match field {
            Field::Group => {
                let changed = bank.group.swap(bits, SeqCst) ^ bits;
                self.retract(vcpu, word, changed) | self.open(bank, vcpu, word, changed)
            }
            Field::SetEnable => {
                let changed = bits & !bank.enabled.fetch_or(bits, SeqCst);
                self.open(bank, vcpu, word, changed)
            }
            Field::ClearEnable => {
                let changed = bits & bank.enabled.fetch_and(!bits, SeqCst);
                self.retract(vcpu, word, changed)
            }
            Field::SetPending => {
                bank.pending.latch(bits);
                self.notify(vcpu, word, bits)
            }
            Field::ClearPending => self.clear_pending(bank, vcpu, word, bits),
            Field::SetActive => self.set_active(bank, vcpu, word, bits),
            Field::ClearActive => self.clear_active(bank, vcpu, word, bits),
        }
    }

    /// A line that is high stays pending (IHI 0069 section 4.3, level-sensitive). Whether a physical line behind a private
    /// interrupt is, only its own pCPU can see.
    fn clear_pending(&self, bank: &Bank, vcpu: u32, word: u32, bits: u32) -> KickMask {
        bank.pending.clear(bits);
        self.gone(bank, word, bits);
        self.resample(bank, vcpu, bits) | self.retract(vcpu, word, bits)
    }

    /// `bits` may have become deliverable after a time in which they were not.
    fn open(&self, bank: &Bank, vcpu: u32, word: u32, bits: u32) -> KickMask {
        self.resample(bank, vcpu, bits) | self.notify(vcpu, word, bits)
    }

    /// Physical lines that were high when they fired may be low by now: the vCPU's pCPU has to look.
    fn resample(&self, bank: &Bank, vcpu: u32, bits: u32) -> KickMask {
        if bank.hardware.load(SeqCst) & bits == 0 { KickMask::NONE } else { self.hint(vcpu, RESYNC) }
    }

    /// `count` priorities from interrupt `first` of word `word`, one a byte, the first one lowest.
    pub(super) fn read_priorities(&self, vcpu: u32, word: u32, first: u32, count: u32) -> u64 {
        let Some(bank) = self.bank(vcpu, word) else { return 0 };
        (0..count.min(8)).rev().fold(0, |value, byte| (value << 8) | u64::from(bank.priority_byte(first | byte)))
    }

    /// Takes effect when an interrupt is listed next (IHI 0069, GICD_IPRIORITYR: when a change affects a pending interrupt
    /// is up to the implementation).
    pub(super) fn write_priorities(&self, vcpu: u32, word: u32, first: u32, count: u32, value: u64) {
        let Some(bank) = self.bank(vcpu, word) else { return };
        for (byte, priority) in (0..count.min(8)).zip(value.to_le_bytes()) {
            bank.set_priority_byte(first | byte, priority);
        }
    }

    /// ICFGR of 16 interrupts of word `word`, the upper ones if `upper`: two bits each, of which only the upper one exists.
    pub(super) fn read_config(&self, vcpu: u32, word: u32, upper: bool) -> u64 {
        let Some(bank) = self.bank(vcpu, word) else { return 0 };
        let edge = bank.edge.load(SeqCst);
        let half = if upper { edge >> 16 } else { edge & 0xffff };
        ones(half).fold(0, |value, index| value | u64::from(bit(index.wrapping_mul(2) | 1)))
    }

    pub(super) fn write_config(&self, vcpu: u32, word: u32, upper: bool, value: u32) -> KickMask {
        let Some(bank) = self.bank(vcpu, word) else { return KickMask::NONE };
        let half = ones(value & 0xaaaa_aaaa).fold(0, |half, index| half | bit(index / 2));
        let (kept, new) = if upper { (0xffff, half << 16) } else { (0xffff_0000, half) };
        let fixed = if word == 0 { SGIS } else { 0 };
        let _ = bank.edge.fetch_update(SeqCst, SeqCst, |edge| Some(edge & (kept | fixed) | new & !fixed));
        self.retract(vcpu, word, !kept) | self.notify(vcpu, word, !kept)
    }
}

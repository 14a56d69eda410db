//! Two bits an interrupt that must change together, 32 interrupts a word.
//!
//! Several pCPUs work on the same words at once, without a lock. Where two bits of one interrupt have to move as one,
//! they share an `AtomicU64`: the first bits in the lower half, the second in the upper half. All accesses are
//! sequentially consistent, because both sides of the house rely on "I write mine, then read yours" (see
//! [`super::notify`]).

use super::atomic::{AtomicU64, Ordering, SeqCst};

const fn low(word: u64) -> u32 {
    word as u32
}

const fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

const fn upper(bits: u32) -> u64 {
    (bits as u64) << 32
}

/// Why interrupts are pending besides their lines: the latch (an edge, ISPENDR), and whether a list register has
/// taken it. A latch that was taken can be set anew: that is the next edge.
#[derive(Debug)]
pub(super) struct Pending(AtomicU64);

impl Pending {
    pub(super) const fn new() -> Pending {
        Pending(AtomicU64::new(0))
    }

    pub(super) fn reset(&self) {
        self.0.store(0, SeqCst);
    }

    /// Latches not taken.
    #[inline]
    pub(super) fn latched(&self, order: Ordering) -> u32 {
        low(self.0.load(order))
    }

    /// Latches not taken, and those that are.
    #[inline]
    pub(super) fn latched_and_taken(&self, order: Ordering) -> (u32, u32) {
        let word = self.0.load(order);
        (low(word), high(word))
    }

    /// Latched, here or in a list register.
    #[inline]
    pub(super) fn any(&self) -> u32 {
        let word = self.0.load(SeqCst);
        low(word) | high(word)
    }

    /// Taken by a list register and not known to be acknowledged.
    #[inline]
    pub(super) fn taken(&self) -> u32 {
        high(self.0.load(SeqCst))
    }

    #[inline]
    pub(super) fn latch(&self, bits: u32) {
        self.0.fetch_or(u64::from(bits), SeqCst);
    }

    /// Takes the latches of `bits` away that no list register has taken.
    pub(super) fn unlatch(&self, bits: u32) {
        self.0.fetch_and(!u64::from(bits), SeqCst);
    }

    /// Takes the latches of `bits` away, wherever they are.
    #[inline]
    pub(super) fn clear(&self, bits: u32) {
        self.0.fetch_and(!(u64::from(bits) | upper(bits)), SeqCst);
    }

    /// Moves the latch of `bit` into a list register; false if there was none.
    #[inline]
    pub(super) fn take(&self, bit: u32) -> bool {
        let moved = self.0.fetch_update(SeqCst, SeqCst, |word| {
            (low(word) & bit != 0).then_some((word & !u64::from(bit)) | upper(bit))
        });
        moved.is_ok()
    }

    /// As [`Pending::take`], but of an interrupt that is pending without a latch.
    #[inline]
    pub(super) fn take_unlatched(&self, bit: u32) {
        // Never refused: the closure always gives a value.
        let _ = self.0.fetch_update(SeqCst, SeqCst, |word| Some((word & !u64::from(bit)) | upper(bit)));
    }

    /// As [`Pending::take`], after the last time that it was taken is over.
    #[inline]
    pub(super) fn retake(&self, bit: u32) -> bool {
        let word = self.0.load(SeqCst);
        match (low(word) & bit != 0, high(word) & bit != 0) {
            (false, false) => false,
            (false, true) => {
                self.consumed(bit);
                false
            }
            (true, false) => self.take(bit),
            // Only the claimer sets the upper bit, so it is there still, unless both are cleared now.
            (true, true) => low(self.0.fetch_and(!u64::from(bit), SeqCst)) & bit != 0,
        }
    }

    /// As [`Pending::take_unlatched`], after the last time that it was taken is over.
    #[inline]
    pub(super) fn retake_unlatched(&self, bit: u32) {
        let word = self.0.load(SeqCst);
        if low(word) & bit != 0 || high(word) & bit == 0 {
            self.take_unlatched(bit);
        }
    }

    /// Moves the latch of `bit` back from a list register, unless the guest has cleared it.
    #[inline]
    pub(super) fn give_back(&self, bit: u32) {
        // An error says that it was cleared: nothing to do.
        let _ = self.0.fetch_update(SeqCst, SeqCst, |word| {
            (high(word) & bit != 0).then_some((word & !upper(bit)) | u64::from(bit))
        });
    }

    /// The list register's latch of `bit` was acknowledged.
    #[inline]
    pub(super) fn consumed(&self, bit: u32) {
        self.0.fetch_and(!upper(bit), SeqCst);
    }
}

/// Who may deliver an interrupt: `active` says that a vCPU handles it, `listed` that one vCPU has claimed it for its
/// list registers and alone decides about it. An interrupt with either bit can't be claimed, so it is never active on
/// two vCPUs.
#[derive(Debug)]
pub(super) struct Claims(AtomicU64);

impl Claims {
    pub(super) const fn new() -> Claims {
        Claims(AtomicU64::new(0))
    }

    pub(super) fn reset(&self) {
        self.0.store(0, SeqCst);
    }

    /// Active, as last seen.
    #[inline]
    pub(super) fn active(&self) -> u32 {
        low(self.0.load(SeqCst))
    }

    #[inline]
    pub(super) fn listed(&self) -> u32 {
        high(self.0.load(SeqCst))
    }

    /// Neither active nor listed.
    #[inline]
    pub(super) fn free(&self) -> u32 {
        let word = self.0.load(SeqCst);
        !(low(word) | high(word))
    }

    /// Active by ISACTIVER or left active by a vCPU that went off: nobody has it in a list register.
    #[inline]
    pub(super) fn orphans(&self) -> u32 {
        let word = self.0.load(SeqCst);
        low(word) & !high(word)
    }

    /// Claims `bit`; false if it is active or somebody else has it.
    #[inline]
    pub(super) fn claim(&self, bit: u32) -> bool {
        let taken = self
            .0
            .fetch_update(SeqCst, SeqCst, |word| ((low(word) | high(word)) & bit == 0).then_some(word | upper(bit)));
        taken.is_ok()
    }

    /// Gives up the claim on `bit`; it stays active if it is. For the claimer only.
    #[inline]
    pub(super) fn release(&self, bit: u32) {
        self.0.fetch_and(!upper(bit), SeqCst);
    }

    /// Marks as active. For the claimer only.
    #[inline]
    pub(super) fn activate(&self, bit: u32) {
        self.0.fetch_or(u64::from(bit), SeqCst);
    }

    /// Activates those of `bits` that nobody has listed; returns the others.
    #[inline]
    pub(super) fn activate_unlisted(&self, bits: u32) -> u32 {
        let before = self.0.fetch_update(SeqCst, SeqCst, |word| Some(word | u64::from(bits & !high(word))));
        match before {
            Ok(word) | Err(word) => high(word) & bits,
        }
    }

    /// Marks as not active. For the claimer only.
    #[inline]
    pub(super) fn deactivate(&self, bit: u32) {
        self.0.fetch_and(!u64::from(bit), SeqCst);
    }

    /// Deactivates those of `bits` that nobody has listed; returns the others.
    #[inline]
    pub(super) fn deactivate_orphans(&self, bits: u32) -> u32 {
        let before = self.0.fetch_update(SeqCst, SeqCst, |word| Some(word & !u64::from(bits & !high(word))));
        match before {
            Ok(word) | Err(word) => high(word) & bits,
        }
    }
}

//! The part of a local APIC that every pCPU may touch: what others have sent, and how they find it.
//!
//! Who sends writes what, then leaves a hint; the owner takes all hints at once and then what they are about. All of it is sequentially
//! consistent, so nothing gets lost: whoever finds the hints empty kicks, and whoever finds them taken comes after what
//! was written.

use super::{
    KickMask,
    atomic::{AtomicU32, AtomicU64, SeqCst},
    vectors::{WORDS, bit_of, word_of},
};

/// Hints for words of vectors: bits 7:0.
pub(super) const WORD_HINTS: u32 = 0xff;
/// Hint: [`Posted::signals`] has something.
pub(super) const SIGNALS: u32 = 1 << 8;
/// Hint: the 8259s' output has risen, at the LINT0 pin.
pub(super) const LINT0: u32 = 1 << 9;
/// Hint: an I/O APIC's entry says that the 8259s have a vector.
pub(super) const EXTERNAL: u32 = 1 << 10;
/// Hint: a message had an illegal vector.
pub(super) const ILLEGAL: u32 = 1 << 11;

/// Signals: the vector of a start-up IPI in bits 7:0, and which there are. The owner has more of its own from bit 16 on.
pub(super) const NMI: u32 = 1 << 8;
pub(super) const INIT: u32 = 1 << 9;
pub(super) const START_UP: u32 = 1 << 10;

/// How others find a local APIC: its logical ID and in which mode it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64);

impl Identity {
    const ENABLED: u64 = 1 << 32;
    const X2APIC: u64 = 1 << 33;
    const FLAT: u64 = 1 << 34;
    const ACCEPTS: u64 = 1 << 35;
    const WIRED: u64 = 1 << 36;

    /// Of an APIC that is off.
    pub(super) fn new(logical: u32) -> Identity {
        Identity(logical.into())
    }

    fn with(self, condition: bool, flag: u64) -> Identity {
        Identity(self.0 | if condition { flag } else { 0 })
    }

    pub(super) fn enabled(self, is_enabled: bool) -> Identity {
        self.with(is_enabled, Identity::ENABLED)
    }

    pub(super) fn x2apic(self, is_x2apic: bool) -> Identity {
        self.with(is_x2apic, Identity::X2APIC)
    }

    /// Logical IDs are one set of eight, by DFR.
    pub(super) fn flat(self, is_flat: bool) -> Identity {
        self.with(is_flat, Identity::FLAT)
    }

    /// Software has enabled it, by SVR.
    pub(super) fn accepting(self, accepts: bool) -> Identity {
        self.with(accepts, Identity::ACCEPTS)
    }

    /// The 8259s' output does something here.
    pub(super) fn wired(self, is_wired: bool) -> Identity {
        self.with(is_wired, Identity::WIRED)
    }

    pub(super) fn is_wired(self) -> bool {
        self.0 & Identity::WIRED != 0
    }

    pub(super) fn logical(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn is_enabled(self) -> bool {
        self.0 & Identity::ENABLED != 0
    }

    pub(super) fn is_x2apic(self) -> bool {
        self.0 & Identity::X2APIC != 0
    }

    pub(super) fn is_flat(self) -> bool {
        self.0 & Identity::FLAT != 0
    }

    /// Whether it takes vectors; NMI, INIT and start-up IPIs it takes in any case (SDM volume 3, 11.4.7.2).
    #[inline]
    pub(super) fn accepts(self) -> bool {
        self.0 & Identity::ACCEPTS != 0
    }
}

/// What others may touch of the local APIC of one vCPU.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Posted {
    hints: AtomicU32,
    signals: AtomicU32,
    identity: AtomicU64,
    /// Vectors that were sent, 32 a word: sent in the lower half, and level-triggered in the upper.
    vectors: [AtomicU64; WORDS],
}

impl Posted {
    /// Nothing sent, and not to be found before its vCPU's [`super::LocalApic`] is made known.
    pub const fn new() -> Posted {
        Posted {
            hints: AtomicU32::new(0),
            signals: AtomicU32::new(0),
            identity: AtomicU64::new(0),
            vectors: [const { AtomicU64::new(0) }; WORDS],
        }
    }

    /// Forgets all that was sent.
    pub(super) fn clear(&self) {
        let _ = self.take_hints();
        let _ = self.take_signals();
        self.clear_vectors();
    }

    pub(super) fn clear_vectors(&self) {
        (0..WORDS as u32).for_each(|index| {
            let _ = self.take_word(index);
        });
    }

    #[inline]
    pub(super) fn identity(&self) -> Identity {
        Identity(self.identity.load(SeqCst))
    }

    /// For the owner only.
    pub(super) fn publish(&self, identity: Identity) {
        self.identity.store(identity.0, SeqCst);
    }

    /// Leaves `hints` for `vcpu`, whose this is.
    #[inline]
    pub(super) fn hint(&self, vcpu: u32, hints: u32) -> KickMask {
        if self.hints.fetch_or(hints, SeqCst) == 0 { KickMask::of(vcpu) } else { KickMask::NONE }
    }

    /// Sends a vector to `vcpu`, whose this is.
    #[inline]
    pub(super) fn send(&self, vcpu: u32, vector: u8, is_level: bool) -> KickMask {
        let bit = u64::from(bit_of(vector));
        let index = word_of(vector);
        if let Some(word) = self.vectors.get(index as usize) {
            word.fetch_or(if is_level { bit | bit << 32 } else { bit }, SeqCst);
        }
        self.hint(vcpu, 1_u32.wrapping_shl(index))
    }

    pub(super) fn send_nmi(&self, vcpu: u32) -> KickMask {
        self.signals.fetch_or(NMI, SeqCst);
        self.hint(vcpu, SIGNALS)
    }

    /// INIT undoes a start-up IPI that came before.
    pub(super) fn send_init(&self, vcpu: u32) -> KickMask {
        // Never refused: the closure always gives a value.
        let _ = self.signals.fetch_update(SeqCst, SeqCst, |signals| Some(signals & !(START_UP | 0xff) | INIT));
        self.hint(vcpu, SIGNALS)
    }

    /// A second start-up IPI means nothing.
    pub(super) fn send_start_up(&self, vcpu: u32, vector: u8) -> KickMask {
        let sent = self.signals.fetch_update(SeqCst, SeqCst, |signals| {
            (signals & START_UP == 0).then_some(signals | START_UP | u32::from(vector))
        });
        if sent.is_ok() { self.hint(vcpu, SIGNALS) } else { KickMask::NONE }
    }

    /// The page of a start-up IPI, if one was sent: for a vCPU that waits for one, by who starts it.
    pub(super) fn take_start_up(&self) -> Option<u8> {
        if self.signals.load(SeqCst) & START_UP == 0 {
            return None;
        }
        let before = self.signals.fetch_and(!(START_UP | 0xff), SeqCst);
        (before & START_UP != 0).then_some(before as u8)
    }

    /// Whether there is anything.
    #[inline]
    pub(super) fn has_hints(&self) -> bool {
        self.hints.load(SeqCst) != 0
    }

    #[inline]
    pub(super) fn take_hints(&self) -> u32 {
        self.hints.swap(0, SeqCst)
    }

    pub(super) fn take_signals(&self) -> u32 {
        self.signals.swap(0, SeqCst)
    }

    /// The vectors sent in word `index`, and which of them are level-triggered.
    #[inline]
    pub(super) fn take_word(&self, index: u32) -> (u32, u32) {
        let word = self.vectors.get(index as usize).map_or(0, |word| word.swap(0, SeqCst));
        (word as u32, (word >> 32) as u32)
    }
}

impl Default for Posted {
    fn default() -> Self {
        Posted::new()
    }
}

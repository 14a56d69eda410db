//! How a vCPU is reached from any pCPU.

use crate::kick::KickMask;
use crate::mailbox::Mailbox;

/// A pCPU, as others see it.
pub trait Rung: Sync + 'static {
    /// What others leave for it.
    fn mailbox(&self) -> &Mailbox;

    /// Whether it is the one that asks.
    fn is_here(&self) -> bool;

    /// Interrupts it, so that it looks into its mailbox.
    fn ring(&self);
}

/// How one vCPU is reached: its pCPU, and its seat there.
#[derive(Debug)]
pub struct Doorbell<P: 'static> {
    /// The pCPU that it sits on.
    pub pcpu: &'static P,
    /// The bit of its seat in that pCPU's [`Mailbox`].
    pub seat: u64,
}

impl<P: Rung> Doorbell<P> {
    /// Leaves a note, and rings the pCPU if it is another one than this. True if it is this one: its loop has to look.
    #[inline]
    fn ring(&self) -> bool {
        let is_empty = self.pcpu.mailbox().post(self.seat);
        let is_here = self.pcpu.is_here();
        if is_empty && !is_here {
            self.pcpu.ring();
        }
        is_here
    }
}

/// The doorbells of one VM's vCPUs, by their numbers.
#[derive(Debug)]
pub struct Doorbells<P: 'static>(pub &'static [Doorbell<P>]);

impl<P: Rung> Doorbells<P> {
    /// Tells the pCPUs of these vCPUs to look at them. True if this pCPU is one of them: it is not rung, and its loop looks
    /// before it enters a guest again.
    #[inline]
    pub fn ring(&self, vcpus: KickMask) -> bool {
        let doorbells = vcpus.iter().filter_map(|vcpu| self.0.get(vcpu as usize));
        doorbells.fold(false, |here, doorbell| here | doorbell.ring())
    }

    /// Tells the pCPUs of all vCPUs to look at them.
    pub fn ring_all(&self) {
        for doorbell in self.0 {
            doorbell.ring();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Pcpu {
        mailbox: Mailbox,
        is_here: bool,
        rings: AtomicU32,
    }

    impl Rung for Pcpu {
        fn mailbox(&self) -> &Mailbox {
            &self.mailbox
        }

        fn is_here(&self) -> bool {
            self.is_here
        }

        fn ring(&self) {
            self.rings.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Pcpu {
        /// The notes, and the rings so far.
        fn looks(&self) -> (u64, u32) {
            (self.mailbox.take(), self.rings.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn others_are_rung_once_and_this_pcpu_is_told_to_look() {
        let here: &'static Pcpu = Box::leak(Box::new(Pcpu { is_here: true, ..Pcpu::default() }));
        let other: &'static Pcpu = Box::leak(Box::default());
        let bells = [(here, 1), (other, 1), (other, 2)].map(|(pcpu, seat)| Doorbell { pcpu, seat });
        let bells = Doorbells(Box::leak(Box::new(bells)));

        assert!(!bells.ring(KickMask::NONE));
        assert!(bells.ring(KickMask::of(0)));
        assert_eq!(here.looks(), (1, 0));
        // The second finds the first one's note: the ring is on its way.
        assert!(!bells.ring(KickMask::of(1) | KickMask::of(2)));
        assert_eq!(other.looks(), (0b11, 1));
        // Nobody has this number.
        assert!(!bells.ring(KickMask::of(3)));
        bells.ring_all();
        assert_eq!((here.looks(), other.looks()), ((1, 0), (0b11, 2)));
    }
}

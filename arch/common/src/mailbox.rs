//! What pCPUs leave for one another: a bit for each seat (a vCPU's place on a pCPU) that its pCPU is to look at.
//!
//! A note says nothing but "look". What there is to see lies where it belongs (a start, a VM that is to stop, a hint of the
//! virtual GIC), and was put there before the note. So notes can be merged, and one ring of the pCPU does for many: who
//! finds the box empty rings, everybody else knows that a look is still to come. The owner takes all notes on every way
//! into a guest, with interrupts masked; a ring that comes after that look is pending, and ends the guest's run or the wait.

#[cfg(all(test, loom))]
use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(all(test, loom)))]
use core::sync::atomic::{AtomicU64, Ordering};

/// Most seats of one pCPU: one bit each.
pub const MAX_SEATS: usize = 64;

/// The notes for one pCPU.
#[derive(Debug)]
pub struct Mailbox(AtomicU64);

impl Mailbox {
    /// An empty one.
    #[cfg(not(all(test, loom)))]
    pub const fn new() -> Mailbox {
        Mailbox(AtomicU64::new(0))
    }

    /// An empty one.
    #[cfg(all(test, loom))]
    pub fn new() -> Mailbox {
        Mailbox(AtomicU64::new(0))
    }

    /// Leaves notes for `seats`, any CPU. True if the pCPU has to be rung.
    #[inline]
    pub fn post(&self, seats: u64) -> bool {
        // Release: what the note is about comes before it.
        self.0.fetch_or(seats, Ordering::AcqRel) == 0
    }

    /// Takes all notes, on the pCPU whose box it is.
    #[inline]
    pub fn take(&self) -> u64 {
        // A note that this load misses was left by somebody who found the box empty: the ring is on its way.
        if self.0.load(Ordering::Relaxed) == 0 { 0 } else { self.0.swap(0, Ordering::AcqRel) }
    }
}

impl Default for Mailbox {
    fn default() -> Self {
        Mailbox::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_note_rings_and_all_are_found() {
        let mailbox = Mailbox::new();
        assert_eq!(mailbox.take(), 0);
        assert!(mailbox.post(1 << 3));
        assert!(!mailbox.post(1 << 63));
        assert!(!mailbox.post(1 << 3));
        assert_eq!(mailbox.take(), 1 << 63 | 1 << 3);
        assert!(mailbox.post(1));
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicBool, AtomicU32};

    /// Two pCPUs leave something for a third one, which looks, and then again once for each ring that it finds, in every
    /// order that the memory model allows: it sees all that was left, or a ring is still to come.
    #[test]
    fn no_note_is_lost() {
        loom::model(|| {
            let mailbox = Arc::new(Mailbox::new());
            let bell = Arc::new(AtomicBool::new(false));
            let left = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
            let posters: Vec<_> = (0..2)
                .map(|seat| {
                    let (mailbox, bell, left) = (mailbox.clone(), bell.clone(), left.clone());
                    loom::thread::spawn(move || {
                        left[seat].store(1, Ordering::Relaxed);
                        if mailbox.post(1 << seat) {
                            bell.swap(true, Ordering::AcqRel);
                        }
                    })
                })
                .collect();
            let mut seen = 0;
            let mut look = || {
                let notes = mailbox.take();
                for seat in (0..2).filter(|seat| notes & 1 << seat != 0) {
                    assert_eq!(left[seat].load(Ordering::Relaxed), 1, "a note without what it is about");
                }
                seen |= notes;
            };
            look();
            if bell.swap(false, Ordering::AcqRel) {
                look();
            }
            posters.into_iter().for_each(|poster| poster.join().unwrap());
            // Asleep: only a ring ends that.
            if bell.swap(false, Ordering::AcqRel) {
                look();
            }
            assert_eq!(seen, 0b11);
        });
    }
}

//! A byte ring between one producer and one consumer that may sit on different CPUs.
//!
//! Neither side ever waits: a full ring refuses the byte and counts it, an empty one has nothing to give. The bytes
//! are atomics, so a caller that breaks the rule of one producer and one consumer gets bytes out of order, never
//! undefined behaviour. Callers keep the rule by holding the lock of the device or of the mux.

use core::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

/// A ring of `N` bytes; `N` is a power of two.
#[derive(Debug)]
pub struct Ring<const N: usize> {
    bytes: [AtomicU8; N],
    /// Bytes ever put in; only the producer stores. Free-running, so that full and empty differ.
    head: AtomicUsize,
    /// Bytes ever taken out; only the consumer stores.
    tail: AtomicUsize,
    dropped: AtomicU64,
}

impl<const N: usize> Ring<N> {
    /// An empty ring.
    #[expect(clippy::new_without_default, reason = "rings are statics, and Default is not const")]
    pub const fn new() -> Self {
        // Free-running counters wrap at a power of two and index by their low bits.
        const { assert!(N.is_power_of_two()) };
        Ring {
            bytes: [const { AtomicU8::new(0) }; N],
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Producer: puts a byte in. A full ring refuses it, counts it as dropped and answers `false`.
    pub fn push(&self, byte: u8) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        // Acquire: the consumer's load of the slot came before it gave the slot back.
        let tail = self.tail.load(Ordering::Acquire);
        let slot = self.bytes.get(head & N.wrapping_sub(1)).filter(|_| head.wrapping_sub(tail) < N);
        let Some(slot) = slot else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        slot.store(byte, Ordering::Relaxed);
        // Release: who sees the new head sees the byte.
        self.head.store(head.wrapping_add(1), Ordering::Release);
        true
    }

    /// Consumer: takes the oldest byte.
    pub fn pop(&self) -> Option<u8> {
        let tail = self.tail.load(Ordering::Relaxed);
        if tail == self.head.load(Ordering::Acquire) {
            return None;
        }
        let byte = self.bytes.get(tail & N.wrapping_sub(1))?.load(Ordering::Relaxed);
        self.tail.store(tail.wrapping_add(1), Ordering::Release);
        Some(byte)
    }

    /// Consumer: the byte that is taken after `index` others, left where it is.
    pub fn peek(&self, index: usize) -> Option<u8> {
        let tail = self.tail.load(Ordering::Relaxed);
        if index >= self.head.load(Ordering::Acquire).wrapping_sub(tail) {
            return None;
        }
        Some(self.bytes.get(tail.wrapping_add(index) & N.wrapping_sub(1))?.load(Ordering::Relaxed))
    }

    /// Bytes that wait to be taken. The other side may change it at once, in its own direction only: for the
    /// consumer it can only have grown, for the producer only have shrunk.
    pub fn len(&self) -> usize {
        let tail = self.tail.load(Ordering::Acquire);
        let head = self.head.load(Ordering::Acquire);
        // A third party can read a tail that is older than the head by more than a ring.
        head.wrapping_sub(tail).min(N)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that can be put in before one is refused.
    pub fn room(&self) -> usize {
        N.saturating_sub(self.len())
    }

    /// Bytes that were refused since the ring was made; wraps after 2^64.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Ring;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[test]
    fn a_full_ring_refuses_and_counts() {
        let ring = Ring::<4>::new();
        assert!((0..4).all(|byte| ring.push(byte)));
        assert_eq!((ring.len(), ring.room()), (4, 0));
        assert!(!ring.push(9) && !ring.push(9));
        assert_eq!(ring.dropped(), 2);
        assert_eq!(ring.pop(), Some(0));
        assert!(ring.push(4));
        assert_eq!(std::iter::from_fn(|| ring.pop()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(ring.is_empty());
    }

    #[test]
    fn counters_wrap() {
        let ring = Ring::<4>::new();
        let start = usize::MAX - 1;
        ring.head.store(start, std::sync::atomic::Ordering::Relaxed);
        ring.tail.store(start, std::sync::atomic::Ordering::Relaxed);
        assert!((0..4).all(|byte| ring.push(byte)));
        assert!(!ring.push(4));
        assert_eq!(std::iter::from_fn(|| ring.pop()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    proptest! {
        #[test]
        fn a_ring_is_a_bounded_queue(steps in prop::collection::vec(prop::option::of(any::<u8>()), 0..200)) {
            let ring = Ring::<8>::new();
            let mut model = VecDeque::new();
            let mut dropped = 0;
            for step in steps {
                match step {
                    Some(byte) if model.len() < 8 => {
                        prop_assert!(ring.push(byte));
                        model.push_back(byte);
                    }
                    Some(byte) => {
                        prop_assert!(!ring.push(byte));
                        dropped += 1;
                    }
                    None => prop_assert_eq!(ring.pop(), model.pop_front()),
                }
                prop_assert_eq!(ring.len(), model.len());
                for index in 0..10 {
                    prop_assert_eq!(ring.peek(index), model.get(index).copied());
                }
                prop_assert_eq!(ring.room(), 8 - model.len());
                prop_assert_eq!(ring.dropped(), dropped);
            }
        }
    }

    #[test]
    fn two_threads_see_the_same_bytes_in_order() {
        let count: u32 = if cfg!(miri) { 500 } else { 20_000 };
        let ring = Ring::<64>::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..count {
                    while !ring.push(number as u8) {
                        std::thread::yield_now();
                    }
                }
            });
            for number in 0..count {
                let byte = loop {
                    match ring.pop() {
                        Some(byte) => break byte,
                        None => std::thread::yield_now(),
                    }
                };
                assert_eq!(byte, number as u8);
            }
            assert_eq!(ring.pop(), None);
        });
    }
}

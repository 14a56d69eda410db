//! The receive FIFO: 32 characters, or one when the FIFOs are off.

/// Depth of a PL011 r1p5's FIFOs.
pub(super) const DEPTH: usize = 32;

/// Characters that arrived and were not read yet.
#[derive(Clone, Debug)]
pub(super) struct Fifo {
    bytes: [u8; DEPTH],
    first: usize,
    len: usize,
}

impl Fifo {
    pub(super) const fn new() -> Self {
        Fifo { bytes: [0; DEPTH], first: 0, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        *self = Fifo::new();
    }

    /// Puts a character in; `false` if there are `depth` already.
    pub(super) fn push(&mut self, byte: u8, depth: usize) -> bool {
        if self.len >= depth.min(DEPTH) {
            return false;
        }
        let Some(slot) = self.bytes.get_mut(self.first.wrapping_add(self.len) % DEPTH) else { return false };
        *slot = byte;
        self.len = self.len.saturating_add(1);
        true
    }

    pub(super) fn pop(&mut self) -> Option<u8> {
        self.len = self.len.checked_sub(1)?;
        let byte = self.bytes.get(self.first).copied();
        self.first = self.first.wrapping_add(1) % DEPTH;
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH, Fifo};
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #[test]
        fn it_is_a_bounded_queue(steps in prop::collection::vec(prop::option::of(any::<u8>()), 0..200)) {
            let (mut fifo, mut model) = (Fifo::new(), VecDeque::new());
            for step in steps {
                match step {
                    Some(byte) => {
                        let fits = model.len() < DEPTH;
                        prop_assert_eq!(fifo.push(byte, DEPTH), fits);
                        if fits {
                            model.push_back(byte);
                        }
                    }
                    None => prop_assert_eq!(fifo.pop(), model.pop_front()),
                }
                prop_assert_eq!(fifo.len(), model.len());
            }
        }
    }
}

//! The receive FIFO of a UART: as many characters as it is deep, or one when the FIFOs are off.

/// Characters that arrived and were not read yet, at most `DEPTH`.
#[derive(Clone, Debug)]
pub(crate) struct Fifo<const DEPTH: usize> {
    bytes: [u8; DEPTH],
    first: usize,
    len: usize,
}

impl<const DEPTH: usize> Fifo<DEPTH> {
    pub(crate) const fn new() -> Self {
        // Places are counted modulo the depth.
        const { assert!(DEPTH.is_power_of_two()) };
        Fifo { bytes: [0; DEPTH], first: 0, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        *self = Fifo::new();
    }

    /// Puts a character in; `false` if there are `depth` already.
    pub(crate) fn push(&mut self, byte: u8, depth: usize) -> bool {
        if self.len >= depth.min(DEPTH) {
            return false;
        }
        let Some(slot) = self.bytes.get_mut(self.first.wrapping_add(self.len) & DEPTH.wrapping_sub(1)) else {
            return false;
        };
        *slot = byte;
        self.len = self.len.saturating_add(1);
        true
    }

    pub(crate) fn pop(&mut self) -> Option<u8> {
        self.len = self.len.checked_sub(1)?;
        let byte = self.bytes.get(self.first).copied();
        self.first = self.first.wrapping_add(1) & DEPTH.wrapping_sub(1);
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::Fifo;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    const DEPTH: usize = 16;

    proptest! {
        #[test]
        fn it_is_a_bounded_queue(steps in prop::collection::vec(prop::option::of(any::<u8>()), 0..200)) {
            let (mut fifo, mut model) = (Fifo::<DEPTH>::new(), VecDeque::new());
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

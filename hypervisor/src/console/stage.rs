//! The few bytes that are on their way to the UART and belong to nobody's ring any more.

use core::fmt;

/// Holds the longest thing that is staged at once: a notice with a name of 32 four-byte characters.
const BYTES: usize = 256;

/// A buffer that is filled when empty and then emptied from the front.
#[derive(Debug)]
pub(super) struct Stage {
    bytes: [u8; BYTES],
    first: usize,
    end: usize,
}

impl Stage {
    pub(super) const fn new() -> Stage {
        Stage { bytes: [0; BYTES], first: 0, end: 0 }
    }

    /// The byte that goes out next.
    pub(super) fn front(&self) -> Option<u8> {
        self.bytes.get(self.first..self.end)?.first().copied()
    }

    /// The front went out.
    pub(super) fn advance(&mut self) {
        self.first = self.first.saturating_add(1);
        if self.first >= self.end {
            (self.first, self.end) = (0, 0);
        }
    }

    /// Adds a byte; nothing that is staged at once is longer than the buffer.
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.end) {
            *slot = byte;
            self.end = self.end.saturating_add(1);
        }
    }

    /// Adds bytes.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.push(byte));
    }

    /// Adds the first 32 characters of a name.
    pub(super) fn name(&mut self, name: &str) {
        name.chars().take(32).for_each(|character| self.extend(character.encode_utf8(&mut [0; 4]).as_bytes()));
    }
}

impl fmt::Write for Stage {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.extend(text.as_bytes());
        Ok(())
    }
}

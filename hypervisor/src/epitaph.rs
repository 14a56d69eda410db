//! The epitaph: what the hypervisor leaves of its own failure for the boot that follows.
//!
//! It lies in memory that no boot clears (`linker/aarch64.ld`: behind everything that `boot::head` zeroes, and behind
//! what a boot loader fills), under the symbol `ostler_epitaph`, so that a reset that keeps RAM keeps it. After a cold
//! start there is garbage, which is not believed: a magic number and a checksum have to fit.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU64, Ordering};

/// Words of the whole.
const WORDS: usize = 128;
/// Words before the text: magic, checksum, length of the text in bytes.
const HEADER: usize = 3;
/// Longest text.
pub const TEXT_BYTES: usize = (WORDS - HEADER) * 8;
/// The first word.
const MAGIC: u64 = u64::from_le_bytes(*b"OSTLEPIT");

/// The place of an epitaph.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Epitaph([AtomicU64; WORDS]);

/// A text that is cut off where there is no more room.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    bytes: [u8; TEXT_BYTES],
    length: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl Text {
    /// No text.
    pub const fn new() -> Text {
        Text { bytes: [0; TEXT_BYTES], length: 0 }
    }

    /// What was written, as far as it is text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or(&[]);
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            // A character was cut in two.
            Err(error) => {
                bytes.get(..error.valid_up_to()).map_or("", |whole| core::str::from_utf8(whole).unwrap_or(""))
            }
        }
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (slot, byte) in self.bytes.iter_mut().skip(self.length).zip(text.bytes()) {
            *slot = byte;
            self.length = self.length.saturating_add(1);
        }
        Ok(())
    }
}

impl Default for Epitaph {
    fn default() -> Self {
        Self::new()
    }
}

impl Epitaph {
    /// None.
    pub const fn new() -> Epitaph {
        Epitaph([const { AtomicU64::new(0) }; WORDS])
    }

    fn set(&self, index: usize, value: u64) {
        if let Some(word) = self.0.get(index) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn word(&self, index: usize) -> u64 {
        self.0.get(index).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// FNV-1a over length and text.
    fn checksum(&self) -> u64 {
        let words = self.0.iter().skip(HEADER - 1).map(|word| word.load(Ordering::Relaxed));
        words
            .flat_map(u64::to_le_bytes)
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    /// Leaves `text`.
    pub fn leave(&self, text: &Text) {
        self.clear();
        self.set(HEADER - 1, text.length as u64);
        for (index, chunk) in text.bytes.as_chunks::<8>().0.iter().enumerate() {
            self.set(index.saturating_add(HEADER), u64::from_le_bytes(*chunk));
        }
        self.set(1, self.checksum());
        self.set(0, MAGIC);
    }

    /// What was left, if anything was.
    pub fn find(&self) -> Option<Text> {
        let length = usize::try_from(self.word(HEADER - 1)).ok()?;
        if self.word(0) != MAGIC || self.word(1) != self.checksum() || length > TEXT_BYTES {
            return None;
        }
        let mut text = Text { bytes: [0; TEXT_BYTES], length };
        for (chunk, word) in text.bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0.iter().skip(HEADER)) {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        }
        Some(text)
    }

    /// Nothing is left.
    pub fn clear(&self) {
        self.set(0, 0);
    }
}

#[cfg(target_os = "none")]
mod place {
    use super::Epitaph;
    use crate::log;

    /// Not zeroed by boot.
    #[unsafe(export_name = "ostler_epitaph")]
    #[unsafe(link_section = ".epitaph")]
    static EPITAPH: Epitaph = Epitaph::new();

    /// Sees to it that memory has what was stored, whoever reads it and after whatever reset.
    fn clean() {
        arch::cpu::clean_to_coherency(&raw const EPITAPH as u64, size_of::<Epitaph>() as u64);
    }

    /// Leaves `text` for the next boot.
    pub fn leave(text: &super::Text) {
        EPITAPH.leave(text);
        clean();
    }

    /// Says what the last run left, once.
    pub fn tell() {
        if let Some(text) = EPITAPH.find() {
            log::warn!("the last run ended by a failure of the hypervisor:\n  {}", text.as_str());
        }
        EPITAPH.clear();
        clean();
    }
}

#[cfg(target_os = "none")]
pub use place::{leave, tell};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(what: &str) -> Text {
        let mut text = Text::new();
        text.write_str(what).unwrap();
        text
    }

    #[test]
    fn what_was_left_is_found_until_it_is_cleared() {
        let epitaph = Epitaph::new();
        assert!(epitaph.find().is_none());
        for what in ["panic: no reason\npCPU 3", ""] {
            epitaph.leave(&text(what));
            assert_eq!(epitaph.find().unwrap().as_str(), what);
        }
        epitaph.clear();
        assert!(epitaph.find().is_none());
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let epitaph = Epitaph::new();
        epitaph.leave(&text(&"ü…".repeat(TEXT_BYTES)));
        let found = epitaph.find().unwrap();
        assert!(found.as_str().len() > TEXT_BYTES - 4 && found.as_str().starts_with("ü…ü…"));
    }

    proptest! {
        #[test]
        fn garbage_is_not_believed(words in prop::collection::vec(any::<u64>(), WORDS), with_magic: bool) {
            let epitaph = Epitaph::new();
            words.iter().enumerate().for_each(|(index, &word)| epitaph.set(index, word));
            if with_magic {
                epitaph.set(0, MAGIC);
            }
            prop_assert!(epitaph.find().is_none());
        }

        #[test]
        fn a_bit_that_flips_is_noticed(what in ".{0,200}", bit in 0..WORDS * 64) {
            let epitaph = Epitaph::new();
            epitaph.leave(&text(&what));
            let found = epitaph.find().unwrap();
            prop_assert_eq!(found.as_str(), what);
            epitaph.set(bit / 64, epitaph.word(bit / 64) ^ 1 << (bit % 64));
            prop_assert!(epitaph.find().is_none());
        }
    }
}

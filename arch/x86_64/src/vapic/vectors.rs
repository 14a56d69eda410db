//! Sets of the 256 vectors, in words of 32 as registers show them.

use arch_common::bits::bit;

/// Words in a set.
pub(super) const WORDS: usize = 8;

/// A set of vectors that knows which of its words have any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vectors {
    words: [u32; WORDS],
    /// Bit n: word n is not zero.
    summary: u32,
}

impl Vectors {
    pub(super) const fn new() -> Vectors {
        Vectors { words: [0; WORDS], summary: 0 }
    }

    /// Word `index`, of vectors 32 × `index` and up; zero if there is none.
    #[inline]
    pub(super) fn word(&self, index: u32) -> u32 {
        self.words.get(index as usize).copied().unwrap_or(0)
    }

    /// Bits of the words that are not zero.
    #[inline]
    pub(super) fn summary(&self) -> u32 {
        self.summary
    }

    /// Adds `bits` of word `index`.
    #[inline]
    pub(super) fn insert_word(&mut self, index: u32, bits: u32) {
        if let Some(word) = self.words.get_mut(index as usize)
            && bits != 0
        {
            *word |= bits;
            self.summary |= bit(index);
        }
    }

    /// Takes `bits` of word `index` away.
    #[inline]
    pub(super) fn remove_word(&mut self, index: u32, bits: u32) {
        if let Some(word) = self.words.get_mut(index as usize) {
            *word &= !bits;
            if *word == 0 {
                self.summary &= !bit(index);
            }
        }
    }

    #[inline]
    pub(super) fn insert(&mut self, vector: u8) {
        self.insert_word(word_of(vector), bit_of(vector));
    }

    #[inline]
    pub(super) fn remove(&mut self, vector: u8) {
        self.remove_word(word_of(vector), bit_of(vector));
    }

    #[inline]
    pub(super) fn contains(&self, vector: u8) -> bool {
        self.word(word_of(vector)) & bit_of(vector) != 0
    }

    /// The highest one.
    #[inline]
    pub(super) fn highest(&self) -> Option<u8> {
        // Below 8: in a form that the compiler need not check again.
        let index = self.summary.checked_ilog2()? & 7;
        let number = self.word(index).checked_ilog2()?;
        Some((index << 5 | number) as u8)
    }
}

/// The word that `vector` is in.
#[inline]
pub(super) const fn word_of(vector: u8) -> u32 {
    vector as u32 >> 5
}

/// Its bit there.
#[inline]
pub(super) const fn bit_of(vector: u8) -> u32 {
    bit(vector as u32 & 31)
}

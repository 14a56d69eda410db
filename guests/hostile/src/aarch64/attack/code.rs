//! Instructions for one batch, and how the registers are shared between the attacks in it.
//!
//! | register | |
//! |---|---|
//! | x0 to x7 | operands and results |
//! | x8, x9 | addresses, status results |
//! | x17 | counts the attacks that were passed: each ends with `add x17, x17, #1` |
//! | x18 | the way back |
//! | all others | must not change |
//!
//! 32-bit code has r0 to r7 and r8 in the same roles, and counts in r9.

/// Attacks of one batch.
pub(crate) const ATTACKS: u64 = 64;
/// Words of one attack at most.
const WORDS_OF_ATTACK: usize = 24;
const WORDS: usize = ATTACKS as usize * WORDS_OF_ATTACK + 2;

/// The base register of loads and stores.
pub(crate) const BASE: u32 = 8;
/// Another register that is free.
pub(crate) const SPARE: u32 = 9;

/// Instructions.
#[derive(Debug)]
#[repr(C, align(4096))]
pub(crate) struct Code {
    words: [u32; WORDS],
    length: usize,
    attacks: u64,
    is_32_bit: bool,
}

impl Code {
    pub(crate) const fn new() -> Code {
        Code { words: [0; WORDS], length: 0, attacks: 0, is_32_bit: false }
    }

    /// Empties it.
    pub(crate) fn begin(&mut self, is_32_bit: bool) {
        (self.length, self.attacks, self.is_32_bit) = (0, 0, is_32_bit);
        if !is_32_bit {
            self.put(0xaa1e_03f2); // mov x18, x30
        }
    }

    /// Ends the batch.
    pub(crate) fn finish(&mut self) {
        self.put(if self.is_32_bit { LEAVE_32 } else { 0xd61f_0240 }); // br x18
    }

    #[cfg(target_os = "none")]
    pub(crate) fn is_32_bit(&self) -> bool {
        self.is_32_bit
    }

    pub(crate) fn attacks(&self) -> u64 {
        self.attacks
    }

    pub(crate) fn words(&self) -> &[u32] {
        &self.words[..self.length]
    }

    pub(crate) fn put(&mut self, word: u32) {
        self.words[self.length] = word;
        self.length += 1;
    }

    /// The attack is complete.
    pub(crate) fn end_attack(&mut self) {
        self.put(if self.is_32_bit { 0xe289_9001 } else { 0x9100_0631 });
        self.attacks += 1;
    }

    /// `register` = `value`.
    pub(crate) fn constant(&mut self, register: u32, value: u64) {
        if self.is_32_bit {
            let half = |half: u64| ((half >> 12 & 0xf) << 16 | half & 0xfff) as u32 | register << 12;
            self.put(0xe300_0000 | half(value & 0xffff)); // movw
            self.put(0xe340_0000 | half(value >> 16 & 0xffff)); // movt
            return;
        }
        self.put(0xd280_0000 | (value as u32 & 0xffff) << 5 | register); // movz
        for part in 1..4 {
            let half = (value >> (16 * part)) as u32 & 0xffff;
            if half != 0 {
                self.put(0xf280_0000 | part << 21 | half << 5 | register); // movk
            }
        }
    }
}

/// `svc #0xbeef`: the end of a 32-bit batch.
pub(crate) const LEAVE_32: u32 = 0xef00_beef;

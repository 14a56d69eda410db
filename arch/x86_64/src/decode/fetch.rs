//! The bytes of an instruction, one after the other.

use super::{Error, MAX_BYTES};

/// Bytes of code, as far as they could be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The first byte in bits 7:0.
    bytes: u128,
    length: u8,
}

impl Code {
    /// `length` bytes of code, the first in bits 7:0 of `bytes`. More than 15 do no harm.
    #[inline]
    pub const fn new(bytes: u128, length: u8) -> Code {
        Code { bytes, length }
    }

    /// The first eight bytes, the very first in bits 7:0, and how many of them, and more, there are.
    #[inline]
    pub(super) const fn first_eight(self) -> (u64, u8) {
        (self.bytes as u64, self.length)
    }
}

impl From<&[u8]> for Code {
    fn from(slice: &[u8]) -> Code {
        let mut bytes = [0; 16];
        let mut length = 0_u8;
        for (byte, from) in bytes.iter_mut().zip(slice) {
            *byte = *from;
            length = length.wrapping_add(1);
        }
        Code::new(u128::from_le_bytes(bytes), length)
    }
}

/// A place in the code. After its end there are zeros without end: whether an instruction has taken any of them is asked
/// once, when it is known ([`Fetch::end`]).
pub(super) struct Fetch {
    /// What was not taken yet.
    rest: u128,
    available: u8,
    taken: u8,
}

impl Fetch {
    #[inline]
    pub(super) fn new(code: Code) -> Fetch {
        Fetch { rest: code.bytes, available: code.length, taken: 0 }
    }

    /// The next byte, which stays.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.rest as u8
    }

    /// Takes the next byte.
    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        let byte = self.peek();
        self.rest >>= 8;
        self.taken = self.taken.wrapping_add(1);
        byte
    }

    /// Takes 1, 2, 4 or 8 bytes: a number, least byte first, sign-extended.
    #[inline]
    pub(super) fn signed(&mut self, bytes: u8) -> u64 {
        let unused = 64_u32.wrapping_sub(u32::from(bytes) << 3);
        let value = (self.rest as i64).wrapping_shl(unused).wrapping_shr(unused);
        self.skip(bytes);
        value as u64
    }

    /// Takes `bytes` bytes that nobody wants to know.
    #[inline]
    pub(super) fn skip(&mut self, bytes: u8) {
        self.rest = self.rest.wrapping_shr(u32::from(bytes) << 3);
        self.taken = self.taken.wrapping_add(bytes);
    }

    /// The bytes taken: 1 to 15.
    #[inline]
    pub(super) fn end(&self) -> Result<u8, Error> {
        if self.taken > self.available.min(MAX_BYTES) {
            return Err(if self.available < MAX_BYTES { Error::NeedsMoreBytes } else { Error::TooLong });
        }
        Ok(self.taken)
    }
}

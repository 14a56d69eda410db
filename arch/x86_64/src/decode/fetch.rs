//! The bytes of an instruction, one after the other.

use super::{Error, MAX_BYTES};

/// A place in the instruction's bytes.
pub(super) struct Fetch<'a> {
    /// At most [`MAX_BYTES`].
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fetch<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Fetch<'a> {
        Fetch { bytes: bytes.get(..MAX_BYTES).unwrap_or(bytes), at: 0 }
    }

    /// Bytes taken so far: at most 15.
    #[inline]
    pub(super) fn taken(&self) -> u8 {
        self.at as u8
    }

    /// The next byte, which stays.
    #[inline]
    pub(super) fn peek(&self) -> Result<u8, Error> {
        self.bytes.get(self.at).copied().ok_or_else(|| self.cut(1))
    }

    /// Takes the next byte.
    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        let byte = self.peek()?;
        self.at = self.at.wrapping_add(1);
        Ok(byte)
    }

    /// Takes 1, 2, 4 or 8 bytes: a number, least byte first, sign-extended. Of none it is zero.
    #[inline]
    pub(super) fn signed(&mut self, bytes: u8) -> Result<u64, Error> {
        let wanted = usize::from(bytes);
        let end = self.at.wrapping_add(wanted);
        let value = match *self.bytes.get(self.at..end).ok_or_else(|| self.cut(wanted))? {
            [a] => i64::from(a as i8),
            [a, b] => i64::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => 0,
        };
        self.at = end;
        Ok(value as u64)
    }

    /// Takes `bytes` bytes that nobody wants to know.
    #[inline]
    pub(super) fn skip(&mut self, bytes: u8) -> Result<(), Error> {
        let end = self.at.wrapping_add(bytes.into());
        if end > self.bytes.len() {
            return Err(self.cut(bytes.into()));
        }
        self.at = end;
        Ok(())
    }

    /// Why the next `wanted` bytes are not there.
    #[cold]
    fn cut(&self, wanted: usize) -> Error {
        if self.at.wrapping_add(wanted) > MAX_BYTES { Error::TooLong } else { Error::NeedsMoreBytes }
    }
}

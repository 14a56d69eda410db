//! General registers and parts of them.

use super::prefix::Prefixes;

/// A general register as an operand of one byte or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(u8);

/// A vCPU's general registers and flags.
pub trait Registers {
    /// All 64 bits of the register `number` (0 to 15) as instructions number them: AX, CX, DX, BX, SP, BP, SI, DI, R8 to R15.
    fn get(&self, number: u8) -> u64;
    /// Sets all 64 bits.
    fn set(&mut self, number: u8, value: u64);
    /// RFLAGS.
    fn flags(&self) -> u64;
    /// Sets RFLAGS.
    fn set_flags(&mut self, flags: u64);
}

/// The ones that hold a value of `bytes` bytes.
#[inline]
pub(super) const fn mask(bytes: u8) -> u64 {
    // 8 or more: all. None: none.
    match bytes {
        1 => 0xff,
        2 => 0xffff,
        4 => 0xffff_ffff,
        _ => u64::MAX,
    }
}

impl Register {
    /// The accumulator.
    pub const AX: Register = Register(0);
    /// The counter of REP.
    pub const CX: Register = Register(1);
    /// The port of IN and OUT.
    pub const DX: Register = Register(2);
    /// The source of string operations.
    pub const SI: Register = Register(6);
    /// The destination of string operations.
    pub const DI: Register = Register(7);

    #[cfg(test)]
    pub(super) fn raw(number: u8) -> Register {
        Register(number)
    }

    /// Register `number` (0 to 15) from its lowest byte on.
    #[inline]
    pub(super) const fn full(number: u8) -> Register {
        Register(number & 15)
    }

    /// Register `number` (0 to 15) for an operand of `bytes` bytes.
    #[inline]
    pub(super) fn operand(number: u8, bytes: u8, prefixes: &Prefixes) -> Register {
        // AH, CH, DH, BH are 16 to 19 here.
        if bytes == 1 && number & 0xc == 4 && !prefixes.has_rex() {
            Register(number & 3 | 0x10)
        } else {
            Register(number)
        }
    }

    /// The register that it is, or is part of: 0 to 15.
    #[inline]
    pub const fn number(self) -> u8 {
        if self.is_high() { self.0 & 3 } else { self.0 & 15 }
    }

    /// AH, CH, DH, BH: bits 15 to 8 of register 0 to 3.
    #[inline]
    pub const fn is_high(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Its low `bytes` bytes (1, 2, 4, 8).
    #[inline]
    pub fn read(self, registers: &impl Registers, bytes: u8) -> u64 {
        let value = registers.get(self.number());
        (if self.is_high() { value >> 8 } else { value }) & mask(bytes)
    }

    /// Writes its low `bytes` bytes. 4 bytes clear the upper half of the register; 1 and 2 leave the rest as it is (APM volume 1, 3.1.2).
    #[inline]
    pub fn write(self, registers: &mut impl Registers, bytes: u8, value: u64) {
        let value = value & mask(bytes);
        let kept = |mask: u64| registers.get(self.number()) & !mask;
        let all = match bytes {
            1 if self.is_high() => kept(0xff00) | value << 8,
            1 | 2 => kept(mask(bytes)) | value,
            _ => value,
        };
        registers.set(self.number(), all);
    }
}

//! An A64 instruction in words, for reports: the loads, stores, branches and system instructions that guests fail at. Any
//! other is shown by its encoding. (Arm ARM DDI 0487, C4.1.)

use core::fmt;

use crate::syndrome::SysReg;

/// An instruction of a 64-bit guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction(pub u32);

/// A general register; 31 is the zero register, or the stack pointer as a base.
struct Register {
    number: u32,
    is_wide: bool,
    is_base: bool,
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = if self.is_wide { 'x' } else { 'w' };
        match self.number {
            31 if self.is_base => f.write_str("sp"),
            31 => write!(f, "{letter}zr"),
            number => write!(f, "{letter}{number}"),
        }
    }
}

impl Instruction {
    /// The bits from `low`, `count` of them.
    const fn bits(self, low: u32, count: u32) -> u32 {
        self.0.wrapping_shr(low) & 1_u32.wrapping_shl(count).wrapping_sub(1)
    }

    /// The same as a signed number.
    const fn signed(self, low: u32, count: u32) -> i64 {
        let unused = 32_u32.wrapping_sub(count);
        (self.bits(low, count).wrapping_shl(unused) as i32).wrapping_shr(unused) as i64
    }

    const fn x(self, low: u32) -> Register {
        Register { number: self.bits(low, 5), is_wide: true, is_base: false }
    }

    const fn base(self) -> Register {
        Register { number: self.bits(5, 5), is_wide: true, is_base: true }
    }

    /// A load or store of one general register: the end of its mnemonic, the register, log2 of its size in memory.
    fn transfer(self) -> Option<(&'static str, Register, u32)> {
        let (size, opc) = (self.bits(30, 2), self.bits(22, 2));
        let (suffix, is_wide) = match (size, opc) {
            (0, 0 | 1) => ("b", false),
            (1, 0 | 1) => ("h", false),
            (2, 0 | 1) => ("", false),
            (3, 0 | 1) => ("", true),
            (0, _) => ("sb", opc == 2),
            (1, _) => ("sh", opc == 2),
            (2, 2) => ("sw", true),
            _ => return None,
        };
        Some((suffix, Register { number: self.bits(0, 5), is_wide, is_base: false }, size))
    }

    /// A load or store; false if it is none that is known here.
    fn load_or_store(self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        // V: a register of floating point or SIMD.
        if self.bits(26, 1) != 0 {
            return Ok(false);
        }
        let base = self.base();
        // Pairs: opc 10 is 64 bits wide, 00 is 32.
        if self.bits(27, 3) == 0b101 && matches!(self.bits(30, 2), 0b00 | 0b10) {
            let is_wide = self.bits(31, 1) != 0;
            let register = |low| Register { is_wide, ..self.x(low) };
            let verb = if self.bits(22, 1) != 0 { "ldp" } else { "stp" };
            let offset = self.signed(15, 7).wrapping_mul(if is_wide { 8 } else { 4 });
            write!(f, "{verb} {}, {}, ", register(0), register(10))?;
            match self.bits(23, 2) {
                0b01 => write!(f, "[{base}], #{offset}")?,
                0b11 => write!(f, "[{base}, #{offset}]!")?,
                _ => write!(f, "[{base}, #{offset}]")?,
            }
            return Ok(true);
        }
        if self.bits(27, 3) != 0b111 {
            return Ok(false);
        }
        let Some((suffix, register, log2)) = self.transfer() else { return Ok(false) };
        let is_store = self.bits(22, 2) == 0;
        let (verb, unscaled) = if is_store { ("str", "stur") } else { ("ldr", "ldur") };
        let offset = self.signed(12, 9);
        match (self.bits(24, 2), self.bits(21, 1), self.bits(10, 2)) {
            (0b01, ..) => {
                write!(f, "{verb}{suffix} {register}, [{base}, #{}]", self.bits(10, 12).wrapping_shl(log2))?;
            }
            (0b00, 0, 0b01) => write!(f, "{verb}{suffix} {register}, [{base}], #{offset}")?,
            (0b00, 0, 0b11) => write!(f, "{verb}{suffix} {register}, [{base}, #{offset}]!")?,
            (0b00, 0, 0b00) => write!(f, "{unscaled}{suffix} {register}, [{base}, #{offset}]")?,
            (0b00, 1, 0b10) => write!(f, "{verb}{suffix} {register}, [{base}, {}]", self.x(16))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A system instruction, an exception or a branch to a register; false if it is none that is known here.
    fn system(self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let immediate = self.bits(5, 16);
        match (self.0 & 0xffe0_001f, self.0 & 0xfff0_0000) {
            (0xd400_0001, _) => write!(f, "svc #{immediate}")?,
            (0xd400_0002, _) => write!(f, "hvc #{immediate}")?,
            (0xd400_0003, _) => write!(f, "smc #{immediate}")?,
            (0xd420_0000, _) => write!(f, "brk #{immediate}")?,
            (_, 0xd510_0000 | 0xd500_0000) | (_, 0xd530_0000 | 0xd520_0000) => {
                let register = SysReg::new(
                    self.bits(19, 2) as u8,
                    self.bits(16, 3) as u8,
                    self.bits(12, 4) as u8,
                    self.bits(8, 4) as u8,
                    self.bits(5, 3) as u8,
                );
                let is_read = self.bits(21, 1) != 0;
                match (self.bits(20, 1) != 0, is_read, self.bits(19, 2)) {
                    (true, true, _) => write!(f, "mrs {}, {register}", self.x(0))?,
                    (true, false, _) => write!(f, "msr {register}, {}", self.x(0))?,
                    (false, false, 1) => write!(f, "sys {register}, {}", self.x(0))?,
                    _ => return Ok(false),
                }
            }
            _ => match self.0 & 0xffff_fc1f {
                0xd61f_0000 => write!(f, "br {}", self.x(5))?,
                0xd63f_0000 => write!(f, "blr {}", self.x(5))?,
                0xd65f_0000 => write!(f, "ret {}", self.x(5))?,
                _ => return Ok(false),
            },
        }
        Ok(true)
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >> 16 == 0 {
            return write!(f, "udf #{}", self.0);
        }
        if self.load_or_store(f)? || self.system(f)? {
            return Ok(());
        }
        write!(f, ".inst {:#010x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_read_as_in_the_manual() {
        let cases = [
            (0xb940_0422, "ldr w2, [x1, #4]"),
            (0xf900_03e0, "str x0, [sp, #0]"),
            (0x3900_003f, "strb wzr, [x1, #0]"),
            (0x7980_0020, "ldrsh x0, [x1, #0]"),
            (0xb980_0020, "ldrsw x0, [x1, #0]"),
            (0x39c0_0020, "ldrsb w0, [x1, #0]"),
            (0xf840_8c41, "ldr x1, [x2, #8]!"),
            (0xb81f_c441, "str w1, [x2], #-4"),
            (0xf85f_8041, "ldur x1, [x2, #-8]"),
            (0xf863_6841, "ldr x1, [x2, x3]"),
            (0xa940_0c22, "ldp x2, x3, [x1, #0]"),
            (0xa9bf_7bfd, "stp x29, x30, [sp, #-16]!"),
            (0x2901_0c22, "stp w2, w3, [x1, #8]"),
            (0xd400_0002, "hvc #0"),
            (0xd400_0023, "smc #1"),
            (0xd420_2000, "brk #256"),
            (0xd538_0000, "mrs x0, S3_0_C0_C0_0"),
            (0xd518_1005, "msr S3_0_C1_C0_0, x5"),
            (0xd50b_7423, "sys S1_3_C7_C4_1, x3"),
            (0xd65f_03c0, "ret x30"),
            (0xd63f_0020, "blr x1"),
            (0x0000_0007, "udf #7"),
            (0x3d80_0020, ".inst 0x3d800020"),
            (0x8b01_0000, ".inst 0x8b010000"),
        ];
        for (encoding, text) in cases {
            assert_eq!(Instruction(encoding).to_string(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_word_is_something(word: u32) {
            proptest::prop_assert!(!Instruction(word).to_string().is_empty());
        }
    }
}

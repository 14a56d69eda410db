//! Arithmetic of 1, 2, 4 or 8 bytes and its flags (APM volume 1, 3.1.4; volume 3, each instruction).
//!
//! Values come in and go out with zeros above their width. Flags that the manual leaves undefined are cleared by logical
//! operations (AF) and otherwise stay as they are.

use super::register::mask;

/// Bits of RFLAGS.
#[expect(missing_docs, reason = "the manual's names")]
pub mod flags {
    pub const CF: u64 = 1 << 0;
    pub const PF: u64 = 1 << 2;
    pub const AF: u64 = 1 << 4;
    pub const ZF: u64 = 1 << 6;
    pub const SF: u64 = 1 << 7;
    pub const DF: u64 = 1 << 10;
    pub const OF: u64 = 1 << 11;
    /// All that arithmetic changes.
    pub const STATUS: u64 = CF | PF | AF | ZF | SF | OF;
}
use flags::{AF, CF, OF, PF, SF, STATUS, ZF};

/// Operations of two values, in the order of their numbers in opcodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the manual's mnemonics")]
pub enum Alu {
    Add,
    Or,
    Adc,
    Sbb,
    And,
    Sub,
    Xor,
    Cmp,
}

/// Operations of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the manual's mnemonics")]
pub enum Unary {
    Inc,
    Dec,
    Not,
    Neg,
}

/// What BT and its like do with the bit after they have read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitChange {
    /// BT
    None,
    /// BTS
    Set,
    /// BTR
    Reset,
    /// BTC
    Complement,
}

impl Alu {
    /// From the low three bits of `number`.
    #[inline]
    pub(super) fn from_number(number: u8) -> Alu {
        match number & 7 {
            0 => Alu::Add,
            1 => Alu::Or,
            2 => Alu::Adc,
            3 => Alu::Sbb,
            4 => Alu::And,
            5 => Alu::Sub,
            6 => Alu::Xor,
            _ => Alu::Cmp,
        }
    }

    /// The result and RFLAGS after it. Of CMP the result is what SUB's would be: for nobody.
    pub fn compute(self, bytes: u8, a: u64, b: u64, flags: u64) -> (u64, u64) {
        let carry = flags & CF;
        match self {
            Alu::Add => add(bytes, a, b, 0, flags),
            Alu::Adc => add(bytes, a, b, carry, flags),
            Alu::Sub | Alu::Cmp => subtract(bytes, a, b, 0, flags),
            Alu::Sbb => subtract(bytes, a, b, carry, flags),
            Alu::Or => logical(bytes, a | b, flags),
            Alu::And => logical(bytes, a & b, flags),
            Alu::Xor => logical(bytes, a ^ b, flags),
        }
    }
}

impl Unary {
    /// The result and RFLAGS after it.
    pub fn compute(self, bytes: u8, a: u64, flags: u64) -> (u64, u64) {
        // INC and DEC leave CF, NOT leaves all.
        let keep_carry = |(value, new): (u64, u64)| (value, new & !CF | flags & CF);
        match self {
            Unary::Inc => keep_carry(add(bytes, a, 1, 0, flags)),
            Unary::Dec => keep_carry(subtract(bytes, a, 1, 0, flags)),
            Unary::Not => (!a & mask(bytes), flags),
            Unary::Neg => subtract(bytes, 0, a, 0, flags),
        }
    }
}

impl BitChange {
    /// Of group 8 (0x0f 0xba): 4 to 7.
    #[inline]
    pub(super) fn from_group(group: u8) -> Option<BitChange> {
        Some(match group {
            4 => BitChange::None,
            5 => BitChange::Set,
            6 => BitChange::Reset,
            7 => BitChange::Complement,
            _ => return None,
        })
    }

    /// The result and RFLAGS after it, of the bit `number` modulo the width.
    pub fn compute(self, bytes: u8, a: u64, number: u64, flags: u64) -> (u64, u64) {
        // Widths are powers of two.
        let place = number as u32 & u32::from(bytes).wrapping_mul(8).wrapping_sub(1);
        let bit = 1_u64.wrapping_shl(place);
        let carry = if a & bit != 0 { CF } else { 0 };
        let value = match self {
            BitChange::None => a,
            BitChange::Set => a | bit,
            BitChange::Reset => a & !bit,
            BitChange::Complement => a ^ bit,
        };
        (value, flags & !CF | carry)
    }
}

/// The topmost bit of a value of that width.
#[inline]
fn top(bytes: u8) -> u64 {
    mask(bytes) ^ mask(bytes) >> 1
}

fn add(bytes: u8, a: u64, b: u64, carry: u64, flags: u64) -> (u64, u64) {
    let sum = a.wrapping_add(b).wrapping_add(carry);
    // By bit: whether it carries to the next. Two ones do, and one does if there came a carry, so that the sum has none.
    let carries = a & b | (a | b) & !sum;
    (sum & mask(bytes), flags & !STATUS | of_carries(bytes, carries, (a ^ sum) & (b ^ sum)) | of_value(bytes, sum))
}

fn subtract(bytes: u8, a: u64, b: u64, borrow: u64, flags: u64) -> (u64, u64) {
    let difference = a.wrapping_sub(b).wrapping_sub(borrow);
    let borrows = !a & b | (!a | b) & difference;
    let overflows = (a ^ b) & (a ^ difference);
    (difference & mask(bytes), flags & !STATUS | of_carries(bytes, borrows, overflows) | of_value(bytes, difference))
}

fn logical(bytes: u8, value: u64, flags: u64) -> (u64, u64) {
    let value = value & mask(bytes);
    (value, flags & !STATUS | of_value(bytes, value))
}

/// CF, AF, OF.
fn of_carries(bytes: u8, carries: u64, overflows: u64) -> u64 {
    let top = top(bytes);
    let mut flags = 0;
    if carries & top != 0 {
        flags |= CF;
    }
    if carries & 1 << 3 != 0 {
        flags |= AF;
    }
    if overflows & top != 0 {
        flags |= OF;
    }
    flags
}

/// ZF, SF, PF.
fn of_value(bytes: u8, value: u64) -> u64 {
    let mut flags = 0;
    if value & mask(bytes) == 0 {
        flags |= ZF;
    }
    if value & top(bytes) != 0 {
        flags |= SF;
    }
    // An even number of ones in the low byte.
    if (value as u8).count_ones() & 1 == 0 {
        flags |= PF;
    }
    flags
}

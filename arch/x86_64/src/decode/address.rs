//! Operands in memory: ModRM, SIB and displacement (APM volume 3, 1.4 to 1.7).

use super::{
    Operand, Register, Registers,
    fetch::Fetch,
    prefix::{Mode, Prefixes},
    register::mask,
};

/// A segment register, by its number in instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
#[repr(u8)]
pub enum Segment {
    Es,
    Cs,
    Ss,
    Ds,
    Fs,
    Gs,
}

/// Where an address starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// At zero.
    None,
    /// At the next instruction.
    Rip,
    /// At the value of a general register, 0 to 15.
    Register(u8),
}

/// The parts of an address: base + index × 2^scale + displacement, in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The segment. In 64-bit mode the bases of all but FS and GS are zero.
    pub segment: Segment,
    /// Where it starts.
    pub base: Base,
    /// A general register, 0 to 15.
    pub index: Option<u8>,
    /// Binary logarithm of the index's factor: 0 to 3.
    pub scale: u8,
    /// How wide the sum is: 2, 4 or 8.
    pub bytes: u8,
    /// The displacement, sign-extended.
    pub displacement: u64,
}

impl Address {
    /// The offset in the segment. `next_rip` is the address after the instruction.
    pub fn offset(&self, registers: &impl Registers, next_rip: u64) -> u64 {
        let base = match self.base {
            Base::None => 0,
            Base::Rip => next_rip,
            Base::Register(number) => registers.get(number),
        };
        let index = self.index.map_or(0, |number| registers.get(number).wrapping_shl(self.scale.into()));
        base.wrapping_add(index).wrapping_add(self.displacement) & mask(self.bytes)
    }

    /// The memory at SI or DI of string operations. The segment of DI is always ES.
    #[inline]
    pub(super) fn string(prefixes: &Prefixes, register: Register) -> Address {
        let segment = if register == Register::DI { Segment::Es } else { prefixes.segment_or(Segment::Ds) };
        Address { segment, base: Base::Register(register.number()), ..Address::absolute(prefixes, 0) }
    }

    /// A displacement alone.
    #[inline]
    pub(super) fn absolute(prefixes: &Prefixes, displacement: u64) -> Address {
        Address {
            segment: prefixes.segment_or(Segment::Ds),
            base: Base::None,
            index: None,
            scale: 0,
            bytes: prefixes.address_bytes(),
            displacement,
        }
    }
}

impl Segment {
    /// The segment register of this number; 6 and 7 do not exist.
    #[inline]
    pub(super) const fn from_number(number: u8) -> Segment {
        match number {
            0 => Segment::Es,
            1 => Segment::Cs,
            2 => Segment::Ss,
            3 => Segment::Ds,
            4 => Segment::Fs,
            _ => Segment::Gs,
        }
    }
}

/// What a ModRM byte says besides an operand in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct ModRm {
    /// The reg field with REX.R.
    reg: u8,
    /// The r/m field with REX.B, if it is a register.
    rm: u8,
    pub(super) is_memory: bool,
}

impl ModRm {
    /// Of an instruction that has no such byte.
    pub(super) const NONE: ModRm = ModRm { reg: 0, rm: 0, is_memory: false };

    /// Takes the byte and those that belong to it; an operand in memory goes to `memory`.
    pub(super) fn fetch(fetch: &mut Fetch, prefixes: &Prefixes, memory: &mut Option<Address>) -> ModRm {
        let byte = fetch.byte();
        if byte >= 0xc0 {
            return ModRm::of_registers(byte, prefixes);
        }
        let bytes = prefixes.address_bytes();
        let (base, index, scale, displacement) =
            if bytes == 2 { short(fetch, byte) } else { long(fetch, prefixes, byte) };
        // What counts from the stack pointers is in the stack.
        let segment = if matches!(base, Base::Register(4 | 5)) { Segment::Ss } else { Segment::Ds };
        let segment = prefixes.segment_or(segment);
        *memory = Some(Address { segment, base, index, scale, bytes, displacement });
        ModRm { is_memory: true, ..ModRm::of_registers(byte, prefixes) }
    }

    /// Takes a byte of which the mod field does not count: both operands are registers.
    pub(super) fn fetch_registers(fetch: &mut Fetch, prefixes: &Prefixes) -> ModRm {
        ModRm::of_registers(fetch.byte(), prefixes)
    }

    #[inline]
    fn of_registers(byte: u8, prefixes: &Prefixes) -> ModRm {
        ModRm { reg: byte >> 3 & 7 | prefixes.rex_r(), rm: byte & 7 | prefixes.rex_b(), is_memory: false }
    }

    /// The register of the reg field: 0 to 15.
    #[inline]
    pub(super) fn reg_number(&self) -> u8 {
        self.reg
    }

    /// The reg field as more of the opcode: 0 to 7.
    #[inline]
    pub(super) fn group(&self) -> u8 {
        self.reg & 7
    }

    /// The r/m field of a register as more of the opcode: 0 to 7.
    #[inline]
    pub(super) fn rm_group(&self) -> u8 {
        self.rm & 7
    }

    /// The reg field as an operand.
    #[inline]
    pub(super) fn reg(&self, bytes: u8, prefixes: &Prefixes) -> Operand {
        Operand::Register(Register::operand(self.reg, bytes, prefixes))
    }

    /// The r/m field as an operand.
    #[inline]
    pub(super) fn rm(&self, bytes: u8, prefixes: &Prefixes) -> Operand {
        if self.is_memory { Operand::Memory } else { Operand::Register(Register::operand(self.rm, bytes, prefixes)) }
    }
}

/// Base, index, scale, displacement.
type Sum = (Base, Option<u8>, u8, u64);

/// 32-bit and 64-bit addresses.
#[inline]
fn long(fetch: &mut Fetch, prefixes: &Prefixes, byte: u8) -> Sum {
    let (mut base, mut index, mut scale) = (byte & 7, None, 0);
    let has_sib = base == 4;
    if has_sib {
        let sib = fetch.byte();
        base = sib & 7;
        let number = sib >> 3 & 7 | prefixes.rex_x();
        // SP can't be an index; R12 can.
        if number != 4 {
            index = Some(number);
            scale = sib >> 6;
        }
    }
    let start = Base::Register(base | prefixes.rex_b());
    match byte >> 6 {
        // BP and R13 without a displacement mean something else.
        0 if base != 5 => (start, index, scale, 0),
        0 if prefixes.mode == Mode::Bits64 && !has_sib => (Base::Rip, index, scale, fetch.signed(4)),
        0 => (Base::None, index, scale, fetch.signed(4)),
        1 => (start, index, scale, fetch.signed(1)),
        _ => (start, index, scale, fetch.signed(4)),
    }
}

/// 16-bit addresses.
#[inline(never)]
fn short(fetch: &mut Fetch, byte: u8) -> Sum {
    const BX: Base = Base::Register(3);
    const BP: Base = Base::Register(5);
    const SI: u8 = 6;
    const DI: u8 = 7;
    let (base, index) = match byte & 7 {
        0 => (BX, Some(SI)),
        1 => (BX, Some(DI)),
        2 => (BP, Some(SI)),
        3 => (BP, Some(DI)),
        4 => (Base::Register(SI), None),
        5 => (Base::Register(DI), None),
        6 if byte >> 6 == 0 => (Base::None, None),
        6 => (BP, None),
        _ => (BX, None),
    };
    let displacement = match byte >> 6 {
        0 if base != Base::None => 0,
        1 => fetch.signed(1),
        _ => fetch.signed(2),
    };
    (base, index, 0, displacement)
}

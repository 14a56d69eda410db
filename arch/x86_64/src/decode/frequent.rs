//! What drivers of devices are made of, decoded in a fraction of the time: MOV between a general register and memory at
//! a register and a displacement, or at an address that is written out (Linux accesses its local APIC so), in 64-bit mode, with no
//! prefix but REX.
//!
//! It gives what the general way gives, or nothing.

use super::{Address, Base, Code, Instruction, Operand, Operation, Register, Repeat, Segment};

/// The instruction at the beginning of `code`, if it is one of these.
#[inline]
pub(super) fn decode(code: Code) -> Option<Instruction> {
    // REX, opcode, ModRM, SIB and four bytes of displacement fit.
    let (mut rest, available) = code.first_eight();
    let mut rex = 0;
    if rest & 0xf0 == 0x40 {
        rex = rest as u8;
        rest >>= 8;
    }
    let (opcode, mod_rm) = (rest as u8, (rest >> 8) as u8);
    let (reg, rm) = (mod_rm >> 3 & 7, mod_rm & 7);
    // The stack pointer stands for SIB, and BP without a displacement for RIP.
    if opcode & 0xfc != 0x88 || mod_rm >= 0xc0 || mod_rm & 0xc7 == 5 {
        return None;
    }
    let operand_bytes = match (opcode & 1, rex & 8) {
        (0, _) if rex == 0 && reg >= 4 => return None, // AH and its like
        (0, _) => 1,
        (_, 0) => 4,
        _ => 8,
    };
    let number = rm | rex << 3 & 8;
    let after = rest >> 16;
    let (base, displacement_bytes, displacement) = match (rm, mod_rm >> 6) {
        // SIB without base and index.
        (4, 0) if after as u8 == 0x25 && rex & 3 == 0 => (Base::None, 5_u8, i64::from((after >> 8) as i32)),
        (4, _) => return None,
        (_, 0) => (Base::Register(number), 0, 0),
        (_, 1) => (Base::Register(number), 1, i64::from(after as i8)),
        _ => (Base::Register(number), 4, i64::from(after as i32)),
    };
    let length = displacement_bytes.wrapping_add(if rex == 0 { 2 } else { 3 });
    if length > available {
        return None;
    }
    let register = Operand::Register(Register::full(reg | rex << 1 & 8));
    let (destination, source) = if opcode & 2 == 0 { (Operand::Memory, register) } else { (register, Operand::Memory) };
    Some(Instruction {
        length,
        operand_bytes,
        address_bytes: 8,
        repeat: Repeat::No,
        is_locked: false,
        operation: Operation::Move,
        destination,
        source,
        memory: Some(Address {
            segment: if base == Base::Register(5) { Segment::Ss } else { Segment::Ds },
            base,
            index: None,
            scale: 0,
            bytes: 8,
            displacement: displacement as u64,
        }),
        immediate: 0,
    })
}

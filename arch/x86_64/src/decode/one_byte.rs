//! What opcodes of one byte do (APM volume 3, appendix A.1, primary opcode map).

use super::{
    Alu, Error, Operand, Operation, Register, Repeat, System, Unary, address::ModRm, operation::Meaning,
    prefix::Prefixes, table::Attributes,
};

const AX: Operand = Operand::Register(Register::AX);
const DX: Operand = Operand::Register(Register::DX);

/// What follows, now that the ModRM byte is known.
#[inline]
pub(super) fn attributes(attributes: Attributes, opcode: u8, mod_rm: &ModRm) -> Attributes {
    if opcode & 0xfe == 0xf6 && mod_rm.group() < 2 { attributes.with_test_immediate(opcode) } else { attributes }
}

/// What the instruction does. Of an opcode that is a group, what the group's field says.
pub(super) fn meaning(prefixes: &Prefixes, opcode: u8, mod_rm: &ModRm) -> Result<Meaning, Error> {
    let full = prefixes.operand_bytes();
    // Bit 0 of most opcodes chooses between bytes and the operand size.
    let bytes = if opcode & 1 == 0 { 1 } else { full };
    let group = mod_rm.group();
    let rm = |operation, source| Meaning::new(operation, bytes, mod_rm.rm(bytes, prefixes), source);
    Ok(match opcode {
        0x88 | 0x89 => Meaning::rm_reg(Operation::Move, bytes, mod_rm, prefixes),
        0x8a | 0x8b => Meaning::reg_rm(Operation::Move, bytes, mod_rm, prefixes),
        0x00..=0x3f => match (Operation::Alu(Alu::from_number(opcode >> 3)), opcode & 7) {
            (alu, 0 | 1) => Meaning::rm_reg(alu, bytes, mod_rm, prefixes),
            (alu, 2 | 3) => Meaning::reg_rm(alu, bytes, mod_rm, prefixes),
            (alu, 4 | 5) => Meaning::new(alu, bytes, AX, Operand::Immediate),
            _ => Meaning::OTHER,
        },
        0x63 if prefixes.is_64_bit() => {
            let operation = Operation::MoveExtended { source_bytes: full.min(4), is_signed: true };
            Meaning::reg_rm(operation, full, mod_rm, prefixes)
        }
        // Ports have at most 4 bytes.
        0x6c | 0x6d => Meaning::new(Operation::InString, bytes.min(4), Operand::Memory, DX).string(Register::DI),
        0x6e | 0x6f => Meaning::new(Operation::OutString, bytes.min(4), DX, Operand::Memory).string(Register::SI),
        0x80..=0x83 => rm(Operation::Alu(Alu::from_number(group)), Operand::Immediate),
        0x84 | 0x85 => Meaning::rm_reg(Operation::Test, bytes, mod_rm, prefixes),
        0x86 | 0x87 => Meaning::rm_reg(Operation::Exchange, bytes, mod_rm, prefixes),
        0x8c | 0x8e if group >= 6 || (opcode == 0x8e && group == 1) => return Err(Error::Undefined),
        0x8d if !mod_rm.is_memory => return Err(Error::Undefined),
        0x8f if group != 0 => return Err(Error::Undefined),
        0x90 if prefixes.repeat == Repeat::WhileEqual => Meaning::system(System::Pause),
        0x9c => Meaning::system(System::Pushf),
        0x9d => Meaning::system(System::Popf),
        0xa0 | 0xa1 => Meaning::new(Operation::Move, bytes, AX, Operand::Memory),
        0xa2 | 0xa3 => Meaning::new(Operation::Move, bytes, Operand::Memory, AX),
        0xa4 | 0xa5 => {
            Meaning::new(Operation::MoveString, bytes, Operand::Memory, Operand::Memory).string(Register::SI)
        }
        0xa8 | 0xa9 => Meaning::new(Operation::Test, bytes, AX, Operand::Immediate),
        0xaa | 0xab => Meaning::new(Operation::StoreString, bytes, Operand::Memory, AX).string(Register::DI),
        0xac | 0xad => Meaning::new(Operation::LoadString, bytes, AX, Operand::Memory).string(Register::SI),
        0xc6 | 0xc7 => match (group, mod_rm.is_memory) {
            (0, _) => rm(Operation::Move, Operand::Immediate),
            // XABORT, XBEGIN
            (7, false) => Meaning::OTHER,
            _ => return Err(Error::Undefined),
        },
        0xcc => Meaning::system(System::Int3),
        0xcd => Meaning { source: Operand::Immediate, ..Meaning::system(System::Int) },
        0xce => Meaning::system(System::Into),
        0xcf => Meaning::system(System::Iret),
        0xe4 | 0xe5 => Meaning::new(Operation::In, bytes.min(4), AX, Operand::Immediate),
        0xe6 | 0xe7 => Meaning::new(Operation::Out, bytes.min(4), Operand::Immediate, AX),
        0xec | 0xed => Meaning::new(Operation::In, bytes.min(4), AX, DX),
        0xee | 0xef => Meaning::new(Operation::Out, bytes.min(4), DX, AX),
        0xf1 => Meaning::system(System::Icebp),
        0xf4 => Meaning::system(System::Hlt),
        0xf6 | 0xf7 => match group {
            0 | 1 => rm(Operation::Test, Operand::Immediate),
            2 => rm(Operation::Unary(Unary::Not), Operand::None),
            3 => rm(Operation::Unary(Unary::Neg), Operand::None),
            _ => Meaning::OTHER,
        },
        0xfe | 0xff => match group {
            0 => rm(Operation::Unary(Unary::Inc), Operand::None),
            1 => rm(Operation::Unary(Unary::Dec), Operand::None),
            _ if opcode == 0xfe || group == 7 => return Err(Error::Undefined),
            // Far pointers are in memory.
            3 | 5 if !mod_rm.is_memory => return Err(Error::Undefined),
            _ => Meaning::OTHER,
        },
        _ => Meaning::OTHER,
    })
}

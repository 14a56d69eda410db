//! What opcodes after 0x0f do (APM volume 3, appendix A.1, secondary opcode map).

use super::{
    BitChange, Error, Operand, Operation, Repeat, System, address::ModRm, operation::Meaning, prefix::Prefixes,
    table::Attributes,
};

/// What follows the opcode.
#[inline]
pub(super) fn attributes(prefixes: &Prefixes, opcode: u8) -> Attributes {
    match opcode {
        // EXTRQ and INSERTQ of SSE4a have two immediates; without a prefix it is VMREAD.
        0x78 => match (prefixes.repeat, prefixes.has_operand_size) {
            (Repeat::WhileNotEqual, _) | (Repeat::No, true) => Attributes::MOD_RM_WORD,
            (Repeat::WhileEqual, _) => Attributes::UNDEFINED,
            (Repeat::No, false) => Attributes::two_byte(opcode),
        },
        _ => Attributes::two_byte(opcode),
    }
}

/// What the instruction does.
pub(super) fn meaning(prefixes: &Prefixes, opcode: u8, mod_rm: &ModRm) -> Result<Meaning, Error> {
    let full = prefixes.operand_bytes();
    let bytes = if opcode & 1 == 0 { 1 } else { full };
    let rm_reg = |operation, bytes| Meaning::rm_reg(operation, bytes, mod_rm, prefixes);
    Ok(match opcode {
        0x00 => return group_6(prefixes, mod_rm),
        0x01 => group_7(prefixes, mod_rm),
        0x06 => Meaning::system(System::Clts),
        0x08 => Meaning::system(System::Invd),
        0x09 if prefixes.repeat == Repeat::WhileEqual => Meaning::system(System::Wbnoinvd),
        0x09 => Meaning::system(System::Wbinvd),
        0x20..=0x23 => return control_or_debug(prefixes, opcode, mod_rm),
        0x30 => Meaning::system(System::Wrmsr),
        0x31 => Meaning::system(System::Rdtsc),
        0x32 => Meaning::system(System::Rdmsr),
        0x33 => Meaning::system(System::Rdpmc),
        0xa2 => Meaning::system(System::Cpuid),
        0xa3 => rm_reg(Operation::Bit(BitChange::None), full),
        0xaa => Meaning::system(System::Rsm),
        0xab => rm_reg(Operation::Bit(BitChange::Set), full),
        0xb0 | 0xb1 => rm_reg(Operation::CompareExchange, bytes),
        0xb3 => rm_reg(Operation::Bit(BitChange::Reset), full),
        0xb6 | 0xb7 | 0xbe | 0xbf => {
            let source_bytes = if opcode & 1 == 0 { 1 } else { 2 };
            let operation = Operation::MoveExtended { source_bytes, is_signed: opcode & 8 != 0 };
            Meaning::new(operation, full, mod_rm.reg(full, prefixes), mod_rm.rm(source_bytes, prefixes))
        }
        0xba => match BitChange::from_group(mod_rm.group()) {
            Some(change) => Meaning::new(Operation::Bit(change), full, mod_rm.rm(full, prefixes), Operand::Immediate),
            None => return Err(Error::Undefined),
        },
        0xbb => rm_reg(Operation::Bit(BitChange::Complement), full),
        0xc0 | 0xc1 => rm_reg(Operation::ExchangeAdd, bytes),
        0xc3 if !mod_rm.is_memory || prefixes.select() => return Err(Error::Undefined),
        0xc3 => rm_reg(Operation::Move, full.max(4)),
        0xc7 if mod_rm.group() == 1 && mod_rm.is_memory => {
            Meaning { operation: Operation::CompareExchangePair, ..Meaning::OTHER }
        }
        _ => Meaning::OTHER,
    })
}

/// What opcodes after 0x0f 0x38 do.
pub(super) fn meaning_38(prefixes: &Prefixes, opcode: u8, mod_rm: &ModRm) -> Meaning {
    let full = prefixes.operand_bytes();
    match opcode {
        0x82 if prefixes.has_operand_size && prefixes.repeat == Repeat::No && mod_rm.is_memory => {
            Meaning::system(System::Invpcid)
        }
        0xf0 | 0xf1 if prefixes.repeat != Repeat::No || !mod_rm.is_memory => Meaning::OTHER,
        0xf0 => Meaning::reg_rm(Operation::MoveReversed, full, mod_rm, prefixes),
        0xf1 => Meaning::rm_reg(Operation::MoveReversed, full, mod_rm, prefixes),
        _ => Meaning::OTHER,
    }
}

/// Local descriptor table and task register.
fn group_6(prefixes: &Prefixes, mod_rm: &ModRm) -> Result<Meaning, Error> {
    let stored = if mod_rm.is_memory { 2 } else { prefixes.operand_bytes() };
    let store = |system| Meaning::new(Operation::System(system), stored, mod_rm.rm(stored, prefixes), Operand::None);
    let load = |system| Meaning::new(Operation::System(system), 2, Operand::None, mod_rm.rm(2, prefixes));
    Ok(match mod_rm.group() {
        0 => store(System::Sldt),
        1 => store(System::Str),
        2 => load(System::Lldt),
        3 => load(System::Ltr),
        // VERR, VERW; LKGS
        4 | 5 => Meaning::OTHER,
        6 if prefixes.repeat == Repeat::WhileNotEqual => Meaning::OTHER,
        _ => return Err(Error::Undefined),
    })
}

/// Descriptor tables and, where the operand is a register, much else.
fn group_7(prefixes: &Prefixes, mod_rm: &ModRm) -> Meaning {
    let stored = if mod_rm.is_memory { 2 } else { prefixes.operand_bytes() };
    let system = Operation::System;
    match mod_rm.group() {
        4 => Meaning::new(system(System::Smsw), stored, mod_rm.rm(stored, prefixes), Operand::None),
        6 => Meaning::new(system(System::Lmsw), 2, Operand::None, mod_rm.rm(2, prefixes)),
        group if mod_rm.is_memory => match group {
            0 => Meaning { destination: Operand::Memory, ..Meaning::system(System::Sgdt) },
            1 => Meaning { destination: Operand::Memory, ..Meaning::system(System::Sidt) },
            2 => Meaning { source: Operand::Memory, ..Meaning::system(System::Lgdt) },
            3 => Meaning { source: Operand::Memory, ..Meaning::system(System::Lidt) },
            7 => Meaning { source: Operand::Memory, ..Meaning::system(System::Invlpg) },
            _ => Meaning::OTHER,
        },
        group => match (group, mod_rm.rm_group()) {
            (3, 0) => Meaning::system(System::Vmrun),
            // Else VMGEXIT.
            (3, 1) if prefixes.repeat == Repeat::No => Meaning::system(System::Vmmcall),
            (3, 2) => Meaning::system(System::Vmload),
            (3, 3) => Meaning::system(System::Vmsave),
            (3, 4) => Meaning::system(System::Stgi),
            (3, 5) => Meaning::system(System::Clgi),
            (3, 6) => Meaning::system(System::Skinit),
            (3, 7) => Meaning::system(System::Invlpga),
            (7, 1) => Meaning::system(System::Rdtscp),
            // Prefixes make other instructions of these.
            _ if prefixes.select() => Meaning::OTHER,
            (0, 1) => Meaning::system(System::Vmcall),
            (1, 0) => Meaning::system(System::Monitor),
            (1, 1) => Meaning::system(System::Mwait),
            (2, 1) => Meaning::system(System::Xsetbv),
            (7, 2) => Meaning::system(System::Monitorx),
            (7, 3) => Meaning::system(System::Mwaitx),
            (7, 5) => Meaning::system(System::Rdpru),
            _ => Meaning::OTHER,
        },
    }
}

fn control_or_debug(prefixes: &Prefixes, opcode: u8, mod_rm: &ModRm) -> Result<Meaning, Error> {
    let mut number = mod_rm.reg_number();
    let is_control = opcode & 1 == 0;
    // LOCK MOV CR0 is CR8 (CPUID's AltMovCr8), for those that have no REX.
    let exists = match (is_control, prefixes.is_locked) {
        (true, false) => matches!(number, 0 | 2 | 3 | 4 | 8),
        (true, true) => number == 0,
        (false, _) => number < 8,
    };
    if !exists {
        return Err(Error::Undefined);
    }
    if prefixes.is_locked {
        number = 8;
    }
    let bytes = if prefixes.is_64_bit() { 8 } else { 4 };
    let register = mod_rm.rm(bytes, prefixes);
    let system = match opcode {
        0x20 => System::ReadControl(number),
        0x21 => System::ReadDebug(number),
        0x22 => System::WriteControl(number),
        _ => System::WriteDebug(number),
    };
    let (destination, source) = if opcode < 0x22 { (register, Operand::None) } else { (Operand::None, register) };
    Ok(Meaning::new(Operation::System(system), bytes, destination, source))
}

//! Doing what an instruction does that touched a device's memory.
//!
//! The caller reads the memory if [`Instruction::reads_memory`], calls [`Instruction::apply`], and writes what that gives
//! back. Of a string operation that is one element: RIP moves on when the last is done.

use super::{
    Address, Base, Instruction, Operand, Operation, Register, Registers, Repeat, Segment, alu::flags::DF,
    register::mask,
};

/// What is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What goes to memory, in the low bytes of [`Instruction::memory_bytes`].
    pub write: Option<u64>,
    /// The instruction is done; else it goes on with its next element.
    pub is_done: bool,
}

impl Instruction {
    /// How many bytes it reads or writes in memory, if it can be emulated and its operand is in memory: 1, 2, 4 or 8.
    pub fn memory_bytes(&self) -> Option<u8> {
        match self.operation {
            _ if self.destination != Operand::Memory && self.source != Operand::Memory => None,
            Operation::MoveExtended { source_bytes, .. } => Some(source_bytes),
            Operation::In
            | Operation::Out
            | Operation::InString
            | Operation::OutString
            | Operation::System(_)
            | Operation::CompareExchangePair
            | Operation::Other => None,
            _ => Some(self.operand_bytes),
        }
    }

    /// Whether it needs the old value.
    pub fn reads_memory(&self) -> bool {
        self.source == Operand::Memory
            || !matches!(self.operation, Operation::Move | Operation::MoveReversed | Operation::StoreString)
    }

    /// The offset of the memory operand in its segment. `next_rip` is the address after the instruction.
    pub fn memory_offset(&self, registers: &impl Registers, next_rip: u64) -> Option<u64> {
        let address = self.memory?;
        let offset = address.offset(registers, next_rip);
        let (Operation::Bit(_), Operand::Register(source)) = (self.operation, self.source) else { return Some(offset) };
        // A bit's number in a register may be far away, and negative: whole operands from the address (APM volume 3, BT).
        let unused = 64_u32.wrapping_sub(u32::from(self.operand_bytes).wrapping_mul(8));
        let number = source.read(registers, self.operand_bytes).wrapping_shl(unused) as i64;
        let number = number.wrapping_shr(unused);
        let bits = i64::from(self.operand_bytes).wrapping_mul(8);
        let elements = number.checked_div_euclid(bits).unwrap_or(0);
        let displacement = elements.wrapping_mul(self.operand_bytes.into()) as u64;
        Some(offset.wrapping_add(displacement) & mask(address.bytes))
    }

    /// Where MOVS stores: the memory at ES:DI.
    pub fn string_destination(&self) -> Address {
        Address {
            segment: Segment::Es,
            base: Base::Register(Register::DI.number()),
            index: None,
            scale: 0,
            bytes: self.address_bytes,
            displacement: 0,
        }
    }

    /// Whether REP has nothing to do: then it reads and writes nothing.
    pub fn is_empty(&self, registers: &impl Registers) -> bool {
        self.repeats() && Register::CX.read(registers, self.address_bytes) == 0
    }

    /// Does it, with `read` from memory (zero if it reads nothing). For those only that have [`Instruction::memory_bytes`]; others
    /// change nothing.
    pub fn apply(&self, registers: &mut impl Registers, read: u64) -> Applied {
        let bytes = self.operand_bytes;
        let Some(memory_bytes) = self.memory_bytes() else { return Applied { write: None, is_done: true } };
        let read = read & mask(memory_bytes);
        let value_of = |operand, registers: &_| match operand {
            Operand::Memory => read,
            Operand::Immediate => self.immediate & mask(bytes),
            Operand::Register(register) => Register::read(register, registers, bytes),
            Operand::None => 0,
        };
        let source = value_of(self.source, registers);
        if self.operation == Operation::Move {
            self.store(self.destination, registers, source);
            return Applied { write: (self.destination == Operand::Memory).then_some(source), is_done: true };
        }
        let old = value_of(self.destination, registers);
        let flags = registers.flags();
        let result = match self.operation {
            Operation::MoveExtended { source_bytes, is_signed } => Some(extended(source, source_bytes, is_signed)),
            Operation::MoveReversed => Some(reversed(source, bytes)),
            Operation::Alu(alu) => {
                let (value, flags) = alu.compute(bytes, old, source, flags);
                registers.set_flags(flags);
                (alu != super::Alu::Cmp).then_some(value)
            }
            Operation::Test => {
                registers.set_flags(super::Alu::And.compute(bytes, old, source, flags).1);
                None
            }
            Operation::Unary(unary) => {
                let (value, flags) = unary.compute(bytes, old, flags);
                registers.set_flags(flags);
                Some(value)
            }
            Operation::Exchange => {
                self.store(self.source, registers, old);
                Some(source)
            }
            Operation::ExchangeAdd => {
                let (sum, flags) = super::Alu::Add.compute(bytes, old, source, flags);
                registers.set_flags(flags);
                self.store(self.source, registers, old);
                Some(sum)
            }
            Operation::CompareExchange => {
                let expected = Register::AX.read(registers, bytes);
                registers.set_flags(super::Alu::Cmp.compute(bytes, expected, old, flags).1);
                if expected == old {
                    Some(source)
                } else {
                    Register::AX.write(registers, bytes, old);
                    // It is written in any case (APM volume 3, CMPXCHG).
                    Some(old)
                }
            }
            Operation::Bit(change) => {
                let (value, flags) = change.compute(bytes, old, source, flags);
                registers.set_flags(flags);
                (change != super::BitChange::None).then_some(value)
            }
            Operation::StoreString | Operation::LoadString | Operation::MoveString => {
                self.advance(registers);
                Some(source)
            }
            _ => None,
        };
        let write = match (self.destination, result) {
            (Operand::Memory, result) => result,
            (Operand::Register(register), Some(value)) => {
                register.write(registers, bytes, value);
                None
            }
            _ => None,
        };
        Applied { write, is_done: !self.repeats() || self.is_empty(registers) }
    }

    fn store(&self, operand: Operand, registers: &mut impl Registers, value: u64) {
        if let Operand::Register(register) = operand {
            register.write(registers, self.operand_bytes, value);
        }
    }

    fn repeats(&self) -> bool {
        let is_string = matches!(
            self.operation,
            Operation::StoreString
                | Operation::LoadString
                | Operation::MoveString
                | Operation::InString
                | Operation::OutString
        );
        is_string && self.repeat != Repeat::No
    }

    /// Moves SI, DI and CX on by one element of a string operation.
    pub fn advance(&self, registers: &mut impl Registers) {
        let step = if registers.flags() & DF == 0 {
            u64::from(self.operand_bytes)
        } else {
            u64::from(self.operand_bytes).wrapping_neg()
        };
        let mut move_on = |register: Register, step| {
            let value = register.read(registers, self.address_bytes).wrapping_add(step);
            register.write(registers, self.address_bytes, value);
        };
        if self.source == Operand::Memory {
            move_on(Register::SI, step);
        }
        if self.destination == Operand::Memory {
            move_on(Register::DI, step);
        }
        if self.repeats() {
            move_on(Register::CX, u64::MAX);
        }
    }
}

fn extended(value: u64, bytes: u8, is_signed: bool) -> u64 {
    match (is_signed, bytes) {
        (false, _) => value,
        (true, 1) => value as i8 as u64,
        (true, 2) => value as i16 as u64,
        (true, _) => value as i32 as u64,
    }
}

fn reversed(value: u64, bytes: u8) -> u64 {
    match bytes {
        2 => (value as u16).swap_bytes().into(),
        4 => (value as u32).swap_bytes().into(),
        _ => value.swap_bytes(),
    }
}

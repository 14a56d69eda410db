//! String operations, an element at a time: INS and OUTS, whose one end is a port, and STOS, LODS, MOVS, of which an end is not
//! memory.

use model::Gpa;

use super::emulate::{After, Hand};
use super::{Done, Vcpu};
use crate::coverage::{self, Way};
use crate::decode::{Address, Instruction, Operation, Register};
use crate::exit::{Access, At};

impl Vcpu {
    /// The linear address of a string operation's end.
    fn end(&self, address: &Address) -> u64 {
        self.linear(address.segment, address.offset(self, 0))
    }

    /// INS or OUTS at `port`.
    #[cold]
    pub(super) fn port_string(&mut self, port: u16) -> Done {
        let Some(instruction) = self.instruction().or_else(|| self.no_instruction()) else { return Done::Yes };
        let Some(address) = instruction.memory else { return Done::Yes };
        if instruction.is_empty(self) {
            self.step_over(instruction.length);
            return Done::Yes;
        }
        let bytes = instruction.operand_bytes;
        let is_in = instruction.operation == Operation::InString;
        coverage::took(if is_in { Way::InString } else { Way::OutString });
        let linear = self.end(&address);
        let gpa = match self.find_operand(linear, bytes, is_in) {
            Ok(gpa) => gpa,
            Err(done) => return done,
        };
        // From one device to another: nobody does that.
        if self.guest.memory.find(gpa, is_in).is_none() {
            return self.cannot(gpa, instruction.length);
        }
        let store = match instruction.operation {
            Operation::InString => None,
            Operation::OutString => self.guest.memory.load(gpa, bytes),
            _ => return Done::Yes,
        };
        self.hand = Hand::PortElement(instruction, is_in.then_some(gpa));
        self.settle(Access { at: At::Port(port), size_bytes: bytes, store, transfer: () })
    }

    /// The port has given an element, or taken it.
    #[cold]
    pub(super) fn finish_element(&mut self, instruction: &Instruction, to: Option<Gpa>, value: u64) {
        if let Some(gpa) = to {
            self.guest.memory.store(gpa, instruction.operand_bytes, value);
        }
        self.advance(instruction);
    }

    /// STOS, LODS or MOVS where no memory is at one end at least.
    #[cold]
    pub(super) fn memory_string(&mut self, instruction: &Instruction) -> Done {
        coverage::took(Way::String);
        let Some(address) = instruction.memory else { return Done::Yes };
        let bytes = instruction.operand_bytes;
        let linear = self.end(&address);
        let is_store = instruction.operation == Operation::StoreString;
        let gpa = match self.find_operand(linear, bytes, is_store) {
            Ok(gpa) => gpa,
            Err(done) => return done,
        };
        let load = Access { at: At::Memory(gpa), size_bytes: bytes, store: None, transfer: () };
        match instruction.operation {
            Operation::StoreString => {
                let value = Register::AX.read(self, bytes);
                self.hand = Hand::Next(*instruction, gpa, value, After::Advance);
                self.settle_next()
            }
            Operation::LoadString => {
                self.hand = Hand::Load(*instruction, gpa);
                self.settle(load)
            }
            _ => {
                let to = self.end(&instruction.string_destination());
                let to = match self.find_operand(to, bytes, true) {
                    Ok(to) => to,
                    Err(done) => return done,
                };
                self.hand = Hand::Moved(*instruction, to);
                match self.guest.memory.load(gpa, bytes) {
                    Some(value) => {
                        self.finish(&load, value);
                        self.settle_next()
                    }
                    None => self.settle(load),
                }
            }
        }
    }

    /// MOVS has its element: it goes to memory, or becomes a store of its own.
    #[cold]
    pub(super) fn finish_moved(&mut self, instruction: &Instruction, to: Gpa, value: u64) {
        if self.guest.memory.store(to, instruction.operand_bytes, value) {
            self.advance(instruction);
        } else {
            self.hand = Hand::Next(*instruction, to, value, After::Advance);
        }
    }

    /// Answers the access that the hand has ready.
    fn settle_next(&mut self) -> Done {
        match self.go_on() {
            Some(exit) => Done::Exit(exit),
            None => Done::Yes,
        }
    }
}

//! Instructions taken apart: what a guest did, where the CPU does not say it (APM volume 3).
//!
//! Two uses. A nested page fault gives an address and no more: the instruction says which register, how wide, and what else it
//! changes ([`Instruction::apply`] does that). And a CPU without next-RIP saving does not say how long the instruction is that
//! left the guest, nor one without decode assists which control register it names.
//!
//! What can be emulated, and what leaves a guest, has an [`Operation`] of its own. Of every other instruction the length
//! is known: [`Operation::Other`] does not promise that it is defined. [`Error::Undefined`] is certain.
//!
//! | step | where |
//! |---|---|
//! | bytes, at most 15 | [`fetch`] |
//! | prefixes | [`prefix`] |
//! | opcode: has it a ModRM byte, which immediate | [`table`]; [`vector`] for VEX, EVEX and XOP |
//! | ModRM, SIB, displacement | [`address`] |
//! | what it does | [`one_byte`], [`two_byte`] |
//! | doing it | [`apply`], [`alu`] |
#![forbid(unsafe_code)]

mod address;
mod alu;
mod apply;
mod fetch;
mod one_byte;
mod operation;
mod prefix;
mod register;
mod table;
#[cfg(test)]
mod tests;
mod two_byte;
mod vector;

pub use address::{Address, Base, Segment};
pub use alu::{Alu, BitChange, Unary, flags};
pub use apply::Applied;
pub use operation::{Operand, Operation, System};
pub use prefix::{Mode, Repeat};
pub use register::{Register, Registers};

use address::ModRm;
use fetch::Fetch;
use operation::Meaning;
use prefix::Prefixes;
use table::Attributes;

/// Most bytes an instruction has (APM volume 3, 1.1).
pub const MAX_BYTES: usize = 15;

/// An instruction taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Its bytes, prefixes included: 1 to 15.
    pub length: u8,
    /// How wide the operation is: 1, 2, 4 or 8. Of a load that extends, the destination.
    pub operand_bytes: u8,
    /// How wide addresses and the counter of REP are: 2, 4 or 8.
    pub address_bytes: u8,
    /// The REP prefix, whether or not the instruction heeds it.
    pub repeat: Repeat,
    /// LOCK.
    pub is_locked: bool,
    /// What it does.
    pub operation: Operation,
    /// Where the result goes, and the first source of what changes it.
    pub destination: Operand,
    /// What comes in besides.
    pub source: Operand,
    /// The operand in memory, if there is one: of ModRM, of an absolute move, or of a string operation (of MOVS the source;
    /// see [`Instruction::string_destination`]). None for VEX, EVEX and XOP.
    pub memory: Option<Address>,
    /// The immediate or zero: sign-extended, but ports, vectors and numbers of bits.
    pub immediate: u64,
}

/// Why there is no instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The bytes end within the instruction: it goes on in the next page.
    NeedsMoreBytes,
    /// It is longer than 15 bytes: #GP(0) (APM volume 2, 8.2.14).
    TooLong,
    /// The opcode is undefined, or LOCK may not stand before it: #UD (APM volume 2, 8.2.7).
    Undefined,
}

/// The instruction that `bytes` begin with. Bytes after it, and after the fifteenth, do not matter.
pub fn decode(bytes: &[u8], mode: Mode) -> Result<Instruction, Error> {
    let mut fetch = Fetch::new(bytes);
    let (prefixes, opcode) = Prefixes::fetch(&mut fetch, mode)?;
    let attributes = Attributes::one_byte(opcode);
    if attributes.is_special() {
        return special(&mut fetch, &prefixes, opcode);
    }
    if attributes.is_undefined(mode) {
        return Err(Error::Undefined);
    }
    let mod_rm = attributes.mod_rm(&mut fetch, &prefixes)?;
    let attributes = one_byte::attributes(attributes, opcode, &mod_rm);
    let (immediate, memory) = attributes.immediate(&mut fetch, &prefixes)?;
    let memory = memory.or(mod_rm.memory);
    let meaning = one_byte::meaning(&prefixes, opcode, &mod_rm)?;
    finish(&fetch, &prefixes, meaning, memory, immediate)
}

/// Escapes to other maps.
fn special(fetch: &mut Fetch<'_>, prefixes: &Prefixes, opcode: u8) -> Result<Instruction, Error> {
    if opcode != table::ESCAPE {
        return match vector::skip(fetch, prefixes, opcode)? {
            vector::Skipped::Vector => finish(fetch, prefixes, Meaning::OTHER, None, 0),
            vector::Skipped::Legacy => {
                // LES, LDS, BOUND, POP: what stands where the longer prefixes begin.
                let mod_rm = ModRm::fetch(fetch, prefixes)?;
                let meaning = one_byte::meaning(prefixes, opcode, &mod_rm)?;
                finish(fetch, prefixes, meaning, mod_rm.memory, 0)
            }
        };
    }
    let opcode = fetch.byte()?;
    match opcode {
        table::ESCAPE_38 => {
            let opcode = fetch.byte()?;
            let mod_rm = ModRm::fetch(fetch, prefixes)?;
            finish(fetch, prefixes, two_byte::meaning_38(prefixes, opcode, &mod_rm), mod_rm.memory, 0)
        }
        table::ESCAPE_3A => {
            fetch.byte()?;
            let mod_rm = ModRm::fetch(fetch, prefixes)?;
            fetch.byte()?;
            finish(fetch, prefixes, Meaning::OTHER, mod_rm.memory, 0)
        }
        _ => {
            let attributes = two_byte::attributes(prefixes, opcode);
            if attributes.is_undefined(prefixes.mode) {
                return Err(Error::Undefined);
            }
            let mod_rm = if two_byte::names_only_registers(opcode) {
                ModRm::fetch_registers(fetch, prefixes)?
            } else {
                attributes.mod_rm(fetch, prefixes)?
            };
            let (immediate, _) = attributes.immediate(fetch, prefixes)?;
            let meaning = two_byte::meaning(prefixes, opcode, &mod_rm)?;
            finish(fetch, prefixes, meaning, mod_rm.memory, immediate)
        }
    }
}

#[inline]
fn finish(
    fetch: &Fetch<'_>,
    prefixes: &Prefixes,
    meaning: Meaning,
    memory: Option<Address>,
    immediate: u64,
) -> Result<Instruction, Error> {
    if prefixes.is_locked && !meaning.may_be_locked() {
        return Err(Error::Undefined);
    }
    Ok(Instruction {
        length: fetch.taken(),
        operand_bytes: meaning.bytes,
        address_bytes: prefixes.address_bytes(),
        repeat: prefixes.repeat,
        is_locked: prefixes.is_locked,
        operation: meaning.operation,
        destination: meaning.destination,
        source: meaning.source,
        memory: match meaning.operation {
            Operation::StoreString | Operation::InString => Some(Address::string(prefixes, Register::DI)),
            Operation::LoadString | Operation::MoveString | Operation::OutString => {
                Some(Address::string(prefixes, Register::SI))
            }
            _ => memory,
        },
        immediate: match meaning.operation {
            // Ports, vectors and numbers of bits have no sign.
            Operation::In | Operation::Out | Operation::Bit(_) | Operation::System(_) => immediate & 0xff,
            _ => immediate,
        },
    })
}

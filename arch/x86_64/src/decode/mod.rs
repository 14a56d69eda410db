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
//! | all of it, for the most frequent loads and stores | [`frequent`] |
//! | doing it | [`apply`], [`alu`] |
#![forbid(unsafe_code)]

mod address;
mod alu;
mod apply;
mod fetch;
mod frequent;
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
pub use fetch::Code;
pub use operation::{Operand, Operation, System};
pub use prefix::{Mode, Repeat};
pub use register::{Register, Registers};

use crate::inject::Event;
use fetch::Fetch;
use operation::Meaning;
use prefix::Prefixes;
use table::Attributes;

/// Most bytes an instruction has (APM volume 3, 1.1).
pub const MAX_BYTES: u8 = 15;

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

impl Error {
    /// What the guest takes for it; `None` if nobody knows yet.
    pub const fn event(self) -> Option<Event> {
        match self {
            Error::NeedsMoreBytes => None,
            Error::TooLong => Some(Event::PROTECTION),
            Error::Undefined => Some(Event::UNDEFINED),
        }
    }
}

/// Where an opcode is looked up.
enum Map {
    /// Alone.
    OneByte,
    /// After 0x0f.
    TwoByte,
    /// After 0x0f 0x38.
    ThreeByte38,
    /// Nothing in it has a meaning here.
    Other,
    /// The same, and operands in memory don't look as others.
    Vector,
}

/// The instruction that `code` begins with.
#[inline]
pub fn decode(code: Code, mode: Mode) -> Result<Instruction, Error> {
    if mode == Mode::Bits64
        && let Some(instruction) = frequent::decode(code)
    {
        return Ok(instruction);
    }
    decode_any(code, mode)
}

#[inline(never)]
fn decode_any(code: Code, mode: Mode) -> Result<Instruction, Error> {
    let mut fetch = Fetch::new(code);
    let (prefixes, opcode, attributes) = Prefixes::fetch(&mut fetch, mode);
    let (map, opcode, attributes) = if attributes.is_special() {
        escape(&mut fetch, &prefixes, opcode)
    } else {
        (Map::OneByte, opcode, attributes)
    };
    let mut memory = None;
    let mod_rm = attributes.mod_rm(&mut fetch, &prefixes, &mut memory);
    let attributes = match map {
        Map::OneByte => one_byte::attributes(attributes, opcode, &mod_rm),
        _ => attributes,
    };
    let immediate = attributes.immediate(&mut fetch, &prefixes, &mut memory);
    // What was not there to be fetched says nothing of what is.
    let length = fetch.end()?;
    if attributes.is_undefined(mode) {
        return Err(Error::Undefined);
    }
    let meaning = match map {
        Map::OneByte => one_byte::meaning(&prefixes, opcode, &mod_rm)?,
        Map::TwoByte => two_byte::meaning(&prefixes, opcode, &mod_rm)?,
        Map::ThreeByte38 => two_byte::meaning_38(&prefixes, opcode, &mod_rm),
        Map::Other | Map::Vector => Meaning::OTHER,
    };
    if prefixes.is_locked && !meaning.may_be_locked() {
        return Err(Error::Undefined);
    }
    Ok(Instruction {
        length,
        operand_bytes: meaning.bytes,
        address_bytes: prefixes.address_bytes(),
        repeat: prefixes.repeat,
        is_locked: prefixes.is_locked,
        operation: meaning.operation,
        destination: meaning.destination,
        source: meaning.source,
        memory: match (meaning.string, map) {
            (Some(register), _) => Some(Address::string(&prefixes, register)),
            (None, Map::Vector) => None,
            _ => memory,
        },
        immediate,
    })
}

/// The map that `opcode` leads to, the opcode there, and what follows.
fn escape(fetch: &mut Fetch, prefixes: &Prefixes, opcode: u8) -> (Map, u8, Attributes) {
    if opcode != table::ESCAPE {
        return match vector::attributes(fetch, prefixes, opcode) {
            Some(attributes) => (Map::Vector, opcode, attributes),
            None => (Map::OneByte, opcode, Attributes::MOD_RM),
        };
    }
    match fetch.byte() {
        table::ESCAPE_38 => (Map::ThreeByte38, fetch.byte(), Attributes::MOD_RM),
        table::ESCAPE_3A => (Map::Other, fetch.byte(), Attributes::MOD_RM_BYTE),
        opcode => (Map::TwoByte, opcode, two_byte::attributes(prefixes, opcode)),
    }
}

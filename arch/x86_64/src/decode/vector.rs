//! Instructions behind the long prefixes VEX, EVEX and XOP (APM volume 4, 1.2; volume 6): only how long they are.
//!
//! The prefixes begin with opcodes that are older. In 64-bit mode those are gone; in the others they are instructions
//! that can't have a register as operand, and so the two top bits of the next byte tell.

use super::{Error, Repeat, address::ModRm, fetch::Fetch, prefix::Prefixes};

const EVEX: u8 = 0x62;
const XOP: u8 = 0x8f;
const VEX3: u8 = 0xc4;

/// What an opcode turned out to be.
pub(super) enum Skipped {
    /// One of them, taken to its end.
    Vector,
    /// The older instruction; nothing is taken after its opcode.
    Legacy,
}

/// Takes the rest of an instruction that begins with `opcode`.
#[inline(never)]
pub(super) fn skip(fetch: &mut Fetch<'_>, prefixes: &Prefixes, opcode: u8) -> Result<Skipped, Error> {
    let first = fetch.peek()?;
    let is_vector = match opcode {
        // POP has 0 in the field where XOP's map is, from 8 up.
        XOP => first & 0x1f >= 8,
        _ => prefixes.is_64_bit() || first >= 0xc0,
    };
    if !is_vector {
        return Ok(Skipped::Legacy);
    }
    if prefixes.has_rex() || prefixes.has_operand_size || prefixes.repeat != Repeat::No || prefixes.is_locked {
        return Err(Error::Undefined);
    }
    fetch.skip(1)?;
    let map = match opcode {
        EVEX => {
            fetch.skip(2)?;
            first & 7
        }
        XOP | VEX3 => {
            fetch.skip(1)?;
            first & 0x1f
        }
        _ => 1,
    };
    let opcode_in_map = fetch.byte()?;
    let (has_mod_rm, immediate_bytes) = match (opcode, map, opcode_in_map) {
        (XOP, 8, _) => (true, 1),
        (XOP, 9, _) => (true, 0),
        (XOP, 10, _) => (true, 4),
        (XOP, _, _) => return Err(Error::Undefined),
        // VZEROUPPER, VZEROALL.
        (_, 1, 0x77) => (false, 0),
        (_, 1, 0x70..=0x73 | 0xc2 | 0xc4..=0xc6) => (true, 1),
        (_, 1 | 2, _) => (true, 0),
        (_, 3, _) => (true, 1),
        // Half precision.
        (EVEX, 5 | 6, _) => (true, 0),
        _ => return Err(Error::Undefined),
    };
    if has_mod_rm {
        ModRm::fetch(fetch, prefixes)?;
    }
    fetch.skip(immediate_bytes)?;
    Ok(Skipped::Vector)
}

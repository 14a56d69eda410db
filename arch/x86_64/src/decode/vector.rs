//! Instructions behind the long prefixes VEX, EVEX and XOP (APM volume 4, 1.2; volume 6): only how long they are.
//!
//! The prefixes begin with opcodes that are older. In 64-bit mode those are gone; in the others they are instructions
//! that can't have a register as operand, and so the two top bits of the next byte tell.

use super::{Repeat, fetch::Fetch, prefix::Prefixes, table::Attributes};

const EVEX: u8 = 0x62;
const XOP: u8 = 0x8f;
const VEX3: u8 = 0xc4;

/// What follows the opcode of such an instruction, which is taken; `None` if it is the older one: LES, LDS, BOUND or POP. Then nothing
/// is taken after `opcode`.
#[inline(never)]
pub(super) fn attributes(fetch: &mut Fetch, prefixes: &Prefixes, opcode: u8) -> Option<Attributes> {
    let first = fetch.peek();
    let is_vector = match opcode {
        // POP has 0 in the field where XOP's map is, from 8 up.
        XOP => first & 0x1f >= 8,
        _ => prefixes.is_64_bit() || first >= 0xc0,
    };
    if !is_vector {
        return None;
    }
    if prefixes.has_rex() || prefixes.has_operand_size || prefixes.repeat != Repeat::No || prefixes.is_locked {
        return Some(Attributes::UNDEFINED);
    }
    let (bytes, map) = match opcode {
        EVEX => (3, first & 7),
        XOP | VEX3 => (2, first & 0x1f),
        _ => (1, 1),
    };
    fetch.skip(bytes);
    let opcode_in_map = fetch.byte();
    Some(match (opcode, map, opcode_in_map) {
        (XOP, 8, _) => Attributes::MOD_RM_BYTE,
        (XOP, 9, _) => Attributes::MOD_RM,
        (XOP, 10, _) => Attributes::MOD_RM_QUAD,
        (XOP, _, _) => Attributes::UNDEFINED,
        // VZEROUPPER, VZEROALL.
        (_, 1, 0x77) => Attributes::NOTHING,
        (_, 1, 0x70..=0x73 | 0xc2 | 0xc4..=0xc6) => Attributes::MOD_RM_BYTE,
        (_, 1 | 2, _) => Attributes::MOD_RM,
        (_, 3, _) => Attributes::MOD_RM_BYTE,
        // Half precision.
        (EVEX, 5 | 6, _) => Attributes::MOD_RM,
        _ => Attributes::UNDEFINED,
    })
}

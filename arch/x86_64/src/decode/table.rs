//! Which bytes follow an opcode (APM volume 3, appendix A.1: the opcode maps).

use super::{Address, Mode, address::ModRm, fetch::Fetch, prefix::Prefixes};

/// Leads to the second map.
pub(super) const ESCAPE: u8 = 0x0f;
/// In the second map: lead to two more.
pub(super) const ESCAPE_38: u8 = 0x38;
pub(super) const ESCAPE_3A: u8 = 0x3a;

/// What follows an opcode: bits 3:0 one of the immediates, and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attributes(u8);

const NO_IMMEDIATE: u8 = 0;
/// One byte, one word.
const BYTE: u8 = 1;
const WORD: u8 = 2;
/// As wide as the operand, but at most 4 bytes.
const DOUBLE: u8 = 3;
/// As wide as the operand.
const FULL: u8 = 4;
/// A word and a byte.
const FRAME: u8 = 5;
/// A pointer with its segment.
const FAR: u8 = 6;
/// An address.
const ABSOLUTE: u8 = 7;
/// One byte without a sign.
const UNSIGNED: u8 = 8;
/// Four bytes.
const QUAD: u8 = 9;
/// No immediate, but a ModRM byte of two registers, whatever its mod field says (APM volume 3, MOV CRn).
const REGISTERS: u8 = 10;

const HAS_MOD_RM: u8 = 1 << 4;
/// Undefined in 64-bit mode.
const NOT_64: u8 = 1 << 5;
const UNDEFINED: u8 = 1 << 6;
/// A prefix, or leads to another map.
const SPECIAL: u8 = 1 << 7;

// Names of two letters, so that a row of the map is a line.
const __: u8 = NO_IMMEDIATE;
const IB: u8 = BYTE;
const IU: u8 = UNSIGNED;
const IW: u8 = WORD;
const IZ: u8 = DOUBLE;
const IV: u8 = FULL;
const FR: u8 = FRAME;
const OA: u8 = ABSOLUTE;
const MR: u8 = HAS_MOD_RM;
const MB: u8 = HAS_MOD_RM | BYTE;
const MU: u8 = HAS_MOD_RM | UNSIGNED;
const RR: u8 = REGISTERS;
const MZ: u8 = HAS_MOD_RM | DOUBLE;
/// With N: not in 64-bit mode.
const NN: u8 = NOT_64;
const NB: u8 = NOT_64 | BYTE;
const NM: u8 = NOT_64 | HAS_MOD_RM | BYTE;
const NF: u8 = NOT_64 | FAR;
const UD: u8 = UNDEFINED;
const SP: u8 = SPECIAL;

#[rustfmt::skip]
static ONE_BYTE: [u8; 256] = [
    MR, MR, MR, MR, IB, IZ, NN, NN, MR, MR, MR, MR, IB, IZ, NN, SP, // ADD, OR
    MR, MR, MR, MR, IB, IZ, NN, NN, MR, MR, MR, MR, IB, IZ, NN, NN, // ADC, SBB
    MR, MR, MR, MR, IB, IZ, SP, NN, MR, MR, MR, MR, IB, IZ, SP, NN, // AND, SUB; prefixes
    MR, MR, MR, MR, IB, IZ, SP, NN, MR, MR, MR, MR, IB, IZ, SP, NN, // XOR, CMP
    __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, // INC, DEC; REX
    __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, // PUSH, POP
    NN, NN, SP, MR, SP, SP, SP, SP, IZ, MZ, IB, MB, __, __, __, __, // PUSHA, POPA, BOUND or EVEX, MOVSXD, prefixes …
    IB, IB, IB, IB, IB, IB, IB, IB, IB, IB, IB, IB, IB, IB, IB, IB, // Jcc
    MB, MZ, NM, MB, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, SP, // group 1, TEST, XCHG, MOV, LEA, POP or XOP
    __, __, __, __, __, __, __, __, __, __, NF, __, __, __, __, __, // XCHG, CBW, CWD, CALL far, PUSHF …
    OA, OA, OA, OA, __, __, __, __, IB, IZ, __, __, __, __, __, __, // MOV, strings, TEST
    IB, IB, IB, IB, IB, IB, IB, IB, IV, IV, IV, IV, IV, IV, IV, IV, // MOV
    MB, MB, IW, __, SP, SP, MB, MZ, FR, __, IW, __, __, IU, NN, __, // shifts, RET, LES and LDS or VEX, MOV, ENTER …
    MR, MR, MR, MR, NB, NB, NN, __, MR, MR, MR, MR, MR, MR, MR, MR, // shifts, AAM, AAD, SALC, XLAT, x87
    IB, IB, IB, IB, IU, IU, IU, IU, IZ, IZ, NF, IB, __, __, __, __, // LOOP, JCXZ, IN, OUT, CALL, JMP
    SP, __, SP, SP, __, __, MR, MR, __, __, __, __, __, __, MR, MR, // ICEBP, HLT, CMC, group 3, CLC …, groups 4 and 5
];

#[rustfmt::skip]
static TWO_BYTE: [u8; 256] = [
    MR, MR, MR, MR, UD, __, __, __, __, __, UD, UD, UD, MR, __, MB, // groups 6 and 7, LAR …; 3DNow!
    MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, // SSE; prefetches and NOPs
    RR, RR, RR, RR, UD, UD, UD, UD, MR, MR, MR, MR, MR, MR, MR, MR, // MOV of CRn and DRn; SSE
    __, __, __, __, __, __, UD, __, __, UD, __, UD, UD, UD, UD, UD, // WRMSR, RDTSC, RDMSR, RDPMC, SYSENTER, SYSEXIT
    MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, // CMOVcc
    MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, // SSE
    MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, // MMX
    MB, MB, MB, MB, MR, MR, MR, __, MR, MR, UD, UD, MR, MR, MR, MR, // shifts of MMX, EMMS, SSE4a
    IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, IZ, // Jcc
    MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, // SETcc
    __, __, __, MR, MB, MR, MR, MR, __, __, __, MR, MB, MR, MR, MR, // PUSH, POP, CPUID, BT, SHLD; RSM, BTS, SHRD, IMUL
    MR, MR, MR, MR, MR, MR, MR, MR, MR, UD, MU, MR, MR, MR, MR, MR, // CMPXCHG, LSS, BTR, MOVZX; group 8, BTC, MOVSX
    MR, MR, MB, MR, MB, MB, MB, MR, __, __, __, __, __, __, __, __, // XADD, CMPPS, MOVNTI, group 9; BSWAP
    MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, // MMX
    MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR,
    MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, MR, UD,
];

impl Attributes {
    /// A ModRM byte and no, one, two or four bytes of immediate.
    pub(super) const MOD_RM: Attributes = Attributes(HAS_MOD_RM);
    pub(super) const MOD_RM_BYTE: Attributes = Attributes(HAS_MOD_RM | BYTE);
    pub(super) const MOD_RM_WORD: Attributes = Attributes(HAS_MOD_RM | WORD);
    pub(super) const MOD_RM_QUAD: Attributes = Attributes(HAS_MOD_RM | QUAD);
    /// Nothing.
    pub(super) const NOTHING: Attributes = Attributes(NO_IMMEDIATE);
    pub(super) const UNDEFINED: Attributes = Attributes(UNDEFINED);

    #[inline]
    pub(super) fn one_byte(opcode: u8) -> Attributes {
        Attributes(ONE_BYTE.get(usize::from(opcode)).copied().unwrap_or(UNDEFINED))
    }

    /// Of the second map, as the opcode alone says it.
    #[inline]
    pub(super) fn two_byte(opcode: u8) -> Attributes {
        Attributes(TWO_BYTE.get(usize::from(opcode)).copied().unwrap_or(UNDEFINED))
    }

    /// Group 3: TEST alone has an immediate.
    #[inline]
    pub(super) fn with_test_immediate(self, opcode: u8) -> Attributes {
        Attributes(self.0 | if opcode & 1 == 0 { BYTE } else { DOUBLE })
    }

    #[inline]
    pub(super) fn is_special(self) -> bool {
        self.0 & SPECIAL != 0
    }

    #[inline]
    pub(super) fn is_undefined(self, mode: Mode) -> bool {
        self.0 & (UNDEFINED | NOT_64) != 0 && (self.0 & UNDEFINED != 0 || mode == Mode::Bits64)
    }

    /// Takes the ModRM byte, if there is one; an operand in memory goes to `memory`.
    #[inline]
    pub(super) fn mod_rm(self, fetch: &mut Fetch, prefixes: &Prefixes, memory: &mut Option<Address>) -> ModRm {
        if self.0 & HAS_MOD_RM != 0 {
            ModRm::fetch(fetch, prefixes, memory)
        } else if self.0 == REGISTERS {
            ModRm::fetch_registers(fetch, prefixes)
        } else {
            ModRm::NONE
        }
    }

    /// Takes the immediate, if there is one; an absolute address goes to `memory`.
    #[inline]
    pub(super) fn immediate(self, fetch: &mut Fetch, prefixes: &Prefixes, memory: &mut Option<Address>) -> u64 {
        match self.0 & 0xf {
            BYTE => fetch.signed(1),
            UNSIGNED => fetch.byte().into(),
            WORD => fetch.signed(2),
            DOUBLE => fetch.signed(prefixes.operand_bytes().min(4)),
            QUAD => fetch.signed(4),
            FULL => fetch.signed(prefixes.operand_bytes()),
            ABSOLUTE => {
                let displacement = fetch.signed(prefixes.address_bytes());
                *memory = Some(Address::absolute(prefixes, displacement));
                0
            }
            FRAME => {
                fetch.skip(3);
                0
            }
            FAR => {
                fetch.skip(prefixes.operand_bytes().wrapping_add(2));
                0
            }
            _ => 0,
        }
    }
}

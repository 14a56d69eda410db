//! The frequent exits, each by one comparison of the whole syndrome: [`Syndrome::cause`] takes apart what is not one of them.

use super::Syndrome;

/// Exits that one comparison tells from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequent {
    /// `hvc #0`.
    HypervisorCall,
    /// A write of ICC_SGI1R_EL1 from general register `rt`.
    Sgi {
        /// 31 for XZR.
        rt: u8,
    },
    /// A load of 32 bits, without extension of the sign, into `rt`, from where nothing is mapped.
    LoadWord {
        /// 31 for WZR.
        rt: u8,
    },
}

/// ESR_EL2 of `hvc #0`.
pub(super) const HVC_0: u64 = 0x16 << 26 | 1 << 25;
/// ESR_EL2 of a write of ICC_SGI1R_EL1 (3, 0, 12, 11, 5) from register 0, and where the register is.
pub(super) const SGI1R: u64 = 0x18 << 26 | 1 << 25 | 3 << 20 | 5 << 17 | 12 << 10 | 11 << 1;
const SGI1R_RT: u64 = 31 << 5;
/// ESR_EL2 of a data abort by a load of a word: IL, ISV, SAS = 2, DFSC = a translation fault of level 0; and what of it may be
/// otherwise: SRT, AR, SET, EA, LST, the level.
pub(super) const LOAD_WORD: u64 = 0x24 << 26 | 1 << 25 | 1 << 24 | 2 << 22 | 0b000100;
const LOAD_WORD_ANY: u64 = 31 << 16 | 1 << 14 | 3 << 11 | 1 << 9 | 0b11;

impl Syndrome {
    /// Whether this is a frequent exit.
    #[inline(always)]
    pub const fn frequent(self) -> Option<Frequent> {
        // Bits 63 to 32 (ISS2) say more of what is not looked at here.
        let esr = self.0 & 0xffff_ffff;
        if esr & !LOAD_WORD_ANY == LOAD_WORD {
            return Some(Frequent::LoadWord { rt: (esr >> 16 & 31) as u8 });
        }
        if esr & !SGI1R_RT == SGI1R {
            return Some(Frequent::Sgi { rt: (esr >> 5 & 31) as u8 });
        }
        if esr == HVC_0 { Some(Frequent::HypervisorCall) } else { None }
    }
}

//! The ID registers: what the CPU has, and what of it guests are told.
//!
//! HCR_EL2.TID3 traps the whole group, op0 = 3, op1 = 0, CRn = 0, CRm = 1 to 7: the registers of 32-bit and of 64-bit
//! state, and the reserved encodings, which read as zero (DDI 0487 D19.3.1). A guest sees the fields that [`VISIBLE`]
//! lists and zero in all others, so that an extension nobody here has heard of is not announced. Zero means "not
//! implemented" in all fields that are not listed.

use crate::syndrome::SysReg;

/// Values of the group, the host's or a guest's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRegisters {
    values: [u64; COUNT],
}

/// CRm 1 to 7, op2 0 to 7.
const COUNT: usize = 7 * 8;

/// What becomes of one 4-bit field.
#[derive(Clone, Copy)]
enum Rule {
    /// The guest has what the host has.
    Keep,
    /// The smaller of the host's and this: later versions need something of EL2.
    AtMost(u8),
    /// As above for a field where 0xf means "not implemented".
    AtMostSigned(u8),
    /// This, whatever the host has.
    Is(u8),
}
use Rule::{AtMost, AtMostSigned, Is, Keep};

/// The visible fields of one register by their lowest bit.
struct Visible(SysReg, &'static [(u32, Rule)]);

const fn id(crm: u8, op2: u8) -> SysReg {
    SysReg::new(3, 0, 0, crm, op2)
}

pub(super) const ID_AA64PFR0_EL1: SysReg = id(4, 0);
pub(super) const ID_AA64PFR1_EL1: SysReg = id(4, 1);
pub(super) const ID_AA64DFR0_EL1: SysReg = id(5, 0);
pub(super) const ID_AA64ISAR1_EL1: SysReg = id(6, 1);
pub(super) const ID_AA64ISAR2_EL1: SysReg = id(6, 2);
pub(super) const ID_AA64MMFR0_EL1: SysReg = id(7, 0);
pub(super) const ID_AA64MMFR1_EL1: SysReg = id(7, 1);

/// Whether guests have the GIC's system registers: a GICv2's have not, whatever the CPU could do.
const GIC_REGISTERS: u8 = match crate::GIC {
    model::GicVersion::V2 => 0,
    model::GicVersion::V3 => 1,
};

/// Pointer authentication: shown where [`super::traps`] lets guests use it, which is wherever it exists.
const VISIBLE: &[Visible] = &[
    Visible(
        ID_AA64PFR0_EL1,
        &[
            (0, Keep),                   // EL0: 64-bit, and 32-bit if the host has it
            (4, Is(1)),                  // EL1: 64-bit only (HCR_EL2.RW)
            (16, Keep),                  // FP
            (20, Keep),                  // AdvSIMD
            (24, AtMost(GIC_REGISTERS)), // GIC: the system-register interface; hidden: what GICv4.1 adds
            (48, Keep),                  // DIT
            (56, AtMost(1)),             // CSV2; hidden: SCXTNUM_ELx
            (60, Keep),                  // CSV3
                                         // Hidden: EL2, EL3, RAS, SVE, SEL2, MPAM, AMU, RME
        ],
    ),
    Visible(
        ID_AA64PFR1_EL1,
        &[
            (0, Keep), // BT
            (4, Keep), // SSBS
                       // Hidden: MTE, RAS_frac, MPAM_frac, SME, RNDR_trap, CSV2_frac, NMI and later
        ],
    ),
    Visible(
        ID_AA64DFR0_EL1,
        &[
            (0, AtMost(0xa)), // DebugVer; hidden: the banked breakpoints of v8.9
            (12, Keep),       // BRPs: the guest's own, as MDCR_EL2.TDA is clear
            (20, Keep),       // WRPs
            (28, Keep),       // CTX_CMPs
            (36, Keep),       // DoubleLock
                              // Hidden: TraceVer, PMUVer, PMSVer, TraceFilt, TraceBuffer, MTPMU, BRBE
        ],
    ),
    Visible(
        id(6, 0), // ID_AA64ISAR0_EL1
        &[
            (4, Keep),  // AES
            (8, Keep),  // SHA1
            (12, Keep), // SHA2
            (16, Keep), // CRC32
            (20, Keep), // Atomic
            (28, Keep), // RDM
            (32, Keep), // SHA3
            (36, Keep), // SM3
            (40, Keep), // SM4
            (44, Keep), // DP
            (48, Keep), // FHM
            (52, Keep), // TS
            (56, Keep), // TLB
            (60, Keep), // RNDR
                        // Hidden: TME
        ],
    ),
    Visible(
        ID_AA64ISAR1_EL1,
        &[
            (0, Keep),  // DPB
            (4, Keep),  // APA
            (8, Keep),  // API
            (12, Keep), // JSCVT
            (16, Keep), // FCMA
            (20, Keep), // LRCPC
            (24, Keep), // GPA
            (28, Keep), // GPI
            (32, Keep), // FRINTTS
            (36, Keep), // SB
            (40, Keep), // SPECRES
            (44, Keep), // BF16
            (48, Keep), // DGH
            (52, Keep), // I8MM
                        // Hidden: XS and LS64, which HCRX_EL2 governs
        ],
    ),
    Visible(
        ID_AA64ISAR2_EL1,
        &[
            (0, Keep),  // WFxT
            (4, Keep),  // RPRES
            (8, Keep),  // GPA3
            (12, Keep), // APA3
            (20, Keep), // BC
            (24, Keep), // PAC_frac
            (28, Keep), // CLRBHB
            (52, Keep), // CSSC
                        // Hidden: MOPS, which HCRX_EL2.MSCEn governs, and 128-bit registers
        ],
    ),
    Visible(
        ID_AA64MMFR0_EL1,
        &[
            // PARange, bits 3:0, follows the guest's second stage: see `guest`.
            (4, Keep),       // ASIDBits
            (8, Keep),       // BigEnd
            (16, Keep),      // BigEndEL0
            (20, AtMost(1)), // TGran16; hidden: 52-bit addresses with it
            (24, Keep),      // TGran64
            (28, AtMostSigned(0)), // TGran4; hidden: 52-bit addresses with it
                             // Hidden: SNSMem, TGran*_2, ExS, FGT, ECV
        ],
    ),
    Visible(
        ID_AA64MMFR1_EL1,
        &[
            (0, AtMost(2)), // HAFDBS: access flag and dirty state
            (12, Keep),     // HPDS
            (20, Keep),     // PAN
            (24, Keep),     // SpecSEI
            (36, Keep),     // ETS
            (44, Keep),     // AFP
            (48, Keep),     // nTLBPA
            (60, Keep),     // ECBHB
                            // Hidden: VMIDBits, VH, LO, XNX, TWED, HCX, TIDCP1, CMOW
        ],
    ),
    Visible(
        id(7, 2), // ID_AA64MMFR2_EL1
        &[
            (0, Keep),       // CnP
            (4, Keep),       // UAO
            (8, Keep),       // LSM
            (16, AtMost(1)), // VARange; hidden: 56 bits
            (20, Keep),      // CCIDX: the format of CCSIDR_EL1, which is read directly
            (28, Keep),      // ST
            (32, Keep),      // AT
            (36, Keep),      // IDS
            (48, Keep),      // TTL
            (52, Keep),      // BBM
            (60, Keep),      // E0PD
                             // Hidden: IESB, NV, FWB, EVT
        ],
    ),
];

/// The fields of the AArch32 registers that are visible, where EL0 can be 32-bit: what describes the instructions and
/// the memory model of its programs. A kernel needs no more than that (EL1 is never 32-bit).
const VISIBLE_32: &[Visible] = &[
    // ID_PFR0_EL1: State0 to State3, CSV2, DIT. Hidden: AMU, RAS.
    Visible(id(1, 0), &[(0, Keep), (4, Keep), (8, Keep), (12, Keep), (16, AtMost(1)), (24, Keep)]),
    // ID_PFR1_EL1: GenTimer. Hidden: what concerns 32-bit EL1 and above, and the GIC's interface there.
    Visible(id(1, 1), &[(16, Keep)]),
    // ID_DFR0_EL1: CopDbg. Hidden: trace, PerfMon.
    Visible(id(1, 2), &[(0, AtMost(0xa))]),
    Visible(id(1, 4), ALL_32), // ID_MMFR0_EL1
    Visible(id(1, 5), ALL_32), // ID_MMFR1_EL1
    Visible(id(1, 6), ALL_32), // ID_MMFR2_EL1
    Visible(id(1, 7), ALL_32), // ID_MMFR3_EL1
    Visible(id(2, 0), ALL_32), // ID_ISAR0_EL1
    Visible(id(2, 1), ALL_32), // ID_ISAR1_EL1
    Visible(id(2, 2), ALL_32), // ID_ISAR2_EL1
    Visible(id(2, 3), ALL_32), // ID_ISAR3_EL1
    Visible(id(2, 4), ALL_32), // ID_ISAR4_EL1
    Visible(id(2, 5), ALL_32), // ID_ISAR5_EL1
    // ID_MMFR4_EL1: SpecSEI, AC2, CnP, HPDS, LSM, CCIDX. Hidden: XNX, EVT.
    Visible(id(2, 6), &[(0, Keep), (4, Keep), (12, Keep), (16, Keep), (20, Keep), (24, Keep)]),
    Visible(id(2, 7), ALL_32), // ID_ISAR6_EL1
    Visible(id(3, 0), ALL_32), // MVFR0_EL1
    Visible(id(3, 1), ALL_32), // MVFR1_EL1
    Visible(id(3, 2), ALL_32), // MVFR2_EL1
    // ID_PFR2_EL1: CSV3, SSBS. Hidden: RAS_frac.
    Visible(id(3, 4), &[(0, Keep), (4, Keep)]),
    // ID_MMFR5_EL1: ETS, nTLBPA.
    Visible(id(3, 6), &[(0, Keep), (4, Keep)]),
];
const ALL_32: &[(u32, Rule)] =
    &[(0, Keep), (4, Keep), (8, Keep), (12, Keep), (16, Keep), (20, Keep), (24, Keep), (28, Keep)];

impl IdRegisters {
    /// All zero.
    const EMPTY: IdRegisters = IdRegisters { values: [0; COUNT] };

    /// The values of a CPU; `values` are those of CRm 1 with op2 0 to 7, then of CRm 2, up to CRm 7.
    pub const fn new(values: [u64; COUNT]) -> IdRegisters {
        IdRegisters { values }
    }

    /// This CPU's.
    #[cfg(target_os = "none")]
    pub fn of_this_cpu() -> IdRegisters {
        use crate::registers::read;
        macro_rules! all {
            ($($name:literal)*) => { IdRegisters::new([$(read!($name)),*]) };
        }
        // Reserved encodings of the group read as zero.
        all! {
            "S3_0_C0_C1_0" "S3_0_C0_C1_1" "S3_0_C0_C1_2" "S3_0_C0_C1_3"
            "S3_0_C0_C1_4" "S3_0_C0_C1_5" "S3_0_C0_C1_6" "S3_0_C0_C1_7"
            "S3_0_C0_C2_0" "S3_0_C0_C2_1" "S3_0_C0_C2_2" "S3_0_C0_C2_3"
            "S3_0_C0_C2_4" "S3_0_C0_C2_5" "S3_0_C0_C2_6" "S3_0_C0_C2_7"
            "S3_0_C0_C3_0" "S3_0_C0_C3_1" "S3_0_C0_C3_2" "S3_0_C0_C3_3"
            "S3_0_C0_C3_4" "S3_0_C0_C3_5" "S3_0_C0_C3_6" "S3_0_C0_C3_7"
            "S3_0_C0_C4_0" "S3_0_C0_C4_1" "S3_0_C0_C4_2" "S3_0_C0_C4_3"
            "S3_0_C0_C4_4" "S3_0_C0_C4_5" "S3_0_C0_C4_6" "S3_0_C0_C4_7"
            "S3_0_C0_C5_0" "S3_0_C0_C5_1" "S3_0_C0_C5_2" "S3_0_C0_C5_3"
            "S3_0_C0_C5_4" "S3_0_C0_C5_5" "S3_0_C0_C5_6" "S3_0_C0_C5_7"
            "S3_0_C0_C6_0" "S3_0_C0_C6_1" "S3_0_C0_C6_2" "S3_0_C0_C6_3"
            "S3_0_C0_C6_4" "S3_0_C0_C6_5" "S3_0_C0_C6_6" "S3_0_C0_C6_7"
            "S3_0_C0_C7_0" "S3_0_C0_C7_1" "S3_0_C0_C7_2" "S3_0_C0_C7_3"
            "S3_0_C0_C7_4" "S3_0_C0_C7_5" "S3_0_C0_C7_6" "S3_0_C0_C7_7"
        }
    }

    fn index(register: SysReg) -> Option<usize> {
        match register.fields() {
            (3, 0, 0, crm @ 1..=7, op2) => {
                Some(usize::from(crm).wrapping_sub(1).wrapping_mul(8).wrapping_add(usize::from(op2)))
            }
            _ => None,
        }
    }

    /// Whether `register` is one of the group.
    pub fn contains(register: SysReg) -> bool {
        Self::index(register).is_some()
    }

    /// The value of `register`; `None` if it is not one of the group.
    pub fn get(&self, register: SysReg) -> Option<u64> {
        self.values.get(Self::index(register)?).copied()
    }

    /// The 4-bit field of `register` that starts at bit `shift`; zero outside of the group.
    pub fn field(&self, register: SysReg, shift: u32) -> u8 {
        (self.get(register).unwrap_or(0).wrapping_shr(shift) & 0xf) as u8
    }

    pub(super) fn set_field(&mut self, register: SysReg, shift: u32, field: u8) {
        if let Some(value) = Self::index(register).and_then(|index| self.values.get_mut(index)) {
            *value = *value & !0xfu64.wrapping_shl(shift) | u64::from(field).wrapping_shl(shift);
        }
    }

    /// What a guest with `ipa_bits` of guest-physical address sees on a CPU with these registers.
    pub fn guest(&self, ipa_bits: u32) -> IdRegisters {
        let mut guest = IdRegisters::EMPTY;
        // EL0 = 2: 32-bit too. Without it the AArch32 registers are UNKNOWN.
        let has_32 = self.field(ID_AA64PFR0_EL1, 0) == 2;
        let visible_32 = if has_32 { VISIBLE_32 } else { &[] };
        for Visible(register, fields) in VISIBLE.iter().chain(visible_32) {
            for &(shift, rule) in *fields {
                let host = self.field(*register, shift);
                let field = match rule {
                    Keep => host,
                    AtMost(most) => host.min(most),
                    AtMostSigned(most) if host < 8 => host.min(most),
                    AtMostSigned(_) => host,
                    Is(value) => value,
                };
                guest.set_field(*register, shift, field);
            }
        }
        // PARange: no more than the second stage translates.
        let range = match ipa_bits {
            ..36 => 0,
            36..40 => 1,
            _ => 2,
        };
        guest.set_field(ID_AA64MMFR0_EL1, 0, self.field(ID_AA64MMFR0_EL1, 0).min(range));
        guest
    }
}

//! What guests see of the CPU: the table of trapped system registers, and the trap bits that go with it.
//!
//! A register either is the guest's own, and then nothing here knows it; or it traps, and then [`ROWS`] or the group
//! of ID registers ([`id`]) says what happens; or it traps and is [`Answer::Unlisted`], and then `unsupported` in
//! the VM's file decides. [`traps`] computes the control registers of EL2, each bit with its reason.
//!
//! Encodings and trap conditions: Arm ARM DDI 0487, D24.2 (registers), D19 (encodings), D1.3.6 (traps);
//! for the GIC's, IHI 0069 chapter 12.

mod id;
#[cfg(test)]
mod tests;
mod traps;

pub use id::IdRegisters;
pub use traps::{CNTHCTL_EL2, Features};

use crate::syndrome::SysReg;

/// What a trapped access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The read gives this value.
    Value(u64),
    /// The write, or the instruction, does nothing.
    Ignore,
    /// The guest takes an undefined-instruction exception.
    Undefined,
    /// ICC_SGI1R_EL1 was written: software-generated interrupts of group 1.
    Sgi,
    /// ICC_SGI0R_EL1 or ICC_ASGI1R_EL1 was written: in a guest's one security state, those of group 0.
    Sgi0,
    /// ICC_DIR_EL1 was written: an interrupt is deactivated.
    Deactivate,
    /// Cache maintenance by set and way.
    SetWay,
    /// A register of EL1's translation regime was written, while that traps.
    Translation,
    /// Not in the table.
    Unlisted,
}

/// What a row of the table says.
#[derive(Clone, Copy)]
enum Policy {
    /// Reads give a constant, writes are ignored.
    Constant(u64),
    /// Reads give a constant, writes are undefined: a read-only register.
    ReadOnly(u64),
    /// Writes have this effect, reads are undefined: an instruction or a write-only register.
    WriteOnly(Answer),
    /// Part of an extension that guests don't have.
    Hidden,
}

/// A range of encodings, both ends included, and what is done about them.
struct Row(SysReg, SysReg, Policy);

const fn at(op0: u8, op1: u8, crn: u8, crm: u8, op2: u8) -> SysReg {
    SysReg::new(op0, op1, crn, crm, op2)
}

const fn one(register: SysReg, policy: Policy) -> Row {
    Row(register, register, policy)
}

/// The table, the frequent ones first.
const ROWS: &[Row] = &[
    // The CPU interface of the virtual GIC is hardware, but for what concerns other vCPUs: HCR_EL2.IMO and FMO trap
    // these three, and ICH_HCR_EL2.TDIR or .TC the fourth.
    one(at(3, 0, 12, 11, 5), Policy::WriteOnly(Answer::Sgi)), // ICC_SGI1R_EL1
    one(at(3, 0, 12, 11, 1), Policy::WriteOnly(Answer::Deactivate)), // ICC_DIR_EL1
    one(at(3, 0, 12, 11, 6), Policy::WriteOnly(Answer::Sgi0)), // ICC_ASGI1R_EL1
    one(at(3, 0, 12, 11, 7), Policy::WriteOnly(Answer::Sgi0)), // ICC_SGI0R_EL1
    // Cache maintenance by set and way (HCR_EL2.TSW), and what traps after it (HCR_EL2.TVM): `vcpu::caches`.
    one(at(1, 0, 7, 6, 2), Policy::WriteOnly(Answer::SetWay)), // DC ISW
    one(at(1, 0, 7, 10, 2), Policy::WriteOnly(Answer::SetWay)), // DC CSW
    one(at(1, 0, 7, 14, 2), Policy::WriteOnly(Answer::SetWay)), // DC CISW
    one(at(3, 0, 1, 0, 0), Policy::WriteOnly(Answer::Translation)), // SCTLR_EL1
    Row(at(3, 0, 2, 0, 0), at(3, 0, 2, 0, 2), Policy::WriteOnly(Answer::Translation)), // TTBR0_EL1, TTBR1_EL1, TCR_EL1
    Row(at(3, 0, 5, 1, 0), at(3, 0, 5, 1, 1), Policy::WriteOnly(Answer::Translation)), // AFSR0_EL1, AFSR1_EL1
    one(at(3, 0, 5, 2, 0), Policy::WriteOnly(Answer::Translation)), // ESR_EL1
    one(at(3, 0, 6, 0, 0), Policy::WriteOnly(Answer::Translation)), // FAR_EL1
    one(at(3, 0, 10, 2, 0), Policy::WriteOnly(Answer::Translation)), // MAIR_EL1
    one(at(3, 0, 10, 3, 0), Policy::WriteOnly(Answer::Translation)), // AMAIR_EL1
    one(at(3, 0, 13, 0, 1), Policy::WriteOnly(Answer::Translation)), // CONTEXTIDR_EL1
    // HCR_EL2.TACR. Implementation defined: nothing in it is a guest's business.
    one(at(3, 0, 1, 0, 1), Policy::Constant(0)), // ACTLR_EL1
    // HCR_EL2.TID1. Zero names no revision, so that a guest applies every workaround for its MIDR_EL1.
    one(at(3, 0, 0, 0, 6), Policy::ReadOnly(0)), // REVIDR_EL1
    one(at(3, 1, 0, 0, 7), Policy::ReadOnly(0)), // AIDR_EL1
    // MDCR_EL2.TDRA. The address of a ROM table: not valid (bits 1:0 are zero).
    one(at(2, 0, 1, 0, 0), Policy::ReadOnly(0)), // MDRAR_EL1
    // Performance monitors (MDCR_EL2.TPM): ID_AA64DFR0_EL1.PMUVer is zero.
    Row(at(3, 0, 9, 14, 1), at(3, 0, 9, 14, 6), Policy::Hidden), // PMINTENSET_EL1 to PMMIR_EL1
    Row(at(3, 3, 9, 12, 0), at(3, 3, 9, 14, 3), Policy::Hidden), // PMCR_EL0 to PMOVSSET_EL0
    Row(at(3, 3, 14, 8, 0), at(3, 3, 14, 15, 7), Policy::Hidden), // PMEVCNTR0_EL0 to PMCCFILTR_EL0
    // Limited ordering regions (HCR_EL2.TLOR): ID_AA64MMFR1_EL1.LO is zero.
    Row(at(3, 0, 10, 4, 0), at(3, 0, 10, 4, 3), Policy::Hidden), // LORSA_EL1 to LORC_EL1
    one(at(3, 0, 10, 4, 7), Policy::Hidden),                     // LORID_EL1
    // Error records (HCR_EL2.TERR): ID_AA64PFR0_EL1.RAS is zero.
    Row(at(3, 0, 5, 3, 0), at(3, 0, 5, 5, 7), Policy::Hidden), // ERRIDR_EL1 to ERXMISC3_EL1
    // Statistical profiling, trace buffer, trace filter (MDCR_EL2.TPMS, E2PB, E2TB, TTRF).
    Row(at(3, 0, 9, 9, 0), at(3, 0, 9, 10, 7), Policy::Hidden), // PMSCR_EL1 to PMSIDR_EL1, PMBLIMITR_EL1 to PMBIDR_EL1
    Row(at(3, 0, 9, 11, 0), at(3, 0, 9, 11, 7), Policy::Hidden), // TRBLIMITR_EL1 to TRBIDR_EL1
    one(at(3, 0, 1, 2, 1), Policy::Hidden),                     // TRFCR_EL1
    // Trace unit (CPTR_EL2.TTA): ID_AA64DFR0_EL1.TraceVer is zero.
    Row(at(2, 1, 0, 0, 0), at(2, 1, 7, 15, 7), Policy::Hidden), // TRC*
    // Activity monitors (CPTR_EL2.TAM): ID_AA64PFR0_EL1.AMU is zero.
    Row(at(3, 3, 13, 2, 0), at(3, 3, 13, 15, 7), Policy::Hidden), // AMCR_EL0 to AMEVTYPER1*_EL0
    // Memory tagging (HCR_EL2.ATA = 0, TID5): ID_AA64PFR1_EL1.MTE is zero.
    Row(at(3, 0, 1, 0, 5), at(3, 0, 1, 0, 6), Policy::Hidden), // RGSR_EL1, GCR_EL1
    Row(at(3, 0, 5, 6, 0), at(3, 0, 5, 6, 1), Policy::Hidden), // TFSR_EL1, TFSRE0_EL1
    one(at(3, 1, 0, 0, 4), Policy::Hidden),                    // GMID_EL1
    Row(at(1, 0, 7, 6, 4), at(1, 0, 7, 6, 6), Policy::Hidden), // DC IGSW, IGDSW
    Row(at(1, 0, 7, 10, 4), at(1, 0, 7, 10, 6), Policy::Hidden), // DC CGSW, CGDSW
    Row(at(1, 0, 7, 14, 4), at(1, 0, 7, 14, 6), Policy::Hidden), // DC CIGSW, CIGDSW
    // Scalable matrices (HCR_EL2.TID1): ID_AA64PFR1_EL1.SME is zero.
    one(at(3, 1, 0, 0, 6), Policy::Hidden), // SMIDR_EL1
    // Context numbers for speculation (HCR_EL2.EnSCXT = 0): ID_AA64PFR0_EL1.CSV2 is at most 1.
    one(at(3, 0, 13, 0, 7), Policy::Hidden), // SCXTNUM_EL1
    one(at(3, 3, 13, 0, 7), Policy::Hidden), // SCXTNUM_EL0
];

fn policy(register: SysReg) -> Option<Policy> {
    ROWS.iter().find(|row| row.0 <= register && register <= row.1).map(|row| row.2)
}

/// What a read of `register` does in a guest that sees `ids`.
pub fn read(register: SysReg, ids: &IdRegisters) -> Answer {
    if let Some(value) = ids.get(register) {
        return Answer::Value(value);
    }
    match policy(register) {
        Some(Policy::Constant(value) | Policy::ReadOnly(value)) => Answer::Value(value),
        Some(Policy::WriteOnly(_) | Policy::Hidden) => Answer::Undefined,
        None => Answer::Unlisted,
    }
}

/// What a write of `register` does.
pub fn write(register: SysReg) -> Answer {
    match policy(register) {
        Some(Policy::WriteOnly(answer)) => answer,
        Some(Policy::Constant(_)) => Answer::Ignore,
        Some(Policy::ReadOnly(_) | Policy::Hidden) => Answer::Undefined,
        // ID registers are read-only.
        None if IdRegisters::contains(register) => Answer::Undefined,
        None => Answer::Unlisted,
    }
}

//! What the CPU says about itself, and that what is hidden is not there.

use guest_runtime::exceptions::attempt;
use guest_runtime::{Verdict, read_register, say, write_register};

/// CPACR_EL1.ZEN: EL1 does not trap SVE to itself. RES0 without SVE.
const SVE: u64 = 0b11 << 16;

/// How a register is read.
type Read = fn() -> u64;

/// Registers of hidden extensions.
const HIDDEN: [(&str, Read); 5] = [
    ("PMCR_EL0", || read_register!("S3_3_C9_C12_0")),
    ("ZCR_EL1", || read_register!("S3_0_C1_C2_0")),
    ("GCR_EL1", || read_register!("S3_0_C1_C0_6")),
    ("ERRIDR_EL1", || read_register!("S3_0_C5_C3_0")),
    ("LORID_EL1", || read_register!("S3_0_C10_C4_7")),
];

/// Whether the 4-bit fields at `shifts` are zero: not implemented (DDI 0487, D19.1.3).
fn lacks(register: u64, shifts: &[u32]) -> bool {
    shifts.iter().all(|shift| register >> shift & 0xf == 0)
}

/// Extensions that are not virtualised don't show in the ID registers, and their registers are undefined.
pub(super) fn hides() -> Verdict {
    // ID_AA64PFR0_EL1: EL2, EL3, RAS, SVE, MPAM, AMU. ID_AA64PFR1_EL1: MTE, SME.
    // ID_AA64DFR0_EL1: TraceVer, PMUVer, PMSVer. ID_AA64ZFR0_EL1 is all about SVE.
    let hidden = lacks(read_register!("id_aa64pfr0_el1"), &[8, 12, 28, 32, 40, 44])
        && lacks(read_register!("id_aa64pfr1_el1"), &[8, 24])
        && lacks(read_register!("id_aa64dfr0_el1"), &[4, 8, 32])
        && read_register!("S3_0_C0_C4_4") == 0;
    if !hidden {
        return Err("an ID register shows an extension that is not virtualised");
    }
    let control = read_register!("cpacr_el1");
    write_register!("cpacr_el1", control | SVE);
    for (name, read) in HIDDEN {
        if !attempt(read).is_err_and(|exception| exception.is_undefined()) {
            say!("{name}");
            return Err("a register of a hidden extension is not undefined");
        }
    }
    write_register!("cpacr_el1", control);
    say!("no PMU, SVE, MTE, RAS; their registers are undefined");
    Ok(())
}

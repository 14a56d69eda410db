//! EL2's control over EL1 on this CPU: what traps, and where interrupts and time go.
//!
//! The values are computed in [`crate::sysreg`], next to the table that answers the traps; here they reach the hardware.

use crate::inject::Interrupted;
use crate::paging;
use crate::registers::{read, write};
use crate::sysreg::{CNTHCTL_EL2, Features, IdRegisters};

/// ID_AA64MMFR0_EL1.PARange of this CPU.
fn pa_range() -> u8 {
    (read!("ID_AA64MMFR0_EL1") & 0xf) as u8
}

/// Bits of guest-physical address on this CPU.
pub fn gpa_bits() -> u32 {
    paging::ipa_bits(pa_range())
}

/// Sets this CPU up to run guests, once; everything that differs between vCPUs is [`crate::Vcpu::start`]'s.
pub fn init_cpu() {
    let features = Features::new(&IdRegisters::of_this_cpu());
    let midr = read!("MIDR_EL1");
    let pmcr = if features.pmu { read!("PMCR_EL0") } else { 0 };
    // SAFETY: EL2's own control registers, with values that only concern the levels below; no guest runs yet. Those of
    // newer CPUs are written only where they exist.
    unsafe {
        write!("VTCR_EL2", paging::vtcr_el2(pa_range()));
        write!("VPIDR_EL2", midr);
        write!("HCR_EL2", features.hcr_el2());
        write!("CPTR_EL2", features.cptr_el2());
        write!("MDCR_EL2", features.mdcr_el2(pmcr));
        write!("CNTHCTL_EL2", CNTHCTL_EL2);
        write!("HSTR_EL2", 0); // traps of 32-bit coprocessor registers; none at 64-bit EL1
        if features.hcrx {
            write!("S3_4_C1_C2_2", 0); // HCRX_EL2
        }
        if features.fine_grained_traps {
            write!("S3_4_C1_C1_4", 0); // HFGRTR_EL2
            write!("S3_4_C1_C1_5", 0); // HFGWTR_EL2
            write!("S3_4_C1_C1_6", 0); // HFGITR_EL2
            write!("S3_4_C3_C1_4", 0); // HDFGRTR_EL2
            write!("S3_4_C3_C1_5", 0); // HDFGWTR_EL2
        }
        core::arch::asm!("isb", options(nostack, preserves_flags));
    }
}

/// The guest on this CPU as it is interrupted now.
pub(crate) fn interrupted(features: &Features) -> Interrupted {
    Interrupted {
        pc: read!("ELR_EL2"),
        pstate: read!("SPSR_EL2"),
        sctlr: read!("SCTLR_EL1"),
        vbar: read!("VBAR_EL1"),
        has_pan: features.pan,
        has_ssbs: features.ssbs,
    }
}

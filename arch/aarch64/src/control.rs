//! EL2's control over EL1 on this CPU: what traps, what is shown, where time and interrupts go.

use crate::inject::Interrupted;
use crate::paging;
use crate::registers::{read, write};
use crate::syndrome::SysReg;
pub(crate) enum Answer { Value(u64), Ignore, Undefined, Sgi, Sgi0, Deactivate, Unlisted }
pub(crate) fn read(_r: SysReg) -> Answer { Answer::Unlisted }
pub(crate) fn write(r: SysReg, _v: u64) -> Answer {
    if r == SysReg::new(3,0,12,11,5) { return Answer::Sgi }
    if r == SysReg::new(3,0,12,11,1) { return Answer::Deactivate }
    Answer::Unlisted }
pub(crate) fn has_pointer_authentication() -> bool { false }

pub(crate) fn interrupted() -> Interrupted {
    Interrupted { pc: read!("ELR_EL2"), pstate: read!("SPSR_EL2"), sctlr: read!("SCTLR_EL1"), vbar: read!("VBAR_EL1"), has_pan: false, has_ssbs: false }
}

/// Bits of guest-physical address on this CPU.
pub fn ipa_bits() -> u32 {
    paging::ipa_bits((read!("ID_AA64MMFR0_EL1") & 0xf) as u8)
}

/// init
pub fn init_cpu() {
    let pa = (read!("ID_AA64MMFR0_EL1") & 0xf) as u8;
    unsafe {
        write!("VTCR_EL2", paging::vtcr_el2(pa));
        write!("HCR_EL2", 1 | 1<<1 | 1<<3 | 1<<4 | 1<<5 | 1<<19 | 1 << 31);
        write!("CPTR_EL2", 0x33ff & !(1<<10) & !(1 << 8));
        write!("CNTHCTL_EL2", 3);
        write!("HSTR_EL2", 0);
        write!("MDCR_EL2", read!("MDCR_EL2") & 0x1f);
        core::arch::asm!("isb");
    }
}

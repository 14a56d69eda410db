//! Where a guest goes on after an exit: into an exception at EL1, or past the instruction that was emulated.
//!
//! Both are pure functions on the few registers involved. The exception is taken as the CPU itself would take it:
//! Arm ARM DDI 0487, J1 `AArch64.TakeException()` with EL1 as its target.

/// The guest's registers that decide how EL1 takes an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// ELR_EL2: the instruction that left.
    pub pc: u64,
    /// SPSR_EL2.
    pub pstate: u64,
    /// SCTLR_EL1.
    pub sctlr: u64,
    /// VBAR_EL1.
    pub vbar: u64,
    /// The CPU has FEAT_PAN (ID_AA64MMFR1_EL1.PAN is not zero).
    pub has_pan: bool,
    /// The CPU has FEAT_SSBS (ID_AA64PFR1_EL1.SSBS is not zero).
    pub has_ssbs: bool,
}

/// An exception that the hypervisor makes EL1 take. `far` is the virtual address at fault, `None` if it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// An undefined instruction.
    Undefined,
    /// A synchronous external abort on a load or store: nothing answers at that address.
    DataAbort {
        /// For FAR_EL1.
        far: Option<u64>,
    },
    /// A synchronous external abort on a fetch.
    InstructionAbort {
        /// For FAR_EL1.
        far: Option<u64>,
    },
}

/// What the registers become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// For ELR_EL2: the vector.
    pub pc: u64,
    /// For SPSR_EL2.
    pub pstate: u64,
    /// For ELR_EL1.
    pub elr: u64,
    /// For SPSR_EL1.
    pub spsr: u64,
    /// For ESR_EL1.
    pub esr: u64,
    /// For FAR_EL1, unless it keeps its value.
    pub far: Option<u64>,
}

/// PSTATE as an SPSR has it (DDI 0487 D24.2, SPSR_EL2).
mod pstate {
    pub(super) const NZCV: u64 = 0xf << 28;
    pub(super) const DIT: u64 = 1 << 24;
    pub(super) const PAN: u64 = 1 << 22;
    /// Software step.
    pub(super) const SS: u64 = 1 << 21;
    pub(super) const SSBS: u64 = 1 << 12;
    /// AArch64 only; AArch32 has IT there.
    pub(super) const BTYPE: u64 = 0b11 << 10;
    pub(super) const DAIF: u64 = 0xf << 6;
    /// AArch32: T32 instructions.
    pub(super) const T: u64 = 1 << 5;
    pub(super) const AARCH32: u64 = 1 << 4;
    /// M\[3:0\]: the exception level in 3:2, the stack pointer in 0.
    pub(super) const MODE: u64 = 0xf;
    pub(super) const EL1T: u64 = 0b0100;
    pub(super) const EL1H: u64 = 0b0101;
}

/// SCTLR_EL1.SPAN: PAN keeps its value on an exception.
const SCTLR_SPAN: u64 = 1 << 23;
/// SCTLR_EL1.DSSBS: the value of SSBS on an exception.
const SCTLR_DSSBS: u64 = 1 << 44;

/// ESR_ELx.IL. Set for EC 0, for every instruction abort and for data aborts without ISV, whatever the length of the
/// instruction (DDI 0487 D24.2, ESR_EL1.IL).
const ESR_IL: u64 = 1 << 25;
/// ISS.FnV: FAR is not valid.
const ESR_FNV: u64 = 1 << 10;
/// DFSC and IFSC: synchronous external abort, not on a table walk. The forms for a walk need the level of the guest's
/// walk, which ESR_EL2 does not tell (with S1PTW it has that of the second stage).
const FSC_EXTERNAL: u64 = 0b01_0000;

/// Takes `exception` to EL1.
pub fn take(guest: &Interrupted, exception: Exception) -> Taken {
    let old = guest.pstate;
    let mode = old & pstate::MODE;
    let is_el1 = old & pstate::AARCH32 == 0 && matches!(mode, pstate::EL1T | pstate::EL1H);

    // Offsets of the synchronous vectors (DDI 0487 D1.3.1.5).
    let offset = match (old & pstate::AARCH32 != 0, mode) {
        (true, _) => 0x600,
        (false, pstate::EL1T) => 0x000,
        (false, pstate::EL1H) => 0x200,
        (false, _) => 0x400,
    };

    // The flags and DIT stay. UAO, SS, IL and BTYPE become zero, and so does TCO: guests have no MTE.
    let mut new = old & (pstate::NZCV | pstate::DIT | pstate::PAN) | pstate::DAIF | pstate::EL1H;
    if guest.has_pan && guest.sctlr & SCTLR_SPAN == 0 {
        new |= pstate::PAN;
    }
    if guest.has_ssbs && guest.sctlr & SCTLR_DSSBS != 0 {
        new |= pstate::SSBS;
    }

    // Aborts have one class for a lower exception level and the next one for the same level.
    let abort = |class: u64, far: Option<u64>| {
        let class = class | u64::from(is_el1);
        class << 26 | ESR_IL | far.map_or(ESR_FNV, |_| 0) | FSC_EXTERNAL
    };
    let (esr, far) = match exception {
        Exception::Undefined => (ESR_IL, None),
        Exception::InstructionAbort { far } => (abort(0x20, far), far),
        Exception::DataAbort { far } => (abort(0x24, far), far),
    };
    // VBAR_EL1 is 2 KiB aligned: its low bits are RES0.
    Taken { pc: guest.vbar & !0x7ff | offset, pstate: new, elr: guest.pc, spsr: old, esr, far }
}

/// PSTATE of 32-bit code.
pub const AARCH32: u64 = pstate::AARCH32;

/// The pc and PSTATE after a 64-bit instruction that was emulated.
#[inline]
pub const fn skip_64(pc: u64, pstate: u64) -> (u64, u64) {
    // The step that the instruction was is done (D2.12.5): the guest's own debugger gets its exception next.
    (pc.wrapping_add(4), pstate & !(pstate::SS | pstate::BTYPE))
}

/// The pc and PSTATE after an instruction of `instruction_bytes` that was emulated.
pub fn skip(pc: u64, pstate: u64, instruction_bytes: u64) -> (u64, u64) {
    if pstate & AARCH32 == 0 {
        return skip_64(pc, pstate);
    }
    let next = pc.wrapping_add(instruction_bytes);
    let stepped = pstate & !pstate::SS;
    let after = if pstate & pstate::T != 0 { advance_it(stepped) } else { stepped };
    (next & 0xffff_ffff, after)
}

/// `ITAdvance()` of J1: IT\[7:2\] is in bits 15:10 and IT\[1:0\] in bits 26:25.
fn advance_it(pstate: u64) -> u64 {
    let it = pstate >> 8 & 0xfc | pstate >> 25 & 0b11;
    let next = if it & 0b111 == 0 { 0 } else { it & 0xe0 | it << 1 & 0x1f };
    pstate & !(0xfc << 8 | 0b11 << 25) | (next & 0xfc) << 8 | (next & 0b11) << 25
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLAGS: u64 = 0b1010 << 28;
    /// SCTLR_EL1 with SPAN set, as a CPU without PAN has it.
    const SPAN: u64 = 1 << 23;

    fn guest(pstate: u64, sctlr: u64) -> Interrupted {
        let vbar = 0xffff_8000_0801_0800;
        Interrupted { pc: 0x4000_1234, pstate, sctlr, vbar, has_pan: true, has_ssbs: true }
    }

    fn vector(pstate: u64) -> u64 {
        take(&guest(pstate, SPAN), Exception::Undefined).pc & 0x7ff
    }

    #[test]
    fn vectors_by_where_the_guest_was() {
        assert_eq!((vector(0x3c4), vector(0x3c5), vector(0x3c0), vector(0x1d0)), (0, 0x200, 0x400, 0x600));
        assert_eq!(take(&guest(0x3c5, SPAN), Exception::Undefined).pc, 0xffff_8000_0801_0a00);
    }

    #[test]
    fn an_undefined_instruction() {
        let old = FLAGS | pstate::SS | 1 << 20 | 1 << 23 | pstate::BTYPE | pstate::SSBS;
        let taken = take(&guest(old, SPAN), Exception::Undefined);
        assert_eq!((taken.elr, taken.spsr, taken.esr, taken.far), (0x4000_1234, old, 0x0200_0000, None));
        // Only the flags stay; everything is masked; EL1 on its own stack.
        assert_eq!(taken.pstate, FLAGS | 0x3c5);
    }

    #[test]
    fn pan_and_ssbs_follow_sctlr_where_they_exist() {
        let pstate_after = |old, sctlr, has| {
            let guest = Interrupted { has_pan: has, has_ssbs: has, ..guest(old, sctlr) };
            take(&guest, Exception::Undefined).pstate
        };
        assert_eq!(pstate_after(0, 0, true), pstate::PAN | 0x3c5);
        assert_eq!(pstate_after(0, 0, false), 0x3c5);
        assert_eq!(pstate_after(pstate::PAN, SPAN, true), pstate::PAN | 0x3c5);
        assert_eq!(pstate_after(0, SPAN | 1 << 44, true), pstate::SSBS | 0x3c5);
        assert_eq!(pstate_after(0, SPAN | 1 << 44, false), 0x3c5);
        assert_eq!(pstate_after(pstate::DIT, SPAN, true), pstate::DIT | 0x3c5);
    }

    #[test]
    fn aborts_name_the_level_and_the_address() {
        let far = Some(0xdead_0000);
        let esr = |pstate, exception| take(&guest(pstate, SPAN), exception).esr;
        assert_eq!(esr(0x5, Exception::DataAbort { far }), 0x9600_0010);
        assert_eq!(esr(0x0, Exception::DataAbort { far }), 0x9200_0010);
        assert_eq!(esr(0x10, Exception::DataAbort { far }), 0x9200_0010);
        assert_eq!(esr(0x4, Exception::InstructionAbort { far }), 0x8600_0010);
        assert_eq!(esr(0x0, Exception::InstructionAbort { far: None }), 0x8200_0410);
        assert_eq!(take(&guest(0, SPAN), Exception::DataAbort { far }).far, far);
    }

    #[test]
    fn an_emulated_instruction_is_stepped_over() {
        assert_eq!(skip(0x1000, FLAGS | pstate::SS | pstate::BTYPE | 0x5, 4), (0x1004, FLAGS | 0x5));
        // A32 and T32 outside of an IT block; the address wraps at 4 GiB.
        assert_eq!(skip(0xffff_fffc, 0x10, 4), (0, 0x10));
        assert_eq!(skip(0x1000, 0x30, 2), (0x1002, 0x30));
    }

    #[test]
    fn an_it_block_advances() {
        // ITTE EQ: IT = 0000_0110, then 0000_1100, 0001_1000, and done.
        let it = |it: u64| 0x30 | (it & 0xfc) << 8 | (it & 3) << 25;
        assert_eq!(skip(0, it(0b0000_0110), 2).1, it(0b0000_1100));
        assert_eq!(skip(0, it(0b0000_1100), 2).1, it(0b0001_1000));
        assert_eq!(skip(0, it(0b0001_1000), 2).1, it(0));
        // The same bits of A32 code are left alone.
        assert_eq!(skip(0, it(0b0000_0110) & !pstate::T, 4).1, it(0b0000_0110) & !pstate::T);
    }

    proptest! {
        #[test]
        fn el1_always_gets_a_state_that_it_may_be_in(
            pc: u64, pstate: u64, sctlr: u64, vbar: u64, has_pan: bool, has_ssbs: bool
        ) {
            let taken = take(&Interrupted { pc, pstate, sctlr, vbar, has_pan, has_ssbs }, Exception::Undefined);
            // Never EL2 or EL3, never AArch32, never IL or SS, interrupts masked, at a vector.
            prop_assert_eq!(taken.pstate & 0x1f, pstate::EL1H);
            prop_assert_eq!(taken.pstate & (pstate::SS | 1 << 20), 0);
            prop_assert_eq!(taken.pstate & pstate::DAIF, pstate::DAIF);
            prop_assert_eq!(taken.pc & !0x7ff, vbar & !0x7ff);
            prop_assert_eq!((taken.elr, taken.spsr), (pc, pstate));
        }
    }
}

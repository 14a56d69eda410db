//! The control registers of EL2 that make the table hold: what traps and what does not, each bit with its reason.
//!
//! A bit that belongs to an extension is set only where the CPU has it: elsewhere it is RES0, and software that sets
//! RES0 bits may mean something else on a later CPU.

use super::id::{
    ID_AA64DFR0_EL1, ID_AA64ISAR1_EL1, ID_AA64ISAR2_EL1, ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, ID_AA64PFR0_EL1,
    ID_AA64PFR1_EL1, IdRegisters,
};

/// What of the host matters to EL2's control registers and to exceptions that are injected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Pointer authentication by any algorithm.
    pub pointer_authentication: bool,
    /// Privileged access never.
    pub pan: bool,
    /// Speculative store bypass safe.
    pub ssbs: bool,
    /// HCRX_EL2 exists. The value for guests is zero: all that it enables is hidden.
    pub hcrx: bool,
    /// The fine-grained trap registers (HFGRTR_EL2, HFGWTR_EL2, HFGITR_EL2, HDFGRTR_EL2, HDFGWTR_EL2) exist and are
    /// UNKNOWN out of reset. The value for guests is zero: nothing of theirs traps, and the bits of inverse sense trap
    /// what is hidden.
    pub fine_grained_traps: bool,
    mte: bool,
    /// Error records, and with them the deferred errors of VDISR_EL2.
    pub ras: bool,
    /// Scalable matrices, and with them TPIDR2_EL0.
    pub sme: bool,
    amu: bool,
    lor: bool,
    /// Performance monitors: PMCR_EL0 exists.
    pub pmu: bool,
    pmu_v3p1: bool,
    trace: bool,
    trace_filter: bool,
    profiling: bool,
}

impl Features {
    /// Of a CPU with the ID registers `host`.
    pub fn new(host: &IdRegisters) -> Features {
        let version = |register, shift| host.field(register, shift);
        let has = |register, shift| version(register, shift) != 0;
        // PMUVer: 0xf is a unit that is not the architecture's.
        let pmu = version(ID_AA64DFR0_EL1, 8);
        Features {
            pointer_authentication: [4, 8, 24, 28].into_iter().any(|shift| has(ID_AA64ISAR1_EL1, shift))
                || [8, 12].into_iter().any(|shift| has(ID_AA64ISAR2_EL1, shift)),
            pan: has(ID_AA64MMFR1_EL1, 20),
            ssbs: has(ID_AA64PFR1_EL1, 4),
            hcrx: has(ID_AA64MMFR1_EL1, 40),
            fine_grained_traps: has(ID_AA64MMFR0_EL1, 56),
            mte: version(ID_AA64PFR1_EL1, 8) >= 2,
            ras: has(ID_AA64PFR0_EL1, 28),
            sme: has(ID_AA64PFR1_EL1, 24),
            amu: has(ID_AA64PFR0_EL1, 44),
            lor: has(ID_AA64MMFR1_EL1, 16),
            pmu: (1..0xf).contains(&pmu),
            pmu_v3p1: (4..0xf).contains(&pmu),
            trace: has(ID_AA64DFR0_EL1, 4),
            trace_filter: has(ID_AA64DFR0_EL1, 40),
            profiling: has(ID_AA64DFR0_EL1, 32),
        }
    }

    /// HCR_EL2 while a guest runs.
    pub const fn hcr_el2(&self) -> u64 {
        (1 << 0) // VM: the second stage is on
            | (1 << 1) // SWIO: invalidation by set and way would lose dirty lines; clean as well
            | (1 << 3) // FMO: FIQs go to EL2; virtual FIQs exist
            | (1 << 4) // IMO: IRQs go to EL2; virtual IRQs exist; ICC_* are the virtual interface
            | (1 << 5) // AMO: SErrors go to EL2; the guest can mask only virtual ones
            // TWI, TWE = 0: a vCPU that does not share its pCPU waits there ([`Features::hcr_el2_shared`]).
            | (1 << 16) // TID1: REVIDR_EL1, AIDR_EL1, SMIDR_EL1
            | (1 << 18) // TID3: the group of ID registers
            | (1 << 19) // TSC: SMC is for us, nothing reaches the firmware
            | (1 << 20) // TIDCP: implementation-defined registers
            | (1 << 21) // TACR: ACTLR_EL1
            | (1 << 22) // TSW: maintenance by set and way
            // TVM = 0, but for a while after maintenance by set and way; TRVM = 0: the guest's translation registers are its
            // own. HCD = 0: HVC is how it calls.
            | (1 << 31) // RW: EL1 is 64-bit; EL0 is what EL1 says
            // TEA = 0: an external abort on the guest's own access is the guest's.
            | bit(self.lor, 35) // TLOR: limited ordering regions are hidden
            | bit(self.ras, 36) // TERR: error records are hidden
            // Pointer authentication is the guest's own: instructions and keys do not trap.
            | bit(self.pointer_authentication, 40) // APK
            | bit(self.pointer_authentication, 41) // API
            // EnSCXT = 0, ATA = 0, FIEN = 0, E2H = 0, NV = 0: hidden.
            | bit(self.mte, 58) // TID5: GMID_EL1
    }

    /// HCR_EL2 while a guest runs that gives its pCPU to others when it waits.
    pub const fn hcr_el2_shared(&self) -> u64 {
        self.hcr_el2() | (1 << 13) // TWI: it waits for an interrupt
            | (1 << 14) // TWE: it waits for an event, of another vCPU that may need this pCPU
    }

    /// CPTR_EL2, HCR_EL2.E2H = 0: FP and SIMD are the guest's own, what else there is is hidden.
    pub const fn cptr_el2(&self) -> u64 {
        // RES1. TZ, bit 8, and TSM, bit 12, are RES1 without SVE and SME, and trap with them.
        let res1 = 0x33ff;
        res1 | bit(self.trace, 20) // TTA: trace registers
            | bit(self.amu, 30) // TAM: activity monitors
        // TFP, bit 10, = 0: FP and SIMD. TCPAC, bit 31, = 0: CPACR_EL1 is the guest's.
    }

    /// MDCR_EL2. `pmcr` is PMCR_EL0, of which N counts.
    pub const fn mdcr_el2(&self, pmcr: u64) -> u64 {
        // HPMN: as many counters as there are; fewer than one would be CONSTRAINED UNPREDICTABLE.
        let counters = if self.pmu { pmcr >> 11 & 0x1f } else { 0 };
        counters
            | bit(self.pmu, 5) // TPMCR
            | bit(self.pmu, 6) // TPM: performance monitors are hidden
            // TDE, TDA, TDOSA = 0: breakpoints, watchpoints and the OS lock are the guest's own.
            | (1 << 11) // TDRA: the address of the debug ROM is the host's
            // E2PB, E2TB = 0: the buffers are EL2's, and EL1's accesses trap.
            | bit(self.profiling, 14) // TPMS: statistical profiling
            | bit(self.pmu_v3p1, 17) // HPMD: nothing is counted at EL2
            | bit(self.trace_filter, 19) // TTRF: TRFCR_EL1
    }
}

/// CNTHCTL_EL2, HCR_EL2.E2H = 0: EL1PCTEN and EL1PCEN, the physical counter and timer are the guest's to use; no event
/// stream of EL2's own.
pub const CNTHCTL_EL2: u64 = 0b11;

const fn bit(condition: bool, bit: u32) -> u64 {
    if condition { 1 << bit } else { 0 }
}

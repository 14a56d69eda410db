//! Model-specific registers: the table of what a guest's RDMSR and WRMSR do, where they leave the guest.
//!
//! A register is switched by the CPU, and then `svm` lets the guest at it; or [`ROWS`] says what happens; or it is unlisted, and
//! `unsupported` in the VM's file decides. Registers of features that [`crate::cpuid`] hides are not here: on a CPU without them
//! they do not exist. Those that exist on every CPU of AMD's of the last years, and that kernels read without a question, are.
//!
//! APM volume 2, appendix A; for families of AMD's, their processor programming references.
#![forbid(unsafe_code)]

mod mtrr;
#[cfg(test)]
mod tests;

pub use mtrr::Mtrrs;

use crate::pvclock;

/// What a read or a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The read gives this value.
    Value(u64),
    /// The write does nothing.
    Ignore,
    /// #GP(0).
    Refused,
    /// It is one of the vCPU's own.
    Own(Own),
    /// Not in the table.
    Unlisted,
}

/// Registers that have a state of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The time-stamp counter.
    Tsc,
    /// What the guest has added to it.
    TscAdjust,
    /// The local APIC's: its base, its timer's deadline, and an x2APIC's registers.
    LocalApic,
    /// EFER.
    Efer,
    /// Memory types: [`Mtrrs`].
    Mtrr(u32),
    /// Bit 0 of a write: an indirect branch prediction barrier.
    Barrier,
    /// KVM's: where the vCPU is told the time.
    Clock,
}

/// What a row of the table says.
#[derive(Clone, Copy)]
enum Policy {
    /// Reads give a constant, writes are ignored.
    Constant(u64),
    /// Reads give a constant, writes are refused.
    ReadOnly(u64),
    /// The vCPU's own.
    Own(Own),
    /// A memory type's: each has a number of its own.
    Mtrr,
    /// Reads are refused.
    Barrier,
    /// There is none, and kernels know what that means.
    Absent,
}

/// A range of registers, both ends included, and what is done about them.
struct Row(u32, u32, Policy);

const fn one(register: u32, policy: Policy) -> Row {
    Row(register, register, policy)
}

/// Forgets predictions of branches.
pub const PRED_CMD: u32 = 0x49;

/// The table, the frequent ones first.
const ROWS: &[Row] = &[
    one(0x6e0, Policy::Own(Own::LocalApic)),
    Row(0x800, 0x8ff, Policy::Own(Own::LocalApic)),
    one(0xc000_0080, Policy::Own(Own::Efer)),
    one(0x10, Policy::Own(Own::Tsc)),
    one(0x1b, Policy::Own(Own::LocalApic)),
    one(0x3b, Policy::Own(Own::TscAdjust)),
    one(PRED_CMD, Policy::Barrier),
    Row(pvclock::WALL_CLOCK, pvclock::SYSTEM_TIME, Policy::Own(Own::Clock)),
    one(pvclock::STEAL_TIME, Policy::Own(Own::Clock)),
    // Revision of the microcode: high enough that no kernel misses an update's features; the load of an update is ignored.
    one(0x8b, Policy::Constant(0xffff_ffff)),
    one(0xc001_0020, Policy::Constant(0)),
    // MTRRs: cap (eight pairs, fixed ones, write-combining), pairs, fixed ones, default.
    one(0xfe, Policy::ReadOnly(mtrr::CAP)),
    Row(0x200, 0x20f, Policy::Mtrr),
    one(0x250, Policy::Mtrr),
    Row(0x258, 0x259, Policy::Mtrr),
    Row(0x268, 0x26f, Policy::Mtrr),
    one(0x2ff, Policy::Mtrr),
    // Machine checks: no banks, no control, nothing to report. The status is written with zero to clear it.
    one(0x179, Policy::ReadOnly(0)),
    one(0x17a, Policy::Constant(0)),
    // Fast strings.
    one(0x1a0, Policy::Constant(1)),
    // DebugCtl: no branch records, no single-step on branches. The last branches and exceptions are nobody's.
    one(0x1d9, Policy::Constant(0)),
    Row(0x1db, 0x1de, Policy::ReadOnly(0)),
    // Of Intel's that kernels probe for on any CPU: platform, energy.
    one(0x17, Policy::ReadOnly(0)),
    // Performance counters of the K7: CPUID does not tell of them, and kernels try.
    Row(0xc001_0000, 0xc001_0007, Policy::Constant(0)),
    // SYSCFG: nothing of the board's memory map. HWCR: the TSC counts at P0's frequency (bit 24). TOP_MEM and TOP_MEM2, IORRs.
    one(0xc001_0010, Policy::Constant(0)),
    one(0xc001_0015, Policy::Constant(1 << 24)),
    Row(0xc001_0016, 0xc001_0019, Policy::Constant(0)),
    one(0xc001_001a, Policy::Constant(0)),
    one(0xc001_001d, Policy::Constant(0)),
    // Northbridge configuration; C1E (INT_PENDING_MSG); patch loader.
    one(0xc001_001f, Policy::Constant(0)),
    one(0xc001_0055, Policy::Constant(0)),
    // P-states: one, the current one, without a definition.
    one(0xc001_0061, Policy::ReadOnly(0)),
    one(0xc001_0062, Policy::Constant(0)),
    one(0xc001_0063, Policy::ReadOnly(0)),
    Row(0xc001_0064, 0xc001_006b, Policy::Constant(0)),
    // C-state's port, SMM base and mask: there is neither.
    one(0xc001_0073, Policy::Constant(0)),
    Row(0xc001_0111, 0xc001_0113, Policy::Constant(0)),
    // VM_CR: SVM is disabled, and locked so (CPUID hides it).
    one(0xc001_0114, Policy::ReadOnly(1 << 4 | 1 << 3)),
    // The features' words that firmware overrides by; configurations of load-store, fetch, data cache, decode (LFENCE
    // serializes, bit 1), bus unit.
    Row(0xc001_1002, 0xc001_1005, Policy::Absent),
    Row(0xc001_1020, 0xc001_1028, Policy::Constant(0)),
    one(0xc001_1029, Policy::Constant(1 << 1)),
    Row(0xc001_102a, 0xc001_102d, Policy::Constant(0)),
];

/// What about a CPU decides what registers there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Has {
    /// PRED_CMD.
    pub barrier: bool,
}

fn policy(register: u32) -> Option<Policy> {
    ROWS.iter().find(|row| row.0 <= register && register <= row.1).map(|row| row.2)
}

/// What RDMSR of `register` does.
#[inline]
pub fn read(register: u32) -> Answer {
    match policy(register) {
        Some(Policy::Constant(value) | Policy::ReadOnly(value)) => Answer::Value(value),
        Some(Policy::Own(own)) => Answer::Own(own),
        Some(Policy::Mtrr) => Answer::Own(Own::Mtrr(register)),
        Some(Policy::Barrier | Policy::Absent) => Answer::Refused,
        None => Answer::Unlisted,
    }
}

/// What WRMSR of `register` does, on a CPU that has `has`.
#[inline]
pub fn write(register: u32, has: Has) -> Answer {
    match policy(register) {
        Some(Policy::Constant(_)) => Answer::Ignore,
        Some(Policy::Own(own)) => Answer::Own(own),
        Some(Policy::Mtrr) => Answer::Own(Own::Mtrr(register)),
        Some(Policy::Barrier) if has.barrier => Answer::Own(Own::Barrier),
        Some(Policy::ReadOnly(_) | Policy::Barrier | Policy::Absent) => Answer::Refused,
        None => Answer::Unlisted,
    }
}

//! Which features guests see. A bit that is not listed is hidden; those that are hidden on purpose are named where one might look
//! for them.

use super::{BASIC, EXTENDED, EXTENDED_BASE, Machine, Words};

/// Bits of a word.
const fn bits(list: &[u32]) -> u32 {
    let mut word = 0;
    let mut rest = list;
    while let [bit, more @ ..] = rest {
        word |= 1 << *bit;
        rest = more;
    }
    word
}

/// Leaf 1 ECX: CR4.OSXSAVE, as the vCPU has it.
pub(super) const OSXSAVE: u32 = 1 << 27;
/// Leaf 1 ECX: XSAVE.
pub(super) const XSAVE: u32 = 1 << 26;
/// Leaf 1 ECX: AVX.
pub(super) const AVX: u32 = 1 << 28;
/// Leaf 1 EDX: the local APIC is on.
pub(super) const APIC: u32 = 1 << 9;
/// Leaf 1 EDX: more than one logical processor in the package.
pub(super) const HTT: u32 = 1 << 28;
/// Leaf 0x8000_0001 ECX: they are cores.
pub(super) const CMP_LEGACY: u32 = 1 << 1;
/// Leaf 0x8000_0001 ECX: leaf 0x8000_001e (and 0x8000_001d, of caches, which says that there is nothing to say).
pub(super) const TOPOLOGY: u32 = 1 << 22;
/// Leaf 0x8000_0001 ECX: XOP, FMA4.
pub(super) const AVX_OF_AMD: u32 = 1 << 11 | 1 << 16;
/// Leaf 0x8000_0001 EDX: no-execute pages.
pub(super) const NX: u32 = 1 << 20;
/// Leaf 0x8000_0001 EDX: RDTSCP.
pub(super) const RDTSCP: u32 = 1 << 27;
/// Leaf 7 ECX: RDPID.
pub(super) const RDPID: u32 = 1 << 22;
/// Leaf 0x8000_0008 EBX: PRED_CMD.
pub(super) const IBPB: u32 = 1 << 12;

// Bits of leaf 1 that decide about CR4.
const VME: u32 = 1 << 1;
const DE: u32 = 1 << 2;
const PSE: u32 = 1 << 3;
const TSC: u32 = 1 << 4;
const PAE: u32 = 1 << 6;
const MCE: u32 = 1 << 7;
const PGE: u32 = 1 << 13;
const FXSR: u32 = 1 << 24;
const SSE: u32 = 1 << 25;
const PCID: u32 = 1 << 17;

/// Leaf 1 EDX: x87, VME, DE, PSE, TSC, MSR, PAE, MCE, CX8, APIC, SEP, MTRR, PGE, MCA, CMOV, PAT, PSE-36, CLFLUSH, MMX, FXSR, SSE,
/// SSE2.
const LEAF_1_EDX: u32 = bits(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 19, 23, 24, 25, 26]);
/// Leaf 1 ECX: SSE3, PCLMUL, SSSE3, FMA, CX16, PCID, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE, AVX, F16C, RDRAND. Not MONITOR (3),
/// VMX (5), PDCM (15).
const LEAF_1_ECX: u32 = bits(&[0, 1, 9, 12, 13, 17, 19, 20, 22, 23, 25, 26, 28, 29, 30]);
/// Leaf 1 ECX, ours whatever the CPU has: x2APIC, the TSC deadline, a hypervisor.
const LEAF_1_ECX_OURS: u32 = bits(&[21, 24, 31]);
/// Leaf 7 EBX: FSGSBASE, BMI1, AVX2, SMEP, BMI2, ERMS, INVPCID, RDSEED, ADX, SMAP, CLFLUSHOPT, CLWB, SHA. Not the monitoring and
/// allocation of caches (12, 15).
const LEAF_7_EBX: u32 = bits(&[0, 3, 5, 7, 8, 9, 10, 18, 19, 20, 23, 24, 29]);
/// Leaf 7 EBX, ours: TSC_ADJUST.
const LEAF_7_EBX_OURS: u32 = bits(&[1]);
/// Leaf 7 ECX: UMIP, VAES, VPCLMULQDQ, RDPID. Not PKU (3) and shadow stacks (7), whose state nobody switches, nor LA57 (16).
const LEAF_7_ECX: u32 = bits(&[2, 9, 10, 22]);
/// Leaf 7 EDX: short REP MOV. Not Intel's SPEC_CTRL and its likes (26 to 31): AMD's are in leaf 0x8000_0008.
const LEAF_7_EDX: u32 = bits(&[4]);

/// Leaf 0x8000_0001 EDX beyond leaf 1's: SYSCALL, NX, MMXEXT, 1 GiB pages, RDTSCP, long mode, 3DNow!. Not FFXSR (25).
const EXTENDED_1_EDX: u32 = LEAF_1_EDX & !bits(&[11, 19, 25, 26]) | bits(&[11, 20, 22, 26, 27, 29, 30, 31]);
/// Leaf 0x8000_0001 ECX: LAHF, AltMovCr8, ABM, SSE4A, misaligned SSE, PREFETCH, XOP, FMA4, TBM. Not SVM (2), the APIC's
/// extended space (3), OSVW (9), IBS (10), SKINIT (12), watchdog (13), LWP (15), TCE (17), performance counters (23, 24, 28),
/// MONITORX (29).
const EXTENDED_1_ECX: u32 = bits(&[0, 4, 5, 6, 7, 8, 11, 16, 21]);
/// Leaf 0x8000_0008 EBX: CLZERO, the x87 error pointers by XSAVE, the barrier by PRED_CMD. Not IRPERF (1), INVLPGB (3), RDPRU
/// (4), MCOMMIT (8), WBNOINVD (9), VIRT_SPEC_CTRL (25).
const EXTENDED_8_EBX: u32 = bits(&[0, 2, 12]);
/// Leaf 0x8000_0008 EBX where the CPU switches SPEC_CTRL: IBRS, STIBP, always-on forms, preferences, SSBD, SSBD not needed, PSFD.
const SPECULATION: u32 = bits(&[14, 15, 16, 17, 18, 24, 26, 28]);
/// Leaf 0x8000_0021 EAX: LFENCE always serializes, a null selector clears the base.
const EXTENDED_21_EAX: u32 = bits(&[2, 6]);
/// Leaf 0x8000_0007 EDX: the TSC is invariant. Our own clock is that one.
const INVARIANT_TSC: u32 = 1 << 8;
/// Leaf 6 EAX: the local APIC's timer never stops. (It is ours.)
const ARAT: u32 = 1 << 2;

/// Leaf 0x4000_0101 EAX: no delays between port accesses, the clock by its second registers, stolen time, a clock that is the same on
/// all vCPUs. Not the first registers of the clock (0), nor what needs hypercalls or interrupts of KVM's (4, 6, 7, 9, 11, 13, 14).
pub(super) const KVM_EAX: u32 = bits(&[1, 3, 5, 24]);

/// Hides and shows, in the basic range.
pub(super) fn basic(leaves: &mut [Words; BASIC], machine: &Machine) {
    for (leaf, words) in leaves.iter_mut().enumerate() {
        let [eax, ebx, ecx, edx] = words;
        match leaf {
            // The vendor; as many leaves as there are here.
            0 => *eax = (BASIC as u32).wrapping_sub(1),
            1 => {
                // Brand and CLFLUSH's line; the rest is topology.
                *ebx &= 0xffff;
                *ecx = *ecx & LEAF_1_ECX | LEAF_1_ECX_OURS;
                *edx &= LEAF_1_EDX;
            }
            6 => *words = [ARAT, 0, 0, 0],
            7 => *words = [0, *ebx & LEAF_7_EBX | LEAF_7_EBX_OURS, *ecx & LEAF_7_ECX, *edx & LEAF_7_EDX],
            // Told by `xstate`.
            0xd => {}
            0x15 => *words = time_stamp(machine.tsc_hz),
            // Base and highest frequency in MHz, bus. 16 bits each.
            0x16 => {
                let mhz = u32::try_from(machine.tsc_hz / 1_000_000).unwrap_or(0).min(0xffff);
                *words = [mhz, mhz, 100, 0];
            }
            _ => *words = [0; 4],
        }
    }
}

/// The TSC as a multiple (EBX over EAX) of a crystal (ECX, in Hz), which has 32 bits.
fn time_stamp(hz: u64) -> Words {
    let times = (hz >> 32).wrapping_add(1);
    let crystal = hz.checked_div(times).unwrap_or(0);
    [1, times as u32, crystal as u32, 0]
}

/// Hides and shows, in the extended range.
pub(super) fn extended(leaves: &mut [Words; EXTENDED], machine: &Machine) {
    let gpa_bits = machine.gpa_bits;
    let speculation = if machine.switches_speculation_control { SPECULATION } else { 0 };
    for (leaf, words) in leaves.iter_mut().enumerate() {
        let [eax, ebx, ecx, edx] = words;
        match leaf {
            0 => *eax = EXTENDED_BASE.wrapping_add(EXTENDED as u32).wrapping_sub(1),
            1 => {
                *ecx = *ecx & EXTENDED_1_ECX | TOPOLOGY;
                *edx &= EXTENDED_1_EDX;
            }
            // The name. Caches and TLBs.
            2..=6 | 0x19 => {}
            7 => *words = [0, 0, 0, INVARIANT_TSC],
            // Linear addresses of 48 bits: LA57 is hidden.
            8 => *words = [gpa_bits | 48 << 8, *ebx & (EXTENDED_8_EBX | speculation), 0, 0],
            // Hints about performance.
            0x1a => *words = [*eax & 0b111, 0, 0, 0],
            0x21 => *words = [*eax & EXTENDED_21_EAX, 0, 0, 0],
            _ => *words = [0; 4],
        }
    }
}

/// The bits of CR4 that go with these words: leaf 1 ECX and EDX, leaf 7 EBX and ECX (APM volume 2, 3.1.3).
pub(super) const fn cr4([ecx, edx, ebx_7, ecx_7]: [u32; 4]) -> u64 {
    const fn with(word: u32, feature: u32, cr4: u64) -> u64 {
        if word & feature != 0 { cr4 } else { 0 }
    }
    with(edx, VME, 0b11)
        | with(edx, TSC, 1 << 2) // TSD
        | with(edx, DE, 1 << 3)
        | with(edx, PSE, 1 << 4)
        | with(edx, PAE, 1 << 5)
        | with(edx, MCE, 1 << 6)
        | with(edx, PGE, 1 << 7)
        // PCE: of users there is none to allow, but the bit is always there.
        | 1 << 8
        | with(edx, FXSR, 1 << 9)
        | with(edx, SSE, 1 << 10)
        | with(ecx_7, 1 << 2, 1 << 11) // UMIP
        | with(ebx_7, 1 << 0, 1 << 16) // FSGSBASE
        | with(ecx, PCID, crate::control::PCIDE)
        | with(ecx, XSAVE, crate::control::OSXSAVE)
        | with(ebx_7, 1 << 7, crate::control::SMEP)
        | with(ebx_7, 1 << 20, crate::control::SMAP)
}

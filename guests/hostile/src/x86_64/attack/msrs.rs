//! Model-specific registers: RDMSR and WRMSR of those that exist, their neighbours, and any.

use super::code::register::{RAX, RCX, RDX};
use super::{Code, Random};

/// Where MSRs are (APM volume 2, appendix A; SDM volume 4): first and how many.
const RANGES: &[(u32, u32)] = &[(0, 0x2000), (0xc000_0000, 0x2000), (0xc001_0000, 0x2000), (0x4000_0000, 0x100)];

/// Those that matter to guest or hypervisor.
const LIKELY: &[u32] = &[
    0x10,        // TSC
    0x1b,        // APIC_BASE
    0x3a,        // FEATURE_CONTROL
    0x48,        // SPEC_CTRL
    0x49,        // PRED_CMD
    0x8b,        // PATCH_LEVEL
    0xfe,        // MTRRcap
    0x174,       // SYSENTER_CS
    0x175,       // SYSENTER_ESP
    0x176,       // SYSENTER_EIP
    0x179,       // MCG_CAP
    0x17a,       // MCG_STATUS
    0x1a0,       // MISC_ENABLE
    0x1d9,       // DebugCtl
    0x200,       // MTRRphysBase0
    0x250,       // MTRRfix64K
    0x277,       // PAT
    0x2ff,       // MTRRdefType
    0x400,       // MC0_CTL
    0x6e0,       // TSC_DEADLINE
    0x802,       // x2APIC: ID
    0x808,       // TPR
    0x80b,       // EOI
    0x80f,       // SVR
    0x830,       // ICR
    0x832,       // LVT timer
    0x838,       // initial count
    0x83f,       // self-IPI
    0xda0,       // XSS
    0xc000_0080, // EFER
    0xc000_0081, // STAR
    0xc000_0082, // LSTAR
    0xc000_0083, // CSTAR
    0xc000_0084, // SFMASK
    0xc000_0100, // FS.base
    0xc000_0101, // GS.base
    0xc000_0102, // KernelGSbase
    0xc000_0103, // TSC_AUX
    0xc001_0010, // SYSCFG
    0xc001_0015, // HWCR
    0xc001_001a, // TOP_MEM
    0xc001_0111, // SMBASE
    0xc001_0114, // VM_CR
    0xc001_0115, // IGNNE
    0xc001_0117, // VM_HSAVE_PA
    0xc001_011f, // VIRT_SPEC_CTRL
];

/// What the guest itself stands on, time above all: written with what is in it.
const VITAL: &[u32] = &[0x10, 0x3b];

const ICR: u32 = 0x830;
const APIC_BASE: u32 = 0x1b;
const EFER: u32 = 0xc000_0080;

/// The value, without what would end this CPU: INIT and start-up by the x2APIC's ICR; long mode out of EFER (a bare TCG lets it go).
fn spared(msr: u32, value: u64) -> u64 {
    match msr {
        // Fixed, lowest priority, or NMI; and not by reserved ones.
        ICR => value & !0x700 | if value & 0x100 == 0 { 0 } else { 0x400 },
        EFER => value | 1 << 8 | 1 << 10,
        _ => value,
    }
}

/// `rdmsr`, or `wrmsr` of `value`.
fn put(code: &mut Code, msr: u32, value: Option<u64>) {
    code.constant(RCX, msr.into());
    let Some(value) = value.map(|value| spared(msr, value)) else { return code.put(&[0x0f, 0x32]) };
    if VITAL.contains(&msr) {
        code.put(&[0x0f, 0x32]);
    } else {
        code.constant(RAX, value & 0xffff_ffff);
        code.constant(RDX, value >> 32);
    }
    code.put(&[0x0f, 0x30]);
}

pub(super) fn at_random(random: &mut Random, code: &mut Code) {
    let msr = match random.below(8) {
        0..=3 => random.one_of(LIKELY),
        4..=6 => {
            let (first, count) = random.one_of(RANGES);
            first + random.below(count.into()) as u32
        }
        _ => random.next() as u32,
    };
    let value = match random.below(3) {
        0 if msr == APIC_BASE => {
            random.one_of(&[0xfee0_0000, 0xfee0_0800, 0xfee0_0c00, 0xfee0_0900, 0xfec0_0800, 1 << 51])
        }
        _ => random.value(),
    };
    let is_read = random.below(2) == 0;
    put(code, msr, (!is_read).then_some(value));
}

/// All of the ranges, each read, then written with zeros, with ones, and with what was in it.
pub(super) fn in_order(index: u64, code: &mut Code) -> bool {
    let mut number = index / 4;
    for &(first, count) in RANGES {
        if number < count.into() {
            let msr = first + number as u32;
            match index % 4 {
                0 => put(code, msr, None),
                1 => put(code, msr, Some(0)),
                2 => put(code, msr, Some(u64::MAX)),
                _ => {
                    code.constant(RCX, msr.into());
                    code.put(&[0x0f, 0x32, 0x0f, 0x30]);
                }
            }
            return true;
        }
        number -= u64::from(count);
    }
    false
}

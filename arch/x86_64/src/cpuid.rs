//! What guests see of the CPU: CPUID by a table. What is virtualised is shown, the rest is hidden.
//!
//! The table is made once for a VM, of what the board's CPU says and what [`masks`] allow. What differs between vCPUs, or from
//! one moment to the next, is put in when it is asked for. All that a bit promises must be there: a register that a shown feature
//! has is in [`crate::msr`], switched by the CPU, or switched with the pCPU.
//!
//! Leaves: APM volume 3, appendix E; SDM volume 2, CPUID. Outside of the table all is zero, as on AMD's CPUs.
#![forbid(unsafe_code)]

mod masks;
#[cfg(test)]
mod tests;
mod topology;
mod xstate;

pub use xstate::{AVX, LEGACY_BYTES, SSE, X87, is_valid_xcr0};

/// EAX, EBX, ECX, EDX.
pub type Words = [u32; 4];

/// Last leaf of the basic range: 0x16, the frequencies.
const BASIC: usize = 0x17;
/// Leaves of the extended range: to 0x8000_0021.
const EXTENDED: usize = 0x22;
/// First leaf of the extended range.
const EXTENDED_BASE: u32 = 0x8000_0000;
/// First leaf of ours.
const OURS: u32 = 0x4000_0000;
/// Last leaf of ours: frequencies in kHz (the VMware layout).
const OURS_LAST: u32 = 0x4000_0010;
/// First leaf of KVM's, which guests look for at each multiple of 0x100: its signature, and the last leaf.
const KVM: u32 = 0x4000_0100;
/// Last leaf of KVM's: what we have of it.
const KVM_FEATURES: u32 = 0x4000_0101;
/// What KVM is called: "KVMKVMKVM", in EBX, ECX, EDX.
const KVM_SIGNATURE: [u32; 3] =
    [u32::from_le_bytes(*b"KVMK"), u32::from_le_bytes(*b"VMKV"), u32::from_le_bytes(*b"M\0\0\0")];
/// What we are called: "OstlerOstler" in EBX, ECX, EDX.
const SIGNATURE: [u32; 3] = [u32::from_le_bytes(*b"Ostl"), u32::from_le_bytes(*b"erOs"), u32::from_le_bytes(*b"tler")];

/// One VM's CPUID.
#[derive(Debug)]
pub struct Cpuid {
    basic: [Words; BASIC],
    extended: [Words; EXTENDED],
    /// Leaf 0xd, sub-leaf 1 and 2.
    xstate: [Words; 2],
    vcpus: u32,
    tsc_khz: u32,
}

/// What CPUID shows of the vCPU that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// Its number, which is its APIC's.
    pub index: u32,
    /// CR4.OSXSAVE.
    pub os_xsave: bool,
    /// Its XCR0.
    pub xcr0: u64,
    /// Its local APIC is on (APIC_BASE.EN).
    pub apic_is_on: bool,
}

/// What guests have beyond what the CPU says itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine {
    /// vCPUs of the VM.
    pub vcpus: u32,
    /// Ticks of the time-stamp counter in a second.
    pub tsc_hz: u64,
    /// Bits of guest-physical addresses.
    pub gpa_bits: u32,
    /// The CPU switches SPEC_CTRL.
    pub switches_speculation_control: bool,
}

impl Cpuid {
    /// Of a VM on a CPU that answers as `host` does, by leaf and sub-leaf.
    pub fn new(host: impl Fn(u32, u32) -> Words, machine: &Machine) -> Cpuid {
        let [last_basic, ..] = host(0, 0);
        let [last_extended, ..] = host(EXTENDED_BASE, 0);
        let mut cpuid = Cpuid {
            basic: [[0; 4]; BASIC],
            extended: [[0; 4]; EXTENDED],
            xstate: [[0; 4]; 2],
            vcpus: machine.vcpus.max(1),
            tsc_khz: u32::try_from(machine.tsc_hz / 1000).unwrap_or(u32::MAX),
        };
        for (leaf, words) in (0..=last_basic).zip(&mut cpuid.basic) {
            *words = host(leaf, 0);
        }
        for (leaf, words) in (EXTENDED_BASE..=last_extended).zip(&mut cpuid.extended) {
            *words = host(leaf, 0);
        }
        if last_basic >= 0xd {
            cpuid.xstate = [host(0xd, 1), host(0xd, 2)];
        }
        masks::basic(&mut cpuid.basic, machine);
        masks::extended(&mut cpuid.extended, machine);
        xstate::allow(&mut cpuid.basic, &mut cpuid.extended, &mut cpuid.xstate);
        topology::tell(&mut cpuid.basic, &mut cpuid.extended, cpuid.vcpus);
        cpuid
    }

    /// What `leaf` and `subleaf` (EAX and ECX) give the vCPU `own`.
    #[inline]
    pub fn get(&self, leaf: u32, subleaf: u32, own: &Own) -> Words {
        let mut words = if let Some(&words) = self.basic.get(leaf as usize) {
            words
        } else if let Some(&words) = self.extended.get(leaf.wrapping_sub(EXTENDED_BASE) as usize) {
            words
        } else {
            return self.ours(leaf);
        };
        let [_, ebx, ecx, edx] = &mut words;
        match leaf {
            1 => {
                *ebx |= own.index << 24;
                *ecx |= if own.os_xsave { masks::OSXSAVE } else { 0 };
                *edx &= if own.apic_is_on { u32::MAX } else { !masks::APIC };
            }
            // Cache and topology by sub-leaf are Intel's; of 7 there is the first only.
            7 if subleaf != 0 => words = [0; 4],
            0xb => words = topology::level(subleaf, own.index, self.vcpus),
            0xd => words = self.xsave(subleaf, own),
            0x8000_001e => words = topology::identifiers(own.index),
            _ => {}
        }
        words
    }

    fn xsave(&self, subleaf: u32, own: &Own) -> Words {
        let [basic, avx] = self.xstate;
        let [allowed, ..] = self.basic.get(0xd).copied().unwrap_or_default();
        xstate::leaf(subleaf, allowed, basic, avx, own.xcr0)
    }

    fn ours(&self, leaf: u32) -> Words {
        let [first, second, third] = SIGNATURE;
        match leaf {
            OURS => [OURS_LAST, first, second, third],
            // The local APIC's timer counts with the time stamp.
            OURS_LAST => [self.tsc_khz, self.tsc_khz, 0, 0],
            KVM => {
                let [first, second, third] = KVM_SIGNATURE;
                [KVM_FEATURES, first, second, third]
            }
            KVM_FEATURES => [masks::KVM_EAX, 0, 0, 0],
            _ => [0; 4],
        }
    }

    /// A word of a basic leaf, less what differs between vCPUs.
    fn basic(&self, leaf: usize, word: usize) -> u32 {
        self.basic.get(leaf).and_then(|words| words.get(word)).copied().unwrap_or(0)
    }

    /// A word of an extended leaf.
    fn extended(&self, leaf: usize, word: usize) -> u32 {
        self.extended.get(leaf).and_then(|words| words.get(word)).copied().unwrap_or(0)
    }

    /// Family, model and stepping: what EDX is out of reset.
    pub fn signature(&self) -> u32 {
        self.basic(1, 0)
    }

    /// The components of XCR0 that a guest may enable; zero without XSAVE.
    pub fn allowed_xcr0(&self) -> u64 {
        self.basic(0xd, 0).into()
    }

    /// The bits of CR4 that a guest may set.
    pub fn allowed_cr4(&self) -> u64 {
        masks::cr4([self.basic(1, 2), self.basic(1, 3), self.basic(7, 1), self.basic(7, 2)])
    }

    /// EFER.NXE exists.
    pub fn has_nx(&self) -> bool {
        self.extended(1, 3) & masks::NX != 0
    }

    /// PRED_CMD exists.
    pub fn has_barrier(&self) -> bool {
        self.extended(8, 1) & masks::IBPB != 0
    }

    /// TSC_AUX exists.
    pub fn has_tsc_aux(&self) -> bool {
        self.extended(1, 3) & masks::RDTSCP != 0 || self.basic(7, 2) & masks::RDPID != 0
    }
}

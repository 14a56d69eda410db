//! Registers that are not of floating point: breakpoints, CR2, XCR0, and MSRs.

use core::arch::asm;
use guest_runtime::cpu::{cpuid, read_msr, read_xcr0, write_msr};
use guest_runtime::{Verdict, read_control, say};

/// The MSRs (APM volume 2, A.1), and which of their bits keep what is written.
const MSRS: [(u32, u64); 10] = [
    (0x174, 0xffff),            // SYSENTER_CS
    (0x175, ADDRESS),           // SYSENTER_ESP
    (0x176, ADDRESS),           // SYSENTER_EIP
    (0xc000_0081, u64::MAX),    // STAR
    (0xc000_0082, ADDRESS),     // LSTAR
    (0xc000_0083, ADDRESS),     // CSTAR
    (0xc000_0084, 0xffff_ffff), // SFMASK
    (0xc000_0100, ADDRESS),     // FS.base
    (0xc000_0101, ADDRESS),     // GS.base
    (0xc000_0102, ADDRESS),     // KernelGSbase
];
/// Addresses of the lower half, which are canonical.
const ADDRESS: u64 = 0x7fff_ffff_ffff;
/// TSC_AUX, where there is RDTSCP (CPUID 0x8000_0001, EDX bit 27).
const TSC_AUX: u32 = 0xc000_0103;

/// All of them, filled with values of a seed.
pub(super) struct Special {
    seed: u64,
    xcr0: u64,
}

/// A value for the register of this number, different in every one.
const fn value(seed: u64, number: u64) -> u64 {
    (seed ^ number << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn has_tsc_aux() -> bool {
    cpuid(0x8000_0001, 0).edx & 1 << 27 != 0
}

impl Special {
    pub(super) fn fill(seed: u64) -> Special {
        for (number, (msr, mask)) in (0..).zip(MSRS) {
            write_msr(msr, value(seed, number) & mask);
        }
        if has_tsc_aux() {
            write_msr(TSC_AUX, value(seed, 20) & 0xffff_ffff);
        }
        let [a, b, c, d, fault] = [30, 31, 32, 33, 34].map(|number| value(seed, number) & ADDRESS);
        // SAFETY: DR7 enables none of the breakpoints, and CR2 means something in a page fault only.
        unsafe {
            asm!("mov dr0, {}", "mov dr1, {}", "mov dr2, {}", "mov dr3, {}", "mov cr2, {}",
                in(reg) a, in(reg) b, in(reg) c, in(reg) d, in(reg) fault, options(nostack, preserves_flags));
        }
        Special { seed, xcr0: read_xcr0() }
    }

    pub(super) fn check(self) -> Verdict {
        let Special { seed, xcr0 } = self;
        for (number, (msr, mask)) in (0..).zip(MSRS) {
            if read_msr(msr) != value(seed, number) & mask {
                say!("MSR {msr:#x} is {:#x}", read_msr(msr));
                return Err("an MSR changed behind the guest's back");
            }
        }
        if has_tsc_aux() && read_msr(TSC_AUX) != value(seed, 20) & 0xffff_ffff {
            return Err("TSC_AUX changed behind the guest's back");
        }
        let (a, b, c, d): (u64, u64, u64, u64);
        // SAFETY: reading them changes nothing.
        unsafe {
            asm!("mov {}, dr0", "mov {}, dr1", "mov {}, dr2", "mov {}, dr3",
                out(reg) a, out(reg) b, out(reg) c, out(reg) d, options(nostack, preserves_flags));
        }
        if [a, b, c, d, read_control!("cr2")] != [30, 31, 32, 33, 34].map(|number| value(seed, number) & ADDRESS) {
            return Err("a breakpoint's address or CR2 changed behind the guest's back");
        }
        if read_xcr0() != xcr0 {
            return Err("XCR0 changed behind the guest's back");
        }
        Ok(())
    }
}

//! The x87, SSE and AVX registers, and the debug registers, of a vCPU that has no pCPU.
//!
//! The hypervisor is built without them, so they stay the guest's through every exit and change hands with the pCPU only. So does
//! XCR0: it decides about the guest's own instructions, and ours saves all that there is.

use core::arch::asm;

use x86_64::registers::debug::{DebugAddressRegister, Dr0, Dr1, Dr2, Dr3};
use x86_64::registers::xcontrol::XCr0;

use crate::cpuid::{AVX, SSE, X87};
use crate::registers::cpuid;

/// Room for x87, SSE, AVX in the standard form: 512 bytes, a header of 64, and 256 more (SDM volume 1, 13.4).
const BYTES: usize = 832;
/// Bytes of FCW, and of MXCSR, in the legacy region.
const FCW: usize = 0;
const MXCSR: usize = 24;

/// The extended state of one vCPU.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extended {
    area: [u8; BYTES],
    pub(crate) xcr0: u64,
}

/// What of extended state this CPU has that we can save; zero without XSAVE. `init_cpu` has set CR4.OSXSAVE then.
pub(crate) fn components() -> u64 {
    let [_, _, features, _] = cpuid(1, 0);
    let [low, ..] = cpuid(0xd, 0);
    let [size, offset, ..] = cpuid(0xd, 2);
    if features & 1 << 26 == 0 {
        return 0;
    }
    let avx = if (size, offset) == (256, 576) { AVX } else { 0 };
    u64::from(low) & (X87 | SSE | avx)
}

impl Extended {
    /// Out of reset: the previous owner's values must not leak (SDM volume 1, 13.6; APM volume 1, 6.4.1: FCW 0x37f as FNINIT leaves it).
    pub(crate) const fn reset() -> Extended {
        let mut area = [0; BYTES];
        // All components are in their initial state (the header is zero), which MXCSR is not part of.
        [area[FCW], area[FCW + 1]] = 0x37f_u16.to_le_bytes();
        [area[MXCSR], area[MXCSR + 1]] = 0x1f80_u16.to_le_bytes();
        Extended { area, xcr0: X87 }
    }

    /// Takes them from this CPU, which has `components`.
    pub(crate) fn save(&mut self, components: u64) {
        let area = self.area.as_mut_ptr();
        // SAFETY: the area has room for all of `components`, aligned to 64; all of them may be enabled for a moment.
        unsafe {
            if components == 0 {
                asm!("fxsave64 [{}]", in(reg) area, options(nostack, preserves_flags));
            } else {
                self.xcr0 = XCr0::read_raw();
                XCr0::write_raw(components);
                asm!("xsave64 [{}]", in(reg) area, in("eax") u32::MAX, in("edx") u32::MAX, options(nostack, preserves_flags));
            }
        }
    }

    /// Puts them into this CPU, which has `components`.
    pub(crate) fn load(&self, components: u64) {
        let area = self.area.as_ptr();
        // The x87 unit's last instruction and operand are neither saved nor loaded while no exception is pending, so the last owner's
        // would stay (APM volume 5, FXSAVE and FXRSTOR; CPUs with XSaveErPtr do both). A load of ours makes them nobody's.
        // SAFETY: no exception is pending after FNCLEX and no register is in use after EMMS, so FILD raises none; it reads four bytes
        // of the area.
        unsafe {
            asm!("fnclex", "emms", "fild dword ptr [{}]", in(reg) area, options(nostack, preserves_flags, readonly));
        }
        // SAFETY: an area that XSAVE wrote or `reset` made; built for a target without them, the hypervisor keeps nothing in these
        // registers.
        unsafe {
            if components == 0 {
                asm!("fxrstor64 [{}]", in(reg) area, options(nostack, preserves_flags, readonly));
            } else {
                XCr0::write_raw(components);
                asm!("xrstor64 [{}]", in(reg) area, in("eax") u32::MAX, in("edx") u32::MAX, options(nostack, preserves_flags, readonly));
                XCr0::write_raw(self.xcr0);
            }
        }
    }
}

/// DR0 to DR3. DR6 and DR7 are the VMCB's; while the hypervisor runs DR7 enables nothing (APM volume 2, 15.6).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Breakpoints([u64; 4]);

impl Breakpoints {
    /// Out of reset.
    pub(crate) const NONE: Breakpoints = Breakpoints([0; 4]);

    /// Takes them from this CPU.
    pub(crate) fn save(&mut self) {
        self.0 = [Dr0::read(), Dr1::read(), Dr2::read(), Dr3::read()];
    }

    /// Puts them into this CPU.
    pub(crate) fn load(&self) {
        let Breakpoints([a, b, c, d]) = *self;
        Dr0::write(a);
        Dr1::write(b);
        Dr2::write(c);
        Dr3::write(d);
    }
}

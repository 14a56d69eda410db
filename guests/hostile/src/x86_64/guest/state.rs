//! What the attacks may have spoilt and the program needs: control registers, the local APIC, floating point.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::apic::{self, BASE_MSR, register::*};
use guest_runtime::cpu::{cpuid, read_msr, read_xcr0, write_msr, write_xcr0};
use guest_runtime::machine::{Line, Polarity, Trigger};
use guest_runtime::{clock, read_control};

pub(super) const EFER: u32 = 0xc000_0080;
const FS_BASE: u32 = 0xc000_0100;
const GS_BASE: u32 = 0xc000_0101;
/// CR4: XSAVE is on.
const OSXSAVE: u64 = 1 << 18;
/// CPUID 1, ECX: so it is.
const HAS_OSXSAVE: u32 = 1 << 27;

/// CR0, CR4, EFER, XCR0, APIC_BASE.
static KEPT: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];

fn has_xsave() -> bool {
    cpuid(1, 0).ecx & HAS_OSXSAVE != 0
}

/// As it is now it is to be.
pub(super) fn keep() {
    let xcr0 = if has_xsave() { read_xcr0() } else { 0 };
    let now = [read_control!("cr0"), read_control!("cr4"), read_msr(EFER), xcr0, read_msr(BASE_MSR)];
    KEPT.iter().zip(now).for_each(|(kept, now)| kept.store(now, Relaxed));
}

/// CR0, CR4, EFER, XCR0 as they are to be.
pub(super) fn control() -> [u64; 4] {
    [0, 1, 2, 3].map(|which| KEPT[which].load(Relaxed))
}

/// Without AVX, until [`restore`]: some of its encodings end QEMU 7.2 by an assertion, whoever executes them (`gen_pinsr`).
pub(super) fn without_avx() {
    let [_, cr4, _, xcr0] = control();
    if cr4 & OSXSAVE != 0 {
        write_xcr0(xcr0 & 3);
    }
}

/// Everything as it is to be; with `lines` also the I/O APIC's inputs, all masked.
pub(super) fn restore(lines: bool) {
    let [cr0, cr4, efer, xcr0] = control();
    // SAFETY: what they were when the program began, and no breakpoints.
    unsafe {
        asm!("mov cr0, {cr0}", "mov cr4, {cr4}", "mov dr7, {dr7}", "mov dr6, {dr6}", "fninit", "ldmxcsr [{mxcsr}]",
            cr0 = in(reg) cr0, cr4 = in(reg) cr4, dr7 = in(reg) 0x400_u64, dr6 = in(reg) 0xffff_0ff0_u64,
            mxcsr = in(reg) &0x1f80_u32, options(nostack))
    };
    for (msr, value) in [(EFER, efer), (FS_BASE, 0), (GS_BASE, 0)] {
        if read_msr(msr) != value {
            write_msr(msr, value);
        }
    }
    if cr4 & OSXSAVE != 0 {
        write_xcr0(xcr0);
    }
    local_apic();
    if lines {
        let line = |number| Line { number, trigger: Trigger::Edge, polarity: Polarity::High };
        (0..24).for_each(|number| line(number).mask(true));
    }
}

/// At its address, as an xAPIC, nothing in service, and its timer every millisecond: what loops is ended by it.
fn local_apic() {
    let base = KEPT[4].load(Relaxed);
    if read_msr(BASE_MSR) != base {
        // Out of x2APIC mode only by way of disabled (APM volume 2, 16.9).
        write_msr(BASE_MSR, base & !0xc00);
        write_msr(BASE_MSR, base);
    }
    apic::write(SVR, 1 << 8 | apic::SPURIOUS);
    apic::write(TPR, 0);
    for entry in [LVT_LINT0, LVT_LINT1, LVT_ERROR] {
        apic::write(entry, apic::MASKED);
    }
    let mut patience = 256;
    while patience > 0 && (0..8).any(|word| apic::read(ISR + 16 * word) != 0) {
        apic::write(EOI, 0);
        patience -= 1;
    }
    apic::write(DIVIDE, 0b1011);
    apic::write(LVT_TIMER, clock::VECTOR | clock::PERIODIC);
    apic::write(INITIAL_COUNT, (clock::apic_frequency() / 1000) as u32);
}

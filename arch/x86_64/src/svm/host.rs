//! What a pCPU needs for SVM, once: the feature turned on, a page for what VMRUN saves of the host, another for what VMSAVE does
//! (APM volume 2, 15.4, 15.5.2 and 15.30.4).

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags, Efer, EferFlags};
use x86_64::registers::xcontrol::XCr0;

use super::intercepts::Features;
use crate::registers::{cpuid, write_msr};
use crate::start::PAT_RESET;
use crate::{controller, cpu, xstate};

const PAT: u32 = 0x277;
const VM_HSAVE_PA: u32 = 0xc001_0117;

/// A page that the CPU writes.
#[repr(C, align(4096))]
#[derive(Debug)]
struct Page([AtomicU64; 512]);

/// One pCPU's pages, and what it owes the next guest.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Host {
    /// What VMRUN saves, in a form of the CPU's own.
    save: Page,
    /// FS, GS, TR, LDTR and the registers of system calls: VMSAVE's.
    state: Page,
}

impl Host {
    pub(crate) const fn new() -> Host {
        Host { save: Page([const { AtomicU64::new(0) }; 512]), state: Page([const { AtomicU64::new(0) }; 512]) }
    }

    /// Address of what VMSAVE made of the hypervisor: the map has RAM at its physical addresses.
    pub(crate) fn state(&self) -> u64 {
        self.state.0.as_ptr() as u64
    }
}

/// What of SVM this CPU has.
pub(crate) fn features() -> Features {
    let [_, ebx, _, edx] = cpuid(0x8000_000a, 0);
    Features::of(ebx, edx)
}

/// Bits of this CPU's physical addresses.
pub(crate) fn physical_bits() -> u32 {
    cpuid(0x8000_0008, 0)[0] & 0xff
}

/// Bits of guest-physical address on this CPU.
pub fn gpa_bits() -> u32 {
    crate::paging::gpa_bits(physical_bits())
}

/// Sets this CPU up to run guests, once, after [`crate::cpu::set_local`].
pub fn init_cpu() {
    let Some(local) = cpu::local() else { return };
    let save = local.host.save.0.as_ptr() as u64;
    let components = xstate::components();
    crate::machine_check::enable();
    // SAFETY: `boot` has made sure that the CPU has SVM and that firmware has not turned it off. Both pages are this pCPU's own, and
    // nothing else ever writes to them; the map has them at their physical addresses. The PAT is as the tables in use need it.
    unsafe {
        Efer::update(|efer| efer.insert(EferFlags::SECURE_VIRTUAL_MACHINE_ENABLE));
        write_msr(VM_HSAVE_PA, save);
        write_msr(PAT, PAT_RESET);
        asm!("vmsave rax", in("rax") local.host.state(), options(nostack, preserves_flags));
        // OSFXSR and OSXMMEXCPT, for FXSAVE to take all of SSE; OSXSAVE (APM volume 2, 11.3).
        Cr4::update(|cr4| {
            cr4.insert(Cr4Flags::OSFXSR | Cr4Flags::OSXMMEXCPT_ENABLE);
            cr4.set(Cr4Flags::OSXSAVE, components != 0);
        });
        // EM and TS clear, MP and NE set: no instruction on extended state traps here.
        Cr0::update(|cr0| {
            cr0.remove(Cr0Flags::EMULATE_COPROCESSOR | Cr0Flags::TASK_SWITCHED);
            cr0.insert(Cr0Flags::MONITOR_COPROCESSOR | Cr0Flags::NUMERIC_ERROR);
        });
        if components != 0 {
            XCr0::write_raw(components);
        }
    }
}

/// Takes an interrupt that is pending, from within a quick handler: there GIF is clear, and IF set, as VMRUN wants it.
#[inline(always)]
pub(crate) fn take() -> Option<u32> {
    // SAFETY: the flag lets through what is pending (APM volume 2, 15.17), NMIs too, which need nothing from here. The stub of an
    // interrupt notes it and masks the next one.
    controller::take_by(|| unsafe { asm!("stgi", "nop", "clgi", "sti", options(nostack)) })
}

/// The guest's instruction barrier, where the CPU has one.
pub(crate) fn barrier() {
    // SAFETY: forgets predictions of branches; only there where CPUID says so (APM volume 2, 3.2.9).
    unsafe { write_msr(crate::msr::PRED_CMD, 1) };
}

/// So that the compiler keeps what VMRUN reads: all stores to a VMCB come before.
#[inline]
pub(crate) fn order() {
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
}

/// A machine check of the board's own, which a guest's run ended by: the hypervisor takes it itself, and does not come back.
#[cold]
pub(crate) fn machine_check() -> ! {
    // SAFETY: the stub of the vector tells of it and stops the board. (The CPU has left the guest before it was taken, and has it in
    // its registers: APM volume 2, 15.12.16.)
    unsafe { asm!("int 18", options(nostack)) };
    cpu::halt()
}

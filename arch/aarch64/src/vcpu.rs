//! A vCPU: its registers, and the way into the guest. `quick` answers exits without the loop, `answer` with it; `switch` starts and
//! stops it, and gives it the pCPU and takes it away.

mod answer;
mod caches;
mod frequent;
mod quick;
mod switch;

use arch_common::place::Place;
use model::Hpa;

use crate::context::Context;
use crate::el1::El1;
use crate::entry;
use crate::exit::Exit;
use crate::gic::{self, Hardware};
use crate::guest::Guest;
use crate::inject::{self, Exception};
use crate::recorder::Tag;
use crate::registers::{read, write};
use crate::syndrome::Syndrome;
use crate::vgic::CpuInterface;
use crate::{control, coverage, intid};
use switch::Saved;

/// A vCPU. Its pCPU alone touches it; the vectors find it by its first field.
#[repr(C)]
#[derive(Debug)]
pub struct Vcpu {
    context: Context,
    guest: &'static Guest,
    index: u32,
    /// HCR_EL2 while it is loaded.
    hcr: u64,
    is_on: bool,
    is_loaded: bool,
    /// A quick handler has left something for another vCPU of this pCPU.
    others_wait: bool,
    /// A quick handler has changed one of x19 to x29.
    changed_all: bool,
    /// What the quick handler leaves to the loop.
    exit: Option<Exit>,
    interface: CpuInterface,
    /// Everything else of it while it is not loaded.
    saved: Saved,
}

/// What is seen of a vCPU outside of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// Where it is.
    pub pc: u64,
    /// It takes no interrupts (PSTATE.I).
    pub masks_interrupts: bool,
    /// When its timers are due.
    pub timers: [u64; 2],
}

/// Codes by which the quick handlers tell the vectors how to go on.
mod code {
    /// Into the guest, with x19 to x29 as they were.
    pub(super) const RESUME: u64 = 0;
    /// Out to [`super::Vcpu::run`]; the exit is in [`super::Vcpu`].
    pub(super) const EXIT: u64 = 1;
    /// Into the guest, with all registers as they are in the context now.
    pub(super) const RESUME_ALL: u64 = 2;
}

/// PSTATE.I, as in SPSR_EL2.
const PSTATE_I: u64 = 1 << 7;
/// ESR_ELx.WnR of a data abort.
const WNR: u64 = 1 << 6;
impl Vcpu {
    /// vCPU number `index` of `guest`, off. With `gives_way`, it exits when it waits, so that others get the pCPU. `None` if it needs
    /// `memory` and there is none.
    pub fn new(index: u32, guest: &'static Guest, gives_way: bool, _memory: &mut impl Place) -> Option<Vcpu> {
        let features = &guest.features;
        Some(Vcpu {
            context: Context::reset(0, Tag::new(guest.number(), index)),
            guest,
            index,
            hcr: if gives_way { features.hcr_el2_shared() } else { features.hcr_el2() },
            is_on: false,
            is_loaded: false,
            others_wait: false,
            changed_all: false,
            exit: None,
            interface: CpuInterface::new(index, gic::traps_deactivate()),
            saved: Saved::RESET,
        })
    }

    /// How the flight recorder calls it.
    pub fn tag(&self) -> Tag {
        self.context.tag()
    }

    /// Its number in the VM.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Whether it has been started and not stopped.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Whether this pCPU's registers are its own.
    pub fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// Runs the guest until something happens that the quick handlers leave to the loop.
    pub fn run(&mut self) -> Exit {
        self.others_wait = false;
        loop {
            self.flush();
            if self.others_wait {
                return Exit::Kicked;
            }
            // All registers are loaded now, so none is left to be. (An interrupt's vector relies on that.)
            self.changed_all = false;
            // SAFETY: `context` is this vCPU's first field, and it is loaded on this pCPU (the loop's duty, and
            // harmless otherwise: a vCPU that was never started enters nothing but its own second stage).
            unsafe { entry::enter(&raw mut self.context) };
            if let Some(exit) = self.exit.take() {
                return exit;
            }
        }
    }

    /// Makes the list registers hold what the guest is to see.
    #[inline]
    fn flush(&mut self) {
        if self.interface.needs_flush(&self.guest.vgic) {
            let kick = self.interface.flush(&self.guest.vgic, &mut Hardware);
            self.kick(kick);
        }
    }

    /// Whether the guest, which waits for an interrupt, has one already.
    pub fn has_interrupt(&mut self) -> bool {
        self.flush();
        self.interface.needs_flush(&self.guest.vgic) || self.interface.wakes(&Hardware, gic::vmcr())
    }

    /// An interrupt of this pCPU that only concerns the vCPU that is loaded, outside of the guest: acknowledged, priority
    /// dropped. False if it is not one of these.
    pub fn interrupt(&mut self, intid: u32) -> bool {
        match intid {
            intid::VIRTUAL_TIMER | intid::PHYSICAL_TIMER => {
                // It stays active until the guest ends it. Only this vCPU can be meant, and it looks before it goes on.
                let _ = self.guest.vgic.hardware_pending(self.index, intid);
            }
            intid::MAINTENANCE => {
                let kick = self.interface.sync(&self.guest.vgic, &mut Hardware);
                self.kick(kick);
                gic::deactivate(intid);
            }
            _ => return false,
        }
        true
    }

    /// All general registers, for dumps.
    pub fn registers(&self) -> &[u64; 31] {
        &self.context.x
    }

    /// EL1's own registers, for dumps.
    pub fn el1(&self) -> El1 {
        if self.is_loaded { El1::save() } else { self.saved.el1 }
    }

    /// Where the guest is.
    pub fn pc(&self) -> u64 {
        read!("ELR_EL2")
    }

    /// Its PSTATE.
    pub fn pstate(&self) -> u64 {
        read!("SPSR_EL2")
    }

    /// What can be seen of it from outside, without a question to the guest.
    pub fn glimpse(&self) -> Glimpse {
        let el1 = self.el1();
        let (pc, pstate) = if self.is_loaded { (self.pc(), self.pstate()) } else { (self.saved.pc, self.saved.pstate) };
        Glimpse { pc, masks_interrupts: pstate & PSTATE_I != 0, timers: [el1.cntv_cval, el1.cntp_cval] }
    }

    /// Goes on behind the instruction that trapped.
    fn skip(&mut self) {
        let (pc, pstate) = inject::skip(self.pc(), self.pstate(), Syndrome(read!("ESR_EL2")).instruction_bytes());
        // SAFETY: the guest's own PC and PSTATE.
        unsafe {
            write!("ELR_EL2", pc);
            write!("SPSR_EL2", pstate);
        }
    }

    /// Makes the guest take `exception` at EL1.
    fn inject(&mut self, exception: Exception) {
        coverage::injected(&exception);
        let taken = inject::take(&control::interrupted(&self.guest.features), exception);
        // The abort of a store says that it is one, here as at EL1 (DDI 0487 D24.2, ISS.WnR of data aborts).
        let cause = match exception {
            Exception::DataAbort { .. } => read!("ESR_EL2") & WNR,
            _ => 0,
        };
        // SAFETY: the guest's own registers, as the architecture says that it finds them after the exception.
        unsafe {
            write!("ELR_EL1", taken.elr);
            write!("SPSR_EL1", taken.spsr);
            write!("ESR_EL1", taken.esr | cause);
            if let Some(far) = taken.far {
                write!("FAR_EL1", far);
            }
            write!("ELR_EL2", taken.pc);
            write!("SPSR_EL2", taken.pstate);
        }
    }

    /// Where the guest's virtual address `address` is in host memory, by its own tables and the second stage; `None` if it
    /// could not read there. Only while it is loaded, and not to go on after that: PAR_EL1 is lost.
    pub fn translate(&self, address: u64) -> Option<Hpa> {
        // SAFETY: translates without an access (DDI 0487 C5.5, `AT S12E1R`).
        unsafe { core::arch::asm!("at s12e1r, {}", "isb", in(reg) address, options(nostack, preserves_flags)) };
        let found = read!("PAR_EL1");
        // F: a fault. Else PA has the page.
        (found & 1 == 0).then_some(Hpa(found & 0x000f_ffff_ffff_f000 | address & 0xfff))
    }
}

/// The vectors' handler of synchronous exceptions from the guest.
///
/// # Safety
/// Called by the vectors only, with the context of the loaded vCPU.
#[unsafe(no_mangle)]
unsafe extern "C" fn ostler_quick_sync(context: *mut Context) -> u64 {
    // SAFETY: the context is a vCPU's first field (`Vcpu::run` entered with it), and `run` waits in assembly for us.
    let vcpu = unsafe { &mut *context.cast::<Vcpu>() };
    vcpu.quick_synchronous()
}

/// The vectors' handler of interrupts while a guest runs.
///
/// # Safety
/// As [`ostler_quick_sync`].
#[unsafe(no_mangle)]
unsafe extern "C" fn ostler_quick_irq(context: *mut Context) -> u64 {
    // SAFETY: as in `ostler_quick_sync`.
    let vcpu = unsafe { &mut *context.cast::<Vcpu>() };
    vcpu.interrupted()
}

/// The vectors' handler of asynchronous aborts while a guest runs.
///
/// # Safety
/// As [`ostler_quick_sync`].
#[unsafe(no_mangle)]
unsafe extern "C" fn ostler_quick_serror(context: *mut Context) -> u64 {
    // SAFETY: as in `ostler_quick_sync`.
    let vcpu = unsafe { &mut *context.cast::<Vcpu>() };
    vcpu.leave(Exit::Failed { action: "system error, syndrome", what: read!("ESR_EL2") })
}

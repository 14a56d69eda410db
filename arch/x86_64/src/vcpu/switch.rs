//! How a vCPU starts and stops, and how it gets its pCPU and loses it.
//!
//! The VMCB has most of a vCPU at all times. What it has not stays in the hardware through every exit: extended state, breakpoints,
//! TSC_AUX. Only when the pCPU goes to another vCPU is it written down. A vCPU that waits keeps the pCPU's registers as
//! long as nobody else needs them.

use model::Start;

use super::emulate::Hand;
use super::{Vcpu, code};
use crate::context::Context;
use crate::control::SVME;
use crate::msr::Mtrrs;
use crate::registers::{read_msr, write_msr};
use crate::start::{DR6_RESET, DR7_RESET, PAT_RESET, RFLAGS_RESET, Started};
use crate::svm::intercepts;
use crate::svm::vmcb::virtual_interrupt;
use crate::xstate::{Breakpoints, Extended};
use crate::{alarm, cpu};

const TSC_AUX: u32 = 0xc000_0103;

/// What of a vCPU is in the hardware while it is loaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    pub(super) extended: Extended,
    breakpoints: Breakpoints,
    tsc_aux: u64,
}

impl Saved {
    /// Out of reset.
    pub(super) const fn reset() -> Saved {
        Saved { extended: Extended::reset(), breakpoints: Breakpoints::NONE, tsc_aux: 0 }
    }
}

impl Vcpu {
    /// Turns it on, out of reset, about to start as `start` says, as soon as it is loaded. It is off. Nothing happens if that is
    /// another CPU's way to start.
    pub fn start(&mut self, start: Start) {
        let Some(started) = Started::new(start, self.guest.cpuid.signature()) else { return };
        let life = Some(self.guest.life());
        if core::mem::replace(&mut self.life, life) != life {
            // Power-on.
            self.apic.reset(&self.guest.vapic);
            self.tsc_adjust = 0;
            self.mtrrs = Mtrrs::default();
        }
        // The INIT that came before.
        let _ = self.apic.take_signals(&self.guest.vapic);
        self.saved = Saved::reset();
        self.reset(&started);
        self.is_on = true;
    }

    /// Starts anew at `page`, while it is loaded: INIT and a start-up IPI came together.
    #[cold]
    pub(super) fn restart(&mut self, page: u8) {
        let start = Start::Real { pc: model::Gpa(u64::from(page) << 12) };
        if let Some(started) = Started::new(start, self.guest.cpuid.signature()) {
            // INIT leaves extended state, but for XCR0 (SDM volume 3, table 10-1), and so do we.
            self.reset(&started);
        }
    }

    /// All registers that are not in hardware, and the VMCB, as `started` has them.
    fn reset(&mut self, started: &Started) {
        let guest = self.guest;
        self.context = Context::new(self.context.tag());
        let [_, _, rdx, rbx, _, _, rsi, ..] = &mut self.context.general;
        (*rdx, *rbx, *rsi) = (started.rdx, started.rbx, started.rsi);
        let vmcb = &mut *self.vmcb;
        *vmcb = crate::svm::vmcb::Vmcb::ZERO;
        let control = &mut vmcb.control;
        intercepts::set(control, guest.features, self.gives_way);
        let (io, registers) = guest.bitmaps();
        (control.io_bitmap, control.msr_bitmap) = (io.0, registers.0);
        control.asid = guest.asid();
        control.interrupt = virtual_interrupt::MASKING;
        control.nested_paging = 1;
        control.nested_cr3 = guest.second_stage().0;
        let state = &mut vmcb.state;
        (state.cs, state.tr, state.ldtr) = (started.cs, started.tr, started.ldtr);
        (state.gdtr, state.idtr) = (started.gdtr, started.idtr);
        for data in [&mut state.ds, &mut state.es, &mut state.fs, &mut state.gs, &mut state.ss] {
            *data = started.data;
        }
        (state.cr0, state.cr3, state.cr4) = (started.cr0, started.cr3, started.cr4);
        state.efer = started.efer | SVME;
        (state.rip, state.rax, state.rflags) = (started.rip, started.rax, RFLAGS_RESET);
        (state.dr6, state.dr7, state.pat) = (DR6_RESET, DR7_RESET, PAT_RESET);
        self.event = None;
        self.has_init = false;
        self.is_shut_down = false;
        self.start_up = None;
        self.exit = None;
        self.hand = Hand::Nothing;
        self.code = code::NO_PAGES;
        self.reset_nmi();
        // Whatever the CPU knows by this ASID is of a life before.
        self.forgets = true;
        self.changed_all = true;
        self.place();
        self.set_time_stamp();
    }

    /// Tells the assembly where the VMCB and this pCPU's own state are.
    fn place(&mut self) {
        let host = cpu::local().map_or(0, |local| local.host.state());
        let vmcb = core::ptr::from_mut(self.vmcb).expose_provenance() as u64;
        self.context.place(vmcb, host);
    }

    /// Turns it off, from wherever it is: its timer stops.
    pub fn stop(&mut self) {
        self.unload();
        self.is_on = false;
    }

    /// Gives it this pCPU, where no other vCPU is loaded.
    pub fn load(&mut self) {
        if core::mem::replace(&mut self.is_loaded, true) {
            return;
        }
        let Saved { extended, breakpoints, tsc_aux } = &self.saved;
        extended.load(self.guest.components);
        breakpoints.load();
        if self.guest.cpuid.has_tsc_aux() {
            // SAFETY: it is there, and nothing of ours reads it.
            unsafe { write_msr(TSC_AUX, *tsc_aux) };
        }
        // Predictions that the last guest has trained are not this one's.
        if self.guest.cpuid.has_barrier() {
            crate::svm::barrier();
        }
        self.place();
        // The VM's time may have stood still meanwhile.
        self.set_time_stamp();
        self.arm();
    }

    /// Takes the pCPU away from it.
    pub fn unload(&mut self) {
        if !core::mem::take(&mut self.is_loaded) {
            return;
        }
        self.armed = None;
        alarm::set_guest(None);
        self.saved.extended.save(self.guest.components);
        self.saved.breakpoints.save();
        if self.guest.cpuid.has_tsc_aux() {
            self.saved.tsc_aux = read_msr(TSC_AUX);
        }
    }

    /// When its timer wants to interrupt it, by the host's time stamp; `None` if it will not. Only while it is not loaded.
    pub fn deadline(&self) -> Option<u64> {
        self.apic.deadline().and_then(|deadline| self.physical(deadline))
    }
}

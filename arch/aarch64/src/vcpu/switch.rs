//! How a vCPU starts and stops, and how it gets its pCPU and loses it.
//!
//! While it is loaded, all that is the guest's is in the hardware, through every exit. Only when the pCPU goes to another vCPU
//! is it written down. A vCPU that waits keeps the pCPU's registers as long as nobody else needs them.

use model::Start;

use super::Vcpu;
use super::caches::TVM;
use crate::context::{Context, PSTATE_RESET};
use crate::debug::Debug;
use crate::el1::{self, El1, Keys};
use crate::fp::Fp;
use crate::gic::{Hardware, VirtualInterface};
use crate::registers::{read, write};

/// What of a vCPU is in the hardware while it is loaded, but for its general registers and list registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    pub(super) el1: El1,
    fp: Fp,
    keys: Keys,
    debug: Debug,
    interface: VirtualInterface,
    pub(super) pc: u64,
    pub(super) pstate: u64,
}

impl Saved {
    /// Out of reset.
    pub(super) const RESET: Saved = Saved {
        el1: El1::RESET,
        fp: Fp::RESET,
        keys: Keys::RESET,
        debug: Debug::RESET,
        interface: VirtualInterface::RESET,
        pc: 0,
        pstate: PSTATE_RESET,
    };
}

impl Vcpu {
    /// Turns it on, out of reset, about to start as `start` says, as soon as it is loaded. It is off. Nothing happens if that is
    /// another CPU's way to start.
    pub fn start(&mut self, start: Start) {
        let Start::Arm { pc, x0 } = start else { return };
        self.context = Context::reset(x0, self.tag());
        self.saved = Saved { pc: pc.0, ..Saved::RESET };
        self.hcr &= !TVM;
        self.interface.start(&self.guest.vgic);
        self.is_on = true;
    }

    /// Turns it off, from wherever it is: its timers stop, its interrupts go back.
    pub fn stop(&mut self) {
        self.unload();
        if core::mem::take(&mut self.is_on) {
            let kick = self.interface.stop(&self.guest.vgic);
            self.guest.kick(kick);
        }
    }

    /// Gives it this pCPU, where no other vCPU is loaded.
    pub fn load(&mut self) {
        if core::mem::replace(&mut self.is_loaded, true) {
            return;
        }
        let Saved { el1, fp, keys, debug, interface, pc, pstate } = &self.saved;
        el1.load(|| {
            // SAFETY: EL2's view of the one vCPU that this pCPU runs; the second stage maps that guest's memory and no other.
            // Stale TLB entries of the VMID are from nobody: VMIDs are not reused.
            unsafe {
                write!("VTTBR_EL2", self.guest.vttbr);
                write!("HCR_EL2", self.hcr);
                write!("VMPIDR_EL2", model::mpidr(self.index));
                write!("CNTVOFF_EL2", self.guest.counter_offset());
                write!("ELR_EL2", *pc);
                write!("SPSR_EL2", *pstate);
            }
        });
        fp.load();
        if self.guest.features.pointer_authentication {
            keys.load();
        }
        debug.load();
        // Registers of extensions that are hidden, and that nothing traps: not a way from one guest to another.
        // SAFETY: they exist with the extension, and have no effect at EL2.
        unsafe {
            if self.guest.features.ras {
                write!("S3_4_C12_C1_1", 0); // VDISR_EL2, a guest's DISR_EL1
            }
            if self.guest.features.sme {
                write!("S3_3_C13_C0_5", 0); // TPIDR2_EL0
            }
        }
        interface.load();
        self.interface.load(&self.guest.vgic);
    }

    /// Nothing to do: where a guest is told of stolen time assembly knows, not its CPU.
    #[inline]
    pub fn tell_stolen(&mut self, _ticks: u64) {}

    /// Takes the pCPU away from it.
    pub fn unload(&mut self) {
        if !core::mem::take(&mut self.is_loaded) {
            return;
        }
        let kick = self.interface.unload(&self.guest.vgic, &mut Hardware);
        self.guest.kick(kick);
        let saved = &mut self.saved;
        saved.el1 = El1::save();
        el1::stop_timers();
        saved.fp.save();
        if self.guest.features.pointer_authentication {
            saved.keys = Keys::save();
        }
        saved.debug.save();
        saved.interface = VirtualInterface::save();
        saved.pc = read!("ELR_EL2");
        saved.pstate = read!("SPSR_EL2");
    }

    /// When one of its timers wants to interrupt it, by the physical counter; `None` if none will. Only while it is not loaded.
    pub fn deadline(&self) -> Option<u64> {
        let vgic = &self.guest.vgic;
        self.saved.el1.deadline(self.guest.counter_offset(), |intid| vgic.may_fire(self.index, intid))
    }
}

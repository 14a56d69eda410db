//! A vCPU: its registers, how it starts and stops, and the way into the guest. `quick` answers exits without the loop.

mod quick;

use model::Gpa;

use crate::context::{Context, PSTATE_RESET};
use crate::el1::{self, El1};
use crate::exit::{Exit, MemoryAccess};
use crate::gic::Hardware;
use crate::guest::Guest;
use crate::inject::{self, Exception};
use crate::registers::{read, write};
use crate::syndrome::{Cause, DataAbort, Syndrome};
use crate::vgic::CpuInterface;
use crate::{control, entry};
use quick::Done;

/// A vCPU. Its pCPU alone touches it; the vectors find it by its first field.
#[repr(C)]
#[derive(Debug)]
pub struct Vcpu {
    context: Context,
    guest: &'static Guest,
    index: u32,
    loaded: bool,
    /// What the quick handler leaves to the loop.
    exit: Option<Exit>,
    interface: CpuInterface,
}

/// Codes by which the quick handlers tell [`Vcpu::run`] what is left to do; zero goes back into the guest.
mod code {
    pub(super) const RESUME: u64 = 0;
    /// The exit is in [`super::Vcpu`].
    pub(super) const EXIT: u64 = 1;
    /// A synchronous exit that needs registers which only a slow exit saves.
    pub(super) const REGISTERS: u64 = 2;
}

/// ESR_ELx.WnR of a data abort.
const WNR: u64 = 1 << 6;
/// ICH_VTR_EL2.TDS: writes of ICC_DIR_EL1 can be trapped on their own.
const VTR_TDS: u64 = 1 << 19;

impl Vcpu {
    /// vCPU number `index` of `guest`, off.
    pub fn new(index: u32, guest: &'static Guest) -> Vcpu {
        Vcpu {
            context: Context::reset(0),
            guest,
            index,
            loaded: false,
            exit: None,
            interface: CpuInterface::new(index, read!("ICH_VTR_EL2") & VTR_TDS != 0),
        }
    }

    /// Its number in the VM.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Whether it is on and this pCPU's registers are its own.
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// Turns it on, out of reset, about to execute `entry` with `x0` as given. Called on its pCPU, where no other vCPU
    /// is loaded.
    pub fn start(&mut self, entry: Gpa, x0: u64) {
        self.context = Context::reset(x0);
        El1::RESET.load();
        el1::clear_fp();
        if self.guest.features.pointer_authentication {
            el1::clear_pointer_keys();
        }
        let midr = read!("MIDR_EL1");
        // SAFETY: registers that are EL2's view of the one vCPU that this pCPU runs; the second stage maps that guest's
        // memory and no other. Stale TLB entries of the VMID are from nobody: VMIDs are not reused.
        unsafe {
            write!("VTTBR_EL2", self.guest.vttbr);
            write!("VMPIDR_EL2", model::mpidr(self.index));
            write!("VPIDR_EL2", midr);
            write!("CNTVOFF_EL2", self.guest.counter_offset());
            write!("ICH_VMCR_EL2", 0);
            write!("ICH_AP0R0_EL2", 0);
            write!("ICH_AP1R0_EL2", 0);
            write!("ELR_EL2", entry.0);
            write!("SPSR_EL2", PSTATE_RESET);
            core::arch::asm!("isb", options(nostack, preserves_flags));
        }
        self.interface.start(&self.guest.vgic);
        self.loaded = true;
    }

    /// Turns it off: its timers stop, its interrupts go back. Called on its pCPU.
    pub fn stop(&mut self) {
        if !core::mem::take(&mut self.loaded) {
            return;
        }
        El1::RESET.load();
        let kick = self.interface.stop(&self.guest.vgic, &mut Hardware);
        self.guest.kick(kick);
    }

    /// Runs the guest until something happens that the quick handlers leave to the loop.
    pub fn run(&mut self) -> Exit {
        loop {
            self.flush();
            // SAFETY: `context` is this vCPU's first field, and it is loaded on this pCPU (the loop's duty, and
            // harmless otherwise: a vCPU that was never started enters nothing but its own second stage).
            match unsafe { entry::enter(&raw mut self.context) } {
                code::REGISTERS => {
                    if let Done::Exit(exit) = self.synchronous(true) {
                        return exit;
                    }
                }
                _ => {
                    if let Some(exit) = self.exit.take() {
                        return exit;
                    }
                }
            }
        }
    }

    /// Makes the list registers hold what the guest is to see.
    #[inline]
    fn flush(&mut self) {
        if self.interface.needs_flush(&self.guest.vgic) {
            let kick = self.interface.flush(&self.guest.vgic, &mut Hardware);
            if !kick.is_empty() {
                self.guest.kick(kick);
            }
        }
    }

    /// General register `index`, 31 being the zero register.
    pub fn register(&self, index: u8) -> u64 {
        self.context.get(index)
    }

    /// Sets general register `index`; 31 discards.
    pub fn set_register(&mut self, index: u8, value: u64) {
        self.context.set(index, value);
    }

    /// All general registers, for dumps.
    pub fn registers(&self) -> &[u64; 31] {
        &self.context.x
    }

    /// EL1's own registers, for dumps. Only while it is loaded.
    pub fn el1(&self) -> El1 {
        El1::save()
    }

    /// Where the guest is.
    pub fn pc(&self) -> u64 {
        read!("ELR_EL2")
    }

    /// Its PSTATE.
    pub fn pstate(&self) -> u64 {
        read!("SPSR_EL2")
    }

    /// Goes on behind the instruction that trapped.
    pub fn skip(&mut self) {
        let (pc, pstate) = inject::skip(self.pc(), self.pstate(), Syndrome(read!("ESR_EL2")).instruction_bytes());
        // SAFETY: the guest's own PC and PSTATE.
        unsafe {
            write!("ELR_EL2", pc);
            write!("SPSR_EL2", pstate);
        }
    }

    /// Ends a load with `value`.
    pub fn finish_load(&mut self, access: &MemoryAccess, value: u64) {
        self.context.set(access.transfer.register, access.transfer.loaded(value));
        self.skip();
    }

    /// Answers a call with x0 to x3.
    pub fn finish_call(&mut self, values: &[u64]) {
        for (index, &value) in (0..4).zip(values) {
            self.context.set(index, value);
        }
    }

    /// Makes the guest take `exception` at EL1.
    pub fn inject(&mut self, exception: Exception) {
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

    /// The virtual address that the guest used, for the abort to inject; `None` if the CPU does not know it.
    pub fn fault_virtual_address(&self) -> Option<u64> {
        let is_valid = match Syndrome(read!("ESR_EL2")).cause() {
            Cause::DataAbort(DataAbort { abort, .. }) | Cause::InstructionAbort(abort) => abort.far_is_valid,
            _ => false,
        };
        is_valid.then(|| read!("FAR_EL2"))
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
    vcpu.leave(Exit::SystemError { syndrome: read!("ESR_EL2") })
}

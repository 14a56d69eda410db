//! A vCPU: its registers, the way into the guest, and the exits that are answered without the loop.

use model::Gpa;

use crate::context::{Context, PSTATE_RESET};
use crate::el1::{self, El1};
use crate::exit::{Exit, MemoryAccess, Unsupported};
use crate::gic::{self, Hardware};
use crate::guest::Guest;
use crate::inject::{self, Exception};
use crate::registers::{read, write};
use crate::syndrome::{Abort, Cause, DataAbort, Fault, Syndrome, SystemAccess, fault_address};
use crate::sysreg::{self, Answer};
use crate::vgic::CpuInterface;
use crate::{control, entry, intid, psci};

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

/// What became of an exit.
enum Done {
    /// Answered: back into the guest.
    Yes,
    /// Not without all of the registers: try again after a slow exit.
    NeedsRegisters,
    /// The loop's.
    Exit(Exit),
}

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
            write!("CNTVOFF_EL2", self.guest.counter_offset);
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
        while self.interface.needs_flush(&self.guest.vgic) {
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
        // SAFETY: the guest's own registers, as the architecture says that it finds them after the exception.
        unsafe {
            write!("ELR_EL1", taken.elr);
            write!("SPSR_EL1", taken.spsr);
            write!("ESR_EL1", taken.esr);
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

    /// Hands `exit` to [`Vcpu::run`].
    fn leave(&mut self, exit: Exit) -> u64 {
        self.exit = Some(exit);
        code::EXIT
    }

    fn quick_synchronous(&mut self) -> u64 {
        match self.synchronous(false) {
            Done::Yes => {
                self.flush();
                code::RESUME
            }
            Done::NeedsRegisters => code::REGISTERS,
            Done::Exit(exit) => self.leave(exit),
        }
    }

    /// A synchronous exit. In the vector's handler the context is not `complete`: only x0 to x18 and x30 are in it. What
    /// needs others says so before it has done anything, and is called again.
    fn synchronous(&mut self, complete: bool) -> Done {
        let syndrome = Syndrome(read!("ESR_EL2"));
        match syndrome.cause() {
            Cause::HypervisorCall(0) => self.call(),
            Cause::HypervisorCall(_) => {
                // Not a call of the convention (DEN 0028 section 2.9): an instruction that nobody emulates. Unlike others that
                // trap, HVC has moved the PC already.
                // SAFETY: the guest's own PC.
                unsafe { write!("ELR_EL2", self.pc().wrapping_sub(syndrome.instruction_bytes())) };
                Done::Exit(Exit::Unsupported(Unsupported::Instruction(syndrome.0)))
            }
            Cause::SecureMonitorCall(0) => {
                // Unlike HVC, a trapped SMC has not moved the PC (DDI 0487 D1.15.3).
                self.skip();
                self.call()
            }
            Cause::SystemRegister(access) if complete || is_saved(access.rt) => self.system_register(access),
            Cause::SystemRegister(_) => Done::NeedsRegisters,
            Cause::DataAbort(abort) => self.data_abort(abort, complete),
            Cause::InstructionAbort(abort) => Done::Exit(Exit::Unsupported(Unsupported::Access {
                gpa: fault_gpa(&abort),
                is_fetch: true,
                on_table_walk: abort.on_table_walk,
                is_instruction: false,
            })),
            Cause::Coprocessor(access) if !access.is_executed(self.pstate()) => {
                self.skip();
                Done::Yes
            }
            Cause::Hidden => {
                self.inject(Exception::Undefined);
                Done::Yes
            }
            _ => Done::Exit(Exit::Unsupported(Unsupported::Instruction(syndrome.0))),
        }
    }

    fn call(&mut self) -> Done {
        let [x0, x1, x2, x3, ..] = self.context.x;
        if x0 as u32 == psci::VERSION_FUNCTION {
            self.context.set(0, psci::VERSION);
            return Done::Yes;
        }
        Done::Exit(Exit::Call([x0, x1, x2, x3]))
    }

    fn system_register(&mut self, access: SystemAccess) -> Done {
        let value = self.context.get(access.rt);
        let answer = if access.is_read {
            sysreg::read(access.register, &self.guest.ids)
        } else {
            sysreg::write(access.register)
        };
        match answer {
            Answer::Value(value) => self.context.set(access.rt, value),
            Answer::Ignore => {}
            Answer::Undefined => {
                self.inject(Exception::Undefined);
                return Done::Yes;
            }
            Answer::Sgi => {
                let kick = self.guest.vgic.send_sgi(self.index, value);
                self.guest.kick(kick);
            }
            Answer::Sgi0 => {
                let kick = self.guest.vgic.send_group0_sgi(self.index, value);
                self.guest.kick(kick);
            }
            Answer::Deactivate => {
                let synced = self.interface.sync(&self.guest.vgic, &mut Hardware);
                let kick = synced | self.guest.vgic.deactivate(self.index, value as u32);
                self.guest.kick(kick);
            }
            Answer::Unlisted => {
                let target = access.is_read.then_some(access.rt);
                return Done::Exit(Exit::Unsupported(Unsupported::Register { register: access.register, target }));
            }
        }
        self.skip();
        Done::Yes
    }

    fn data_abort(&mut self, data: DataAbort, complete: bool) -> Done {
        let gpa = fault_gpa(&data.abort);
        // Cache maintenance of what is not there has nothing to do: there is nothing to cache.
        if data.is_cache_operation && !data.abort.on_table_walk {
            self.skip();
            return Done::Yes;
        }
        let described = data.transfer.filter(|_| !data.abort.on_table_walk && data.abort.fault == Fault::Translation);
        let Some(transfer) = described else {
            return Done::Exit(Exit::Unsupported(Unsupported::Access {
                gpa,
                is_fetch: false,
                on_table_walk: data.abort.on_table_walk,
                // A translation fault would have been a reference to nothing, had the CPU described the instruction.
                is_instruction: data.abort.fault == Fault::Translation && !data.abort.on_table_walk,
            }));
        };
        if !complete && !is_saved(transfer.register) {
            return Done::NeedsRegisters;
        }
        let store = data.is_write.then(|| transfer.stored(self.context.get(transfer.register)));
        let access = MemoryAccess { gpa, size_bytes: transfer.size_bytes, store, transfer };
        if let Some(offset) = self.guest.distributor_offset(gpa) {
            self.distributor(&access, offset)
        } else if let Some((vcpu, offset)) = self.guest.redistributor_offset(gpa) {
            self.redistributor(&access, vcpu, offset)
        } else {
            return Done::Exit(Exit::Memory(access));
        }
        Done::Yes
    }

    fn distributor(&mut self, access: &MemoryAccess, offset: u64) {
        let vgic = &self.guest.vgic;
        // What the guest did in its list registers becomes known first.
        let mut kick = self.interface.sync(vgic, &mut Hardware);
        match access.store {
            Some(value) => {
                kick |= vgic.distributor_write(self.index, offset, access.size_bytes, value);
                self.skip();
            }
            None => {
                let read = vgic.distributor_read(self.index, offset, access.size_bytes);
                kick |= read.kick;
                self.finish_load(access, read.value);
            }
        }
        self.guest.kick(kick);
    }

    fn redistributor(&mut self, access: &MemoryAccess, vcpu: u32, offset: u64) {
        let vgic = &self.guest.vgic;
        let mut kick = self.interface.sync(vgic, &mut Hardware);
        match access.store {
            Some(value) => {
                kick |= vgic.redistributor_write(vcpu, offset, access.size_bytes, value);
                self.skip();
            }
            None => {
                let read = vgic.redistributor_read(self.index, vcpu, offset, access.size_bytes);
                kick |= read.kick;
                self.finish_load(access, read.value);
            }
        }
        self.guest.kick(kick);
    }

    /// A physical interrupt while the guest ran.
    fn interrupted(&mut self) -> u64 {
        let intid = gic::acknowledge();
        match intid {
            intid::SPECIAL.. => return code::RESUME,
            intid::VIRTUAL_TIMER | intid::PHYSICAL_TIMER => {
                gic::drop_priority(intid);
                // Only this vCPU can be meant, and it looks before it goes on.
                let _ = self.guest.vgic.hardware_pending(self.index, intid);
            }
            intid::MAINTENANCE => {
                let kick = self.interface.sync(&self.guest.vgic, &mut Hardware);
                self.guest.kick(kick);
                gic::drop_priority(intid);
                gic::deactivate(intid);
            }
            intid::KICK => {
                gic::drop_priority(intid);
                gic::deactivate(intid);
                return self.leave(Exit::Kicked);
            }
            _ => {
                gic::drop_priority(intid);
                return self.leave(Exit::Interrupt(intid));
            }
        }
        self.flush();
        code::RESUME
    }
}

/// Whether the quick handler's context has register `index` (or it is the zero register).
fn is_saved(index: u8) -> bool {
    !(19..=29).contains(&index)
}

/// The guest-physical address at fault.
fn fault_gpa(abort: &Abort) -> Gpa {
    let far = read!("FAR_EL2");
    if abort.hpfar_is_valid() {
        return fault_address(read!("HPFAR_EL2"), far);
    }
    // A permission fault: the guest's own tables have the page (DDI 0487 D8.13, `AT`). PAR_EL1 is the guest's.
    let par = read!("PAR_EL1");
    // SAFETY: translates without access; PAR_EL1 is put back below.
    unsafe { core::arch::asm!("at s1e1r, {}", "isb", in(reg) far, options(nostack, preserves_flags)) };
    let found = read!("PAR_EL1");
    // SAFETY: the guest's own value.
    unsafe { write!("PAR_EL1", par) };
    // F: the guest has changed its tables in the meantime; no page, no address.
    if found & 1 != 0 { Gpa(far & 0xfff) } else { Gpa((found & 0x000f_ffff_ffff_f000) | (far & 0xfff)) }
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

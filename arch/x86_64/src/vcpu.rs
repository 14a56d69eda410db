//! A vCPU: its registers, and the way into the guest. `quick` answers exits without the loop, `frequent` those that matter to a
//! guest's speed in a fraction of the time; `deliver` decides what the guest takes next; `switch` starts and stops it, and gives it
//! the pCPU and takes it away.

mod answer;
mod code;
mod control;
mod deliver;
mod emulate;
mod frequent;
mod port;
mod pvclock;
mod quick;
mod registers;
mod string;
mod switch;
mod system;

use model::{Gpa, Hpa};

use crate::context::Context;
use crate::control::Control;
use crate::exit::{Exit, StartUp};
use crate::guest::Guest;
use crate::inject::{self, Event, Together};
use crate::kick::KickMask;
use crate::msr::Mtrrs;
use crate::nmi::Nmi;
use crate::recorder::Tag;
use crate::svm::vmcb::Vmcb;
use crate::svm::{self, entry};
use crate::vapic::LocalApic;
use crate::walk::{self, Wanted};
use crate::{Place, cpu};
use code::{CodePages, Decoded};
use emulate::Hand;
use pvclock::Told;
use switch::Saved;

/// A vCPU. Its pCPU alone touches it; the entry's assembly finds it by its first field.
#[repr(C)]
#[derive(Debug)]
pub struct Vcpu {
    context: Context,
    /// In a page of its own, which only this vCPU and the CPU that runs it touch.
    vmcb: &'static mut Vmcb,
    guest: &'static Guest,
    apic: LocalApic,
    index: u32,
    gives_way: bool,
    is_on: bool,
    is_loaded: bool,
    /// A quick handler has left something for another vCPU of this pCPU.
    others_wait: bool,
    /// A quick handler has changed RBX, RBP or one of R12 to R15.
    changed_all: bool,
    /// What the CPU knows of the guest's translations is to be forgotten before it goes on.
    forgets: bool,
    /// Another vCPU has sent INIT.
    has_init: bool,
    /// The CPU has shut down while an exception was delivered.
    is_shut_down: bool,
    /// What the guest is to take before anything else.
    event: Option<Event>,
    /// The virtual interrupt that it was last offered was the 8259s'.
    offers_external: bool,
    nmi: Nmi,
    /// A start-up IPI that this vCPU has sent, for the loop.
    start_up: Option<StartUp>,
    /// Whom the loop starts because of one.
    called: Option<u32>,
    /// The deadline of the local APIC's timer that the alarm is set for, by the guest's time stamp.
    armed: Option<u64>,
    /// What the quick handler leaves to the loop.
    exit: Option<Exit>,
    /// The instruction that is being emulated.
    hand: Hand,
    code: CodePages,
    decoded: Decoded,
    /// What the guest has added to its time stamp.
    tsc_adjust: u64,
    told: Told,
    mtrrs: Mtrrs,
    /// The life of the VM in which it was last started.
    life: Option<u32>,
    /// What changes hands with the pCPU.
    saved: Saved,
}

/// What is seen of a vCPU outside of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// Where it is.
    pub pc: u64,
    /// It takes no interrupts (RFLAGS.IF is clear).
    pub masks_interrupts: bool,
    /// When its timers are due.
    pub timers: [u64; 2],
}

/// Codes by which the quick handlers tell the assembly how to go on.
mod code_of {
    /// Into the guest, with RBX and its likes as they were.
    pub(super) const RESUME: u64 = 0;
    /// Out to [`super::Vcpu::run`]; the exit is in [`super::Vcpu`].
    pub(super) const EXIT: u64 = 1;
    /// Into the guest, with all registers as they are in the context now.
    pub(super) const RESUME_ALL: u64 = 2;
}

/// What became of an exit.
enum Done {
    /// Answered: back into the guest.
    Yes,
    /// The loop's.
    Exit(Exit),
}

impl Vcpu {
    /// vCPU number `index` of `guest`, off. With `gives_way`, it exits when it spins, so that others get the pCPU. `None` if `memory` has
    /// none for it.
    pub fn new(index: u32, guest: &'static Guest, gives_way: bool, memory: &mut impl Place) -> Option<Vcpu> {
        let page = memory.pages(size_of::<Vmcb>() as u64)?;
        // SAFETY: a zeroed page at its physical address in the map, that is nobody else's for good; all zero is a valid `Vmcb`.
        let vmcb = unsafe { core::ptr::with_exposed_provenance_mut::<Vmcb>(page.0 as usize).as_mut()? };
        let mut apic = LocalApic::new(index);
        // From now on others can send to it.
        apic.reset(&guest.vapic);
        Some(Vcpu {
            context: Context::new(Tag::new(guest.number(), index)),
            vmcb,
            guest,
            apic,
            index,
            gives_way,
            is_on: false,
            is_loaded: false,
            others_wait: false,
            changed_all: false,
            forgets: false,
            has_init: false,
            is_shut_down: false,
            event: None,
            offers_external: false,
            nmi: Nmi::default(),
            start_up: None,
            called: None,
            armed: None,
            exit: None,
            hand: Hand::Nothing,
            code: code::NO_PAGES,
            decoded: code::NOTHING,
            tsc_adjust: 0,
            told: Told::default(),
            mtrrs: Mtrrs::default(),
            life: None,
            saved: Saved::reset(),
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
        // What the guest was to take when the loop got the word, just before it was entered.
        let injected = core::mem::take(&mut self.vmcb.control.event);
        if let Some(event) = self.take_back(injected) {
            self.inject(event);
        }
        loop {
            // An instruction that is not done, or something that it left.
            if let Some(exit) = self.go_on() {
                return exit;
            }
            self.flush();
            if let Some(exit) = self.before_entry() {
                return exit;
            }
            if self.others_wait {
                return Exit::Kicked;
            }
            let forgets =
                cpu::local().is_some_and(|local| local.forgets.swap(false, core::sync::atomic::Ordering::Relaxed));
            self.forgets |= forgets;
            self.forget();
            // All registers are loaded now, so none is left to be.
            self.changed_all = false;
            svm::order();
            // SAFETY: `context` is this vCPU's first field, and it is loaded on this pCPU (the loop's duty, and harmless otherwise: a
            // vCPU that was never started has a VMCB that VMRUN refuses).
            unsafe { entry::enter(&raw mut self.context) };
            svm::order();
            if let Some(exit) = self.exit.take() {
                return exit;
            }
        }
    }

    /// What the loop has to do before the guest goes on.
    fn before_entry(&mut self) -> Option<Exit> {
        if self.is_shut_down {
            return Some(self.shutdown());
        }
        if core::mem::take(&mut self.has_init) {
            // Of the first vCPU it is the machine's reset; see `answer`.
            return Some(if self.index == 0 { Exit::Call(StartUp { vcpu: 0, page: 0 }) } else { Exit::TurnedOff });
        }
        self.start_up.take().map(Exit::Call)
    }

    fn shutdown(&mut self) -> Exit {
        Exit::Failed { action: "triple fault at", what: self.pc() }
    }

    /// Makes the guest take an exception before anything else.
    fn inject(&mut self, event: Event) {
        match inject::together(self.event, event) {
            Together::One(event) => self.event = Some(event),
            Together::Shutdown => self.is_shut_down = true,
        }
    }

    /// Tells vCPUs of the VM to look. This one does so before it goes on.
    #[inline]
    fn kick(&mut self, vcpus: KickMask) {
        let others = vcpus.without(self.index);
        if !others.is_empty() {
            self.others_wait |= self.guest.kick(others);
        }
    }

    /// The guest's time stamp now.
    #[inline]
    fn now(&self) -> u64 {
        self.guest.counter().wrapping_add(self.tsc_adjust)
    }

    /// Where the host's time stamp is when the guest's is at `deadline`; `None` if never.
    fn physical(&self, deadline: u64) -> Option<u64> {
        cpu::counter().checked_add(deadline.saturating_sub(self.now()))
    }

    /// The guest's control registers.
    fn control(&self) -> Control {
        let state = &self.vmcb.state;
        let efer = state.efer & !crate::control::SVME;
        Control { cr0: state.cr0, cr3: state.cr3, cr4: state.cr4, efer, cs_is_long: state.cs.is_long() }
    }

    /// The guest runs 64-bit code.
    #[inline]
    fn is_64_bit(&self) -> bool {
        self.vmcb.state.efer & crate::control::LMA != 0 && self.vmcb.state.cs.is_long()
    }

    /// Where the guest is.
    pub fn pc(&self) -> u64 {
        self.vmcb.state.rip
    }

    /// What can be seen of it from outside, without a question to the guest.
    pub fn glimpse(&self) -> Glimpse {
        let deadline = self.apic.deadline().unwrap_or(u64::MAX);
        let masks_interrupts = self.vmcb.state.rflags & inject::IF == 0;
        Glimpse { pc: self.pc(), masks_interrupts, timers: [deadline, u64::MAX] }
    }

    /// Where the guest's virtual address `address` is in host memory, by its own tables and the nested ones; `None` if it could not
    /// read there.
    pub fn translate(&self, address: u64) -> Option<Hpa> {
        self.find(address, Wanted::default()).ok().and_then(|gpa| self.guest.memory.find(gpa, false))
    }

    /// Where linear address `address` leads.
    fn find(&self, address: u64, wanted: Wanted) -> Result<Gpa, walk::Fault> {
        walk::walk(&self.control(), address, wanted, &self.guest.memory).map(|found| found.gpa)
    }

    /// All else that the VMCB has of it, for dumps.
    pub(crate) fn state(&self) -> &svm::vmcb::State {
        &self.vmcb.state
    }

    /// General registers by their numbers, for dumps.
    pub fn registers(&self) -> [u64; 16] {
        let mut general = self.context.general;
        let [rax, _, _, _, rsp, ..] = &mut general;
        (*rax, *rsp) = (self.vmcb.state.rax, self.vmcb.state.rsp);
        general
    }
}

/// The assembly's handler of exits.
///
/// # Safety
/// Called by the assembly only, with the context of the loaded vCPU.
#[unsafe(no_mangle)]
unsafe extern "C" fn ostler_quick_exit(context: *mut Context) -> u64 {
    // SAFETY: the context is a vCPU's first field (`Vcpu::run` entered with it), and `run` waits in assembly for us.
    let vcpu = unsafe { &mut *context.cast::<Vcpu>() };
    vcpu.quick()
}

/// The same of the last exit that the vCPU's credit allows: it is answered as always, and then the loop has the word, as by the alarm
/// that asks it to decide anew.
///
/// # Safety
/// As [`ostler_quick_exit`].
#[unsafe(no_mangle)]
unsafe extern "C" fn ostler_last_exit(context: *mut Context) -> u64 {
    // SAFETY: as in `ostler_quick_exit`, which is asked first.
    let (code, vcpu) = unsafe { (ostler_quick_exit(context), &mut *context.cast::<Vcpu>()) };
    match code {
        code_of::EXIT => code_of::EXIT,
        _ => {
            // What was answered by then may not have needed it; the loop enters with what is known.
            vcpu.take_priority();
            vcpu.leave(Exit::Interrupt(crate::interrupts::ALARM))
        }
    }
}

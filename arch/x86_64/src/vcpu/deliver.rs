//! What the guest takes next: an event that is left from before, an NMI, an interrupt, or a window for one (APM volume 2, 15.20 and
//! 15.21).
//!
//! An interrupt that the guest takes at once is offered as a virtual one, which the CPU delivers before the first instruction, and not
//! injected as an event: QEMU's TCG delivers an injected interrupt a second time if another of its threads asks this CPU's to stop
//! before the guest is left (`helper_vmrun` leaves its vector as the exception to come). One that the CPU was kept from is still
//! pending when the guest is left, and goes back to where it came from ([`Vcpu::take_back`]).

use super::{Vcpu, code_of};
use crate::alarm;
use crate::exit::{Exit, StartUp};
use crate::inject::{Event, Gate, IF};
use crate::nmi::Nmi;
use crate::svm::event;
use crate::svm::intercepts::{CR8_WRITES, IRET, WINDOW};
use crate::svm::vmcb::virtual_interrupt;
use crate::vapic::Pending;

impl Vcpu {
    /// Sees to it that the guest finds what it is to see.
    #[inline]
    pub(super) fn flush(&mut self) {
        let deadline = self.apic.deadline();
        if deadline != self.armed {
            self.arm();
        }
        let control = &mut self.vmcb.control;
        let [first, ..] = control.intercepts;
        let is_quiet = self.event.is_none() && !self.nmi.is_pending() && first & WINDOW == 0;
        if is_quiet && self.apic.is_idle(&self.guest.vapic) {
            control.interrupt = virtual_interrupt::MASKING | u64::from(self.apic.cr8());
            return;
        }
        self.deliver();
    }

    /// Sets the alarm for the local APIC's timer.
    pub(super) fn arm(&mut self) {
        self.armed = self.apic.deadline();
        alarm::set_guest(self.armed.and_then(|deadline| self.physical(deadline)));
    }

    /// The local APIC's timer goes off, if it is due. True if it was. It is the alarm that has gone off.
    pub(super) fn tick(&mut self) -> bool {
        match self.ticked() {
            Some(Some(vector)) => self.apic.request(vector),
            Some(None) => {}
            None => return false,
        }
        true
    }

    /// The same, if it is; the vector that it gives is still to be requested.
    #[inline(always)]
    pub(super) fn ticked(&mut self) -> Option<Option<u8>> {
        let ticked = self.apic.ticked(self.now());
        // Without a deadline the alarm may have been for an NMI that waited, which is looked at in any case.
        if ticked.is_some() || self.armed.is_none() {
            self.armed = self.apic.deadline();
            alarm::guest_again(self.armed.and_then(|deadline| self.physical(deadline)));
        }
        ticked
    }

    /// Back into the guest, which is in no shadow, with `vector`, of its local APIC's timer or an IPI to itself: mostly it takes it at
    /// once, and nothing else is to be looked at.
    #[inline(always)]
    pub(super) fn resume_with(&mut self, vector: u8) -> u64 {
        let control = &self.vmcb.control;
        let [first, ..] = control.intercepts;
        let takes_interrupts = self.vmcb.state.rflags & IF != 0;
        let is_busy = self.event.is_some() || self.nmi.is_pending() || first & WINDOW != 0;
        if takes_interrupts
            && !is_busy
            && !self.has_business()
            && !self.forgets
            && self.apic.accept_at_once(&self.guest.vapic, vector)
        {
            self.vmcb.control.interrupt =
                virtual_interrupt::MASKING | virtual_interrupt::offer(vector) | u64::from(self.apic.cr8());
            return self.resume_at_once();
        }
        self.apic.request(vector);
        self.resume()
    }

    /// The loop has something to do before the guest goes on.
    #[inline(always)]
    fn has_business(&self) -> bool {
        self.others_wait | self.has_init | self.is_shut_down | self.start_up.is_some()
    }

    /// Takes the NMI, INIT and start-up IPI that others sent.
    fn take_signals(&mut self) {
        let signals = self.apic.take_signals(&self.guest.vapic);
        self.nmi.send(signals.nmi);
        if signals.init {
            match signals.start_up {
                // Both at once: it was off for no time at all.
                Some(page) if self.index != 0 => self.restart(page),
                _ => self.has_init = true,
            }
        }
    }

    /// Whether the guest, which waits for an interrupt, has one already.
    pub fn has_interrupt(&mut self) -> bool {
        self.take_signals();
        let takes_interrupts = self.vmcb.state.rflags & crate::inject::IF != 0;
        self.has_init
            || self.event.is_some()
            || self.nmi.is_due()
            || takes_interrupts && self.apic.pending(&self.guest.vapic).is_some()
    }

    /// What the guest was offered and has not taken; the event that is still to be delivered, of which `info` is one.
    pub(super) fn take_back(&mut self, info: u64) -> Option<Event> {
        let control = &mut self.vmcb.control;
        let [first, ..] = control.intercepts;
        if control.interrupt & virtual_interrupt::PENDING == 0 || first & WINDOW != 0 {
            return event::undelivered(info);
        }
        // Not `info` as well: on TCG an interrupt is pending until it is delivered, and in there as an exception.
        control.interrupt &= !virtual_interrupt::PENDING;
        let vector = (control.interrupt >> virtual_interrupt::VECTOR_SHIFT) as u8;
        if self.offers_external {
            // The 8259s have been acknowledged.
            return Some(Event::Interrupt(vector));
        }
        self.apic.give_back(vector);
        None
    }

    #[inline(never)]
    fn deliver(&mut self) {
        self.take_signals();
        let vapic = &self.guest.vapic;
        let control = &mut self.vmcb.control;
        let mut next = self.event.take();
        let mut gate = Gate {
            rflags: self.vmcb.state.rflags,
            in_shadow: control.shadow & 1 != 0,
            is_busy: next.is_some(),
            in_nmi: self.nmi.is_masked(),
        };
        let mut waits_for_nmi = false;
        if self.nmi.is_due() {
            if gate.takes_nmi() {
                self.nmi.deliver(&mut self.vmcb.state.rflags);
                let [first, ..] = &mut control.intercepts;
                *first |= IRET;
                next = Some(Event::Nmi);
                gate.is_busy = true;
            } else {
                waits_for_nmi = !self.nmi.is_stepping();
            }
        }
        let mut pending = self.apic.pending(vapic);
        let mut offered = None;
        if gate.takes_interrupt()
            && let Some(taken) = pending
        {
            let vector = match taken {
                Pending::Vector(vector) => {
                    self.apic.accept(vector);
                    Some(vector)
                }
                Pending::External => vapic.acknowledge_external(&mut self.apic),
            };
            self.offers_external = taken == Pending::External;
            offered = vector;
            pending = self.apic.pending(vapic);
        }
        // What is left waits for the CPU to say that the guest could take it, or for a lower TPR. (A CPU that compares the two by
        // itself would make do with the first; TCG says that the guest could when they are alike.)
        let (window, waits_for_tpr) = match (pending, self.apic.highest(vapic)) {
            (Some(Pending::External), _) => (virtual_interrupt::PENDING | virtual_interrupt::IGNORES_TPR, false),
            (_, Some(vector)) if vector >> 4 > self.apic.cr8() => {
                let priority = u64::from(vector >> 4) << virtual_interrupt::PRIORITY_SHIFT;
                (virtual_interrupt::PENDING | priority, false)
            }
            (_, highest) => (0, highest.is_some()),
        };
        let [first, ..] = &mut control.intercepts;
        *first = if window != 0 { *first | WINDOW } else { *first & !WINDOW };
        // (TCG ends itself by an assertion if CR8 is written while a virtual interrupt is pending: `tcg_handle_interrupt`.)
        let others = control.cr_intercepts & !CR8_WRITES;
        control.cr_intercepts = if waits_for_tpr || window != 0 { others | CR8_WRITES } else { others };
        let virtual_interrupt = match offered {
            Some(vector) if window == 0 => virtual_interrupt::offer(vector),
            // There can be one of them.
            Some(vector) => {
                next = Some(Event::Interrupt(vector));
                window
            }
            None => window,
        };
        control.interrupt = virtual_interrupt::MASKING | u64::from(self.apic.cr8()) | virtual_interrupt;
        control.event = next.map_or(0, event::encode);
        if waits_for_nmi {
            self.wait_for_nmi(gate.in_shadow);
        }
    }

    /// An NMI cannot be taken yet: not in a shadow, which is over after an instruction, nor before another event, which is delivered
    /// before the board's next interrupt is taken.
    #[cold]
    fn wait_for_nmi(&mut self, in_shadow: bool) {
        if in_shadow {
            self.nmi.step(false, &mut self.vmcb.state.rflags);
        } else {
            self.armed = None;
            alarm::set_guest(Some(0));
        }
    }

    /// The handler of an NMI executes IRET: it is over with the instruction's end.
    pub(super) fn before_iret(&mut self) {
        let [first, ..] = &mut self.vmcb.control.intercepts;
        *first &= !IRET;
        self.nmi.step(true, &mut self.vmcb.state.rflags);
    }

    /// The guest's instruction has ended with TF set, as DR6 says: it takes a debug exception, unless it was a step of ours.
    pub(super) fn stepped(&mut self) {
        let state = &mut self.vmcb.state;
        if !self.nmi.stepped(&mut state.rflags, &mut state.dr6) {
            self.inject(Event::DEBUG);
        }
    }

    /// Forgets NMIs: out of reset.
    pub(super) fn reset_nmi(&mut self) {
        self.nmi = Nmi::default();
    }

    /// Hands `exit` to [`Vcpu::run`].
    pub(super) fn leave(&mut self, exit: Exit) -> u64 {
        self.exit = Some(exit);
        code_of::EXIT
    }

    /// Back into the guest, unless the loop has something to do first.
    #[inline]
    pub(super) fn resume(&mut self) -> u64 {
        self.flush();
        if self.has_business() {
            // `run` finds the rest.
            return match self.before_entry() {
                Some(exit) => self.leave(exit),
                None => self.leave(Exit::Kicked),
            };
        }
        self.forget();
        self.resume_at_once()
    }

    /// Back into the guest: nothing was done that it, or another vCPU of this pCPU, would have to look at.
    #[inline]
    pub(super) fn resume_at_once(&mut self) -> u64 {
        if core::mem::take(&mut self.changed_all) { code_of::RESUME_ALL } else { code_of::RESUME }
    }

    /// Start-up IPIs that this vCPU has sent are the loop's.
    #[inline]
    pub(super) fn look_for_start_up(&mut self) {
        if !self.guest.is_all_on() && self.start_up.is_none() {
            self.start_up = self.guest.starts().map(|(vcpu, page)| StartUp { vcpu, page });
        }
    }
}

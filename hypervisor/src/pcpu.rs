//! A pCPU and its loop: the one place that enters guests.
//!
//! A vCPU has one owner, the pCPU that it has a seat on. Others never touch it: they leave something where the owner looks
//! (a start, a request to stop, a pending interrupt in the virtual GIC), a note in the pCPU's mailbox, and ring it by an interrupt.
//! The loop takes all notes on every way into a guest, and interrupts stay masked outside of guests, so a ring between the look and
//! the wait or the entry is not lost: it is pending, and ends either at once.
//!
//! ```text
//! notes ─▶ attend to those seats ─▶ choose who runs ─▶ load it, set the alarm ─▶ run ─▶ handle its exit ─┐
//!   ▲                                    └─ nobody: wait for an interrupt                                │
//!   └────────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! As long as nothing has happened that could change the choice, the vCPU goes on without a look at the clock.
//!
//! `seat` is what it knows of a vCPU, `attend` what it does about notes.

mod attend;
mod seat;

use arch::cpu::PerCpu;
use arch::{Exit, alarm, controller};

use crate::images::Fill;
use crate::post_mortem::Report;
use crate::scheduler::{Scheduler, Seats};
use crate::{exits, interrupts, lifecycle};
use seat::Work;

pub use seat::Seat;

/// One pCPU with all that sits on it.
pub struct Pcpu {
    local: &'static PerCpu,
    /// None of them is empty once it runs.
    seats: &'static mut [Option<Seat>],
    scheduler: Scheduler<'static>,
    /// Seats of first vCPUs whose VMs have a timer armed.
    timed: Seats,
    /// The seat whose vCPU is loaded.
    loaded: Option<usize>,
    /// Who runs, as the scheduler said last.
    chosen: Option<usize>,
    /// Something has happened since that may change who runs.
    is_stale: bool,
    /// For when the alarm is set.
    alarm: Option<u64>,
    /// What is being told of a vCPU here.
    report: &'static mut Option<Report>,
}

/// What a vCPU does after its exit was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on.
    GoOn,
    /// It waits for an interrupt.
    Wait,
    /// It goes on, after others of its priority.
    GiveWay,
    /// It goes on when all memory of its VM has been cleaned.
    Clean,
    /// It is off.
    Off,
}

/// Seat number `index`, with its number.
fn seat(seats: &mut [Option<Seat>], index: Option<usize>) -> Option<(usize, &mut Seat)> {
    let index = index?;
    Some((index, seats.get_mut(index)?.as_mut()?))
}

impl Pcpu {
    /// The pCPU `local` with `seats`, in the order of the bits of its mailbox and of `scheduler`, and a place for a report.
    pub fn new(
        local: &'static PerCpu,
        seats: &'static mut [Option<Seat>],
        scheduler: Scheduler<'static>,
        report: &'static mut Option<Report>,
    ) -> Pcpu {
        Pcpu {
            local,
            seats,
            scheduler,
            timed: Seats::default(),
            loaded: None,
            chosen: None,
            is_stale: true,
            alarm: None,
            report,
        }
    }

    /// Runs this pCPU for good: its vCPUs and the board's interrupts.
    pub fn run(mut self) -> ! {
        // The first starts were left before there was anybody to ring.
        self.attend(u64::MAX);
        loop {
            let notes = self.local.mailbox.take();
            if notes != 0 {
                self.attend(notes);
            }
            if core::mem::take(&mut self.is_stale) {
                self.choose();
                // A vCPU that lost the pCPU may have left notes, here too.
                continue;
            }
            match seat(self.seats, self.chosen) {
                Some((chosen, Seat { vm, work: Some(work), .. })) => {
                    let is_done = match work {
                        Work::Renew(fill) => lifecycle::renew(vm, fill),
                        // Cleaning can't fail.
                        Work::Clean(fill) => fill.step() != Ok(false),
                        Work::Tell => self.tell(chosen),
                    };
                    self.worked(chosen, is_done);
                }
                Some((chosen, seat)) => {
                    let exit = seat.vcpu.run();
                    let next = match exit {
                        Exit::Interrupt(number) => {
                            self.interrupted(number);
                            Next::GoOn
                        }
                        exit => {
                            seat.exits = seat.exits.wrapping_add(1);
                            exits::handle(seat, exit)
                        }
                    };
                    self.next(chosen, next);
                }
                None => self.idle(),
            }
        }
    }

    /// Something has happened that the vCPU at seat `index` may wait for.
    fn ready(&mut self, index: usize) {
        if !self.scheduler.is_ready(index) {
            self.scheduler.ready(index, arch::cpu::counter());
            self.is_stale = true;
        }
    }

    /// Decides who runs, gives it the pCPU, and sets the alarm for the next decision that nothing else brings about.
    fn choose(&mut self) {
        let now = arch::cpu::counter();
        let timers = self.timers(now);
        self.hold_to_budget(now);
        self.chosen = self.scheduler.choose(now);
        if self.chosen.is_some() && self.chosen != self.loaded {
            self.switch(now);
        }
        let until = self.scheduler.until().into_iter().chain(timers).min();
        if core::mem::replace(&mut self.alarm, until) != until {
            alarm::set(until);
        }
    }

    /// Looks after the timers of the VMs that are at home here; the deadline of the next one.
    fn timers(&mut self, now: u64) -> Option<u64> {
        let mut next: Option<u64> = None;
        for index in self.timed {
            let Some((_, Seat { vm, .. })) = seat(self.seats, Some(index)) else { continue };
            vm.timers.take_due(now).for_each(|timer| lifecycle::timer(vm, timer));
            match vm.timers.next() {
                Some(deadline) => next = Some(next.map_or(deadline, |next| next.min(deadline))),
                None => self.timed.remove(index),
            }
        }
        next
    }

    /// Who is loaded and has used up its exits waits for the end of its period.
    fn hold_to_budget(&mut self, now: u64) {
        let recorder = &self.local.recorder;
        if recorder.credit() >= 0 {
            return;
        }
        if let Some((index, seat)) = seat(self.seats, self.loaded) {
            match seat.budget.exhausted(now) {
                Ok(exits) => recorder.set_credit(exits),
                Err(until) => self.scheduler.hold(index, until),
            }
        }
    }

    /// Loads the chosen one. Who was loaded and waits stays where it is until then: often it is itself the next one.
    fn switch(&mut self, now: u64) {
        self.unload();
        if let Some((chosen, seat)) = seat(self.seats, self.chosen) {
            match seat.work {
                None => self.load(chosen, now),
                Some(_) => self.local.in_hand.take(seat.vm.guest.number(), seat.vcpu.index()),
            }
        }
    }

    /// Takes the pCPU away from the vCPU that is loaded.
    fn unload(&mut self) {
        if let Some((index, old)) = seat(self.seats, self.loaded) {
            old.vcpu.unload();
            old.budget.unload(self.local.recorder.credit());
            if !self.scheduler.is_ready(index) {
                self.scheduler.wake_at(index, old.vcpu.deadline());
            }
        }
        self.loaded = None;
    }

    /// Gives the pCPU, where no vCPU is loaded, to the one at seat `index`.
    fn load(&mut self, index: usize, now: u64) {
        let Some((_, seat)) = seat(self.seats, Some(index)) else { return };
        self.local.in_hand.take(seat.vm.guest.number(), seat.vcpu.index());
        seat.vcpu.load();
        self.local.recorder.set_credit(seat.budget.load(now));
        self.loaded = Some(index);
        if seat.has_sibling {
            arch::cpu::forget_guest_translations();
        }
        seat.vm.tell_stolen(seat.vcpu, self.scheduler.stolen(index));
    }

    fn next(&mut self, index: usize, next: Next) {
        let Some((index, seat)) = seat(self.seats, Some(index)) else { return };
        let vcpu = &mut seat.vcpu;
        match next {
            Next::GoOn => return,
            Next::Wait if vcpu.has_interrupt() => return,
            Next::Wait => self.scheduler.wait(index, arch::cpu::counter()),
            Next::GiveWay => self.scheduler.give_way(index, arch::cpu::counter()),
            Next::Clean => seat.work = Some(Work::Clean(Fill::clean(seat.vm.config, seat.vm.extents))),
            Next::Off => {
                self.scheduler.off(index, arch::cpu::counter());
                self.loaded = None;
                self.local.in_hand.drop();
            }
        }
        self.is_stale = true;
    }

    /// A piece of the work at a seat is done. No guest was entered, so nobody has looked for interrupts.
    fn worked(&mut self, index: usize, is_done: bool) {
        if is_done && let Some((index, seat)) = seat(self.seats, Some(index)) {
            match seat.work.take() {
                Some(Work::Renew(_)) => {
                    self.scheduler.off(index, arch::cpu::counter());
                    self.local.in_hand.drop();
                }
                Some(Work::Tell) => {
                    *self.report = None;
                    self.let_go(index);
                }
                Some(Work::Clean(_)) | None => {}
            }
            self.is_stale = true;
        }
        self.poll();
    }

    /// Waits for an interrupt and handles it.
    fn idle(&mut self) {
        arch::cpu::wait_for_interrupt();
        self.poll();
    }

    /// Handles an interrupt, if there is one.
    fn poll(&mut self) {
        let Some(number) = controller::take() else { return };
        // Who waits for an interrupt may be loaded still, and its timers run.
        if let Some((loaded, seat)) = seat(self.seats, self.loaded)
            && seat.vcpu.interrupt(number)
        {
            self.ready(loaded);
            return;
        }
        self.interrupted(number);
    }

    /// An interrupt of the board's or of the hypervisor's own, which was taken.
    fn interrupted(&mut self, number: u32) {
        if number == arch::interrupts::ALARM {
            alarm::set(None);
            self.alarm = None;
            self.is_stale = true;
        }
        interrupts::handle(number);
    }
}

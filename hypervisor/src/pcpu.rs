//! A pCPU and its loop: the one place that enters guests.
//!
//! A vCPU has one owner, the pCPU that it has a seat on. Others never touch it: they leave something where the owner looks
//! (a start, a request to stop, a pending interrupt in the virtual GIC), a note in the pCPU's mailbox, and ring it by an SGI.
//! The loop takes all notes on every way into a guest, and interrupts stay masked at EL2, so a ring between the look and
//! the `wfi` or `eret` is not lost: it is pending, and ends either at once.
//!
//! ```text
//! notes ─▶ attend to those seats ─▶ choose who runs ─▶ load it, set the alarm ─▶ run ─▶ handle its exit ─┐
//!   ▲                                    └─ nobody: wait for an interrupt                                │
//!   └────────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! As long as nothing has happened that could change the choice, the vCPU goes on without a look at the clock.

use core::sync::atomic::Ordering;

use arch::cpu::PerCpu;
use arch::{Exit, Vcpu, alarm, gic, intid};
use model::StopReason;

use crate::budget::Budget;
use crate::images::Fill;
use crate::life::{Look, Settled, Ticket};
use crate::post_mortem::{Report, Step};
use crate::progress::{Sight, Watch};
use crate::scheduler::{Scheduler, Seats};
use crate::vm::Vm;
use crate::{exits, interrupts, lifecycle};

/// A vCPU on its pCPU.
pub struct Seat {
    /// The vCPU; nobody else has it.
    pub vcpu: &'static mut Vcpu,
    /// Its VM.
    pub vm: &'static Vm,
    ticket: Ticket,
    /// Another vCPU of the VM sits on this pCPU.
    has_sibling: bool,
    /// What it may exit.
    budget: Budget,
    /// What is to be done for it before it runs again, in its own time.
    work: Option<Work>,
    /// Whether it makes progress, if that is watched.
    watch: Option<Watch>,
    /// How often it needed the loop.
    exits: u32,
}

/// What takes too long to be done at once.
enum Work {
    /// The VM is made new, at the seat of its first vCPU.
    Renew(Fill),
    /// The vCPU's memory is cleaned for it.
    Clean(Fill),
    /// The VM failed, and the pCPU's report of this vCPU is told before it lets go.
    Tell,
}

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

impl Seat {
    /// The seat of `vcpu`, which is one of `vm`'s; `has_sibling` if another one of these sits on the same pCPU.
    pub fn new(vcpu: &'static mut Vcpu, vm: &'static Vm, has_sibling: bool) -> Seat {
        Seat {
            vcpu,
            vm,
            ticket: Ticket::default(),
            has_sibling,
            budget: Budget::new(vm.config.exit_budget, arch::cpu::counter_hz()),
            work: None,
            watch: vm.config.progress_timeout_ms.map(|_| Watch::default()),
            exits: 0,
        }
    }

    /// Starts the vCPU if it is off and somebody left a start for it. A start is left for who is off alone (PSCI CPU_ON).
    fn take_start(&mut self) {
        if self.vcpu.is_on() {
            return;
        }
        let start = self.vm.starts.get(self.vcpu.index() as usize).and_then(|start| start.lock().take());
        if let Some(start) = start {
            self.vcpu.start(start.entry, start.argument);
            self.vm.guest.psci().turned_on(self.vcpu.index());
        }
    }

    /// The calling vCPU turns itself off (PSCI CPU_OFF). The last one of its VM ends the VM: nothing could start it again.
    pub fn turn_off(&mut self) -> Next {
        self.vcpu.stop();
        if self.vm.guest.psci().turned_off(self.vcpu.index()) {
            self.vm.stop(StopReason::PowerOff);
        }
        Next::Off
    }
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
                        Exit::Interrupt(intid) => {
                            self.interrupted(intid);
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

    /// Looks at the seats that others left notes for.
    fn attend(&mut self, notes: u64) {
        for index in Seats::new(notes) {
            let Some((index, seat)) = seat(self.seats, Some(index)) else { continue };
            if seat.vcpu.index() == 0 && seat.vm.timers.next().is_some() {
                self.timed.insert(index);
                self.is_stale = true;
            }
            match seat.vm.life.look(&mut seat.ticket) {
                Look::In => {
                    seat.take_start();
                    let (is_on, is_watched) = (seat.vcpu.is_on(), seat.watch.is_some());
                    if is_watched {
                        self.watch(index);
                    }
                    if is_on {
                        self.ready(index);
                    }
                }
                Look::StepAside => self.step_aside(index),
                Look::Leave => self.leave(index),
                Look::Out => self.renew(index),
            }
        }
    }

    /// The vCPU at seat `index` is out. If it is the first one of its VM, that is made new in its time.
    #[cold]
    fn renew(&mut self, index: usize) {
        let Some((_, seat)) = seat(self.seats, Some(index)) else { return };
        if seat.vcpu.index() == 0 && seat.vm.take_renewal() {
            seat.work = Some(Work::Renew(seat.vm.renew()));
            self.ready(index);
        }
    }

    /// Looks whether the vCPU at seat `index` makes progress. If it does not, that is the VM's end.
    #[cold]
    fn watch(&mut self, index: usize) {
        let is_ready = self.scheduler.is_ready(index);
        let ran = self.scheduler.ran(index);
        // The run time up to now is charged then.
        self.is_stale = true;
        let Some((_, seat)) = seat(self.seats, Some(index)) else { return };
        let Some(watch) = &mut seat.watch else { return };
        let seen = (is_ready && seat.vcpu.is_on()).then(|| seat.vcpu.glimpse());
        let sight = seen.map(|seen| Sight {
            masks_interrupts: seen.masks_interrupts,
            timers: seen.timers,
            exits: seat.exits,
            ran,
        });
        if watch.look(seat.vm.looks.load(Ordering::Acquire), sight)
            && let Some(seen) = seen
        {
            seat.vm.stop(StopReason::NoProgress { vcpu: seat.vcpu.index(), pc: seen.pc });
        }
    }

    /// Something has happened that the vCPU at seat `index` may wait for.
    fn ready(&mut self, index: usize) {
        if !self.scheduler.is_ready(index) {
            self.scheduler.ready(index, arch::cpu::counter());
            self.is_stale = true;
        }
    }

    /// The VM pauses: the vCPU at seat `index` gives the pCPU up, and keeps everything else.
    #[cold]
    fn step_aside(&mut self, index: usize) {
        self.scheduler.off(index, arch::cpu::counter());
        self.is_stale = true;
        let Some((_, seat)) = seat(self.seats, Some(index)) else { return };
        if self.loaded == Some(index) {
            seat.vcpu.unload();
            seat.budget.unload(self.local.recorder.credit());
        }
        self.gone(index);
    }

    /// The VM is to stop: the vCPU at seat `index` lets go of it.
    #[cold]
    fn leave(&mut self, index: usize) {
        let Some((_, seat)) = seat(self.seats, Some(index)) else { return };
        if let Some(Work::Tell) = seat.work {
            return;
        }
        if let Some(reason) = seat.vm.failure(seat.vcpu.index())
            && seat.vcpu.is_on()
            && self.report.is_none()
        {
            seat.work = Some(Work::Tell);
            self.take_down(index, reason);
            return;
        }
        self.let_go(index);
    }

    /// Takes down what the vCPU at seat `index` was doing when its VM failed for `reason`.
    fn take_down(&mut self, index: usize, reason: StopReason) {
        if self.loaded != Some(index) {
            self.unload();
            self.load(index, arch::cpu::counter());
        }
        if let Some((_, seat)) = seat(self.seats, Some(index)) {
            *self.report = Some(Report::of(seat.vm, seat.vcpu, reason, &self.local.recorder));
        }
        self.ready(index);
        self.is_stale = true;
    }

    /// Tells a line of the report of the vCPU at seat `index`. True if all is told.
    fn tell(&mut self, index: usize) -> bool {
        match self.report.as_mut().map_or(Step::Done, Report::step) {
            Step::Told => false,
            Step::Full => {
                let millisecond = arch::cpu::counter_hz().checked_div(1000).unwrap_or(0);
                self.scheduler.hold(index, arch::cpu::counter().saturating_add(millisecond));
                self.is_stale = true;
                false
            }
            Step::Done => true,
        }
    }

    /// The vCPU at seat `index` lets go of its VM.
    fn let_go(&mut self, index: usize) {
        self.scheduler.off(index, arch::cpu::counter());
        self.is_stale = true;
        let Some((_, seat)) = seat(self.seats, Some(index)) else { return };
        seat.vcpu.stop();
        seat.work = None;
        if let Some(watch) = &mut seat.watch {
            watch.reset();
        }
        self.gone(index);
    }

    /// The vCPU at seat `index` is not in its VM any more. The last one has it for itself.
    fn gone(&mut self, index: usize) {
        let was_loaded = self.loaded.take_if(|loaded| *loaded == index).is_some();
        let Some((_, seat)) = seat(self.seats, Some(index)) else { return };
        if seat.vm.life.leave(&mut seat.ticket) && seat.vm.left() == Settled::Ended {
            lifecycle::stopped(seat.vm);
        }
        if was_loaded {
            self.local.in_hand.drop();
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
        seat.vm.tell_stolen(seat.vcpu.index(), self.scheduler.stolen(index));
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
        let intid = gic::acknowledge();
        if intid >= intid::SPECIAL {
            return;
        }
        gic::drop_priority(intid);
        // Who waits for an interrupt may be loaded still, and its timers run.
        if let Some((loaded, seat)) = seat(self.seats, self.loaded)
            && seat.vcpu.interrupt(intid)
        {
            self.ready(loaded);
            return;
        }
        self.interrupted(intid);
    }

    /// An interrupt of the board's or of the hypervisor's own: acknowledged, its priority dropped.
    fn interrupted(&mut self, intid: u32) {
        if intid == intid::HYP_TIMER {
            alarm::set(None);
            self.alarm = None;
            self.is_stale = true;
        }
        interrupts::handle(intid);
    }
}

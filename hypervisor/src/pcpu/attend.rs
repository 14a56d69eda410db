//! What a pCPU does about the notes in its mailbox: vCPUs join their VMs, step aside for a pause, and let go at an end.

use core::sync::atomic::Ordering;

use model::StopReason;

use super::{Pcpu, Work, seat};
use crate::life::{Look, Settled};
use crate::post_mortem::{Report, Step};
use crate::progress::Sight;
use crate::scheduler::Seats;
use crate::{lifecycle, log};

impl Pcpu {
    /// Looks at the seats that others left notes for.
    pub(super) fn attend(&mut self, notes: u64) {
        if let Some(complaint) = arch::complaint::take() {
            log::error!("{complaint}");
        }
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
    pub(super) fn tell(&mut self, index: usize) -> bool {
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
    pub(super) fn let_go(&mut self, index: usize) {
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
}

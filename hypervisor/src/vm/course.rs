//! A VM's beginnings and ends: how it is stopped, paused, made new and begun again, by whoever may.
//!
//! `life` says who has the VM for itself (its holder); here is what that one does to it. Anybody may ask for a stop or a pause.

use core::fmt;
use core::sync::atomic::Ordering;

use model::{State, Step, StopReason};

use super::Vm;
use crate::images::Fill;
use crate::life::{Asked, Settled};
use crate::log;
use crate::policy::{History, Verdict};
use crate::progress::LOOKS;
use crate::timers::Timer;

/// What of a VM's beginnings and ends counts.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Why it is to stop. The first reason counts; but one that is final is never forgotten.
    asked: Option<StopReason>,
    /// Why it stopped last.
    last: Option<StopReason>,
    /// What its policy remembers.
    history: History,
    /// When it began, later by the time for which it was paused since.
    began: u64,
    /// While nobody is in: since when its time stands still.
    left: Option<u64>,
    /// When it is to begin again.
    restart_at: Option<u64>,
    /// It is to be made new.
    renewal: bool,
    /// How often it has begun again.
    restarts: u32,
}

impl Vm {
    /// Asks all of the VM's pCPUs to let go of it. The first reason counts, but a final one ends it whatever else happens,
    /// even if it has stopped and is to begin again.
    pub fn stop(&self, reason: StopReason) {
        let mut course = self.course.lock();
        let asked = self.life.ask(Step::Stop);
        if asked.is_some() || reason.is_final() && !self.life.is_over() {
            course.asked = Some(reason);
        }
        let waits = course.restart_at.is_some();
        drop(course);
        match asked {
            Some(asked) => self.see_to(asked),
            None if waits && reason.is_final() => self.arm(Timer::Restart, Some(arch::cpu::counter())),
            None => {}
        }
    }

    /// Why it is about to stop, if that is a failure of vCPU `index`'s.
    pub fn failure(&self, index: u32) -> Option<StopReason> {
        self.course.lock().asked.filter(|reason| reason.culprit() == Some(index))
    }

    /// The operator wants it paused, or that it goes on.
    pub fn toggle_pause(&self) {
        if !self.pause() && !self.resume() {
            log::info!("{}: {}", self.config.name, self.standing());
        }
    }

    /// Asks all pCPUs to let their vCPUs rest; the guest's time stands still. False if it does not run.
    pub fn pause(&self) -> bool {
        self.ask(Step::Pause)
    }

    /// Asks all pCPUs to go on. False if it is not paused.
    pub fn resume(&self) -> bool {
        self.ask(Step::Resume)
    }

    fn ask(&self, step: Step) -> bool {
        let asked = self.life.ask(step);
        if let Some(asked) = asked {
            self.see_to(asked);
        }
        asked.is_some()
    }

    fn see_to(&self, asked: Asked) {
        match asked {
            Asked::Ring => self.guest.kick_all(),
            // It was paused, so it can't have ended yet: all are called in, to go on or to leave.
            Asked::Yours => drop(self.settle()),
        }
    }

    /// The last vCPU has left, on this pCPU: does what was asked for. If it has ended, it is the caller's still.
    pub fn left(&self) -> Settled {
        self.course.lock().left = Some(arch::cpu::counter());
        self.settle()
    }

    /// The holder does what was asked for.
    pub fn settle(&self) -> Settled {
        let paused = self.hold_time();
        // While nobody is in. Who opens it unmasks them after that: the home, where the first vCPU starts, or here after a pause.
        self.passed.mask();
        let settled = self.life.settle();
        let name = self.config.name;
        match settled {
            Settled::Opened => {
                self.guest.kick_all();
                if paused && self.life.state() == State::Running {
                    log::info!("{name}: goes on");
                    // Devices that count the guest's time did not see it pass.
                    self.rearm();
                    self.passed.unmask();
                }
            }
            Settled::Paused => log::info!("{name}: paused"),
            Settled::Ended => {}
        }
        settled
    }

    /// Adds the time for which nobody was in to what the guest does not see. True if it was paused.
    fn hold_time(&self) -> bool {
        let mut course = self.course.lock();
        let Some(left) = course.left else { return false };
        let now = arch::cpu::counter();
        let ticks = now.saturating_sub(left);
        self.guest.hold_time(ticks);
        course.began = course.began.saturating_add(ticks);
        course.left = Some(now);
        true
    }

    /// All vCPUs have let go of it, and the caller holds it: quiets its devices, and says why it stopped and what is to be done.
    pub fn stopped(&self) -> (StopReason, Verdict) {
        for device in self.devices {
            device.quiesce();
        }
        self.passed.quiesce(self.config.name);
        for timer in [Timer::Devices, Timer::PowerOff, Timer::Progress, Timer::Passed] {
            self.arm(timer, None);
        }
        let mut course = self.course.lock();
        let reason = course.asked.take().unwrap_or(StopReason::PowerOff);
        course.last = Some(reason);
        let ran = arch::cpu::counter().saturating_sub(course.began);
        let ran_ms = super::nanoseconds(ran, arch::cpu::counter_hz()) / 1_000_000;
        let was_told = self.asked_off.load(Ordering::Relaxed);
        (reason, course.history.verdict(&self.config.restart, &reason, was_told, ran_ms))
    }

    /// It has ended, by `step`, and is to begin again at `at`; or at once, if it is to end for good since. The caller arms.
    pub fn wait(&self, step: Step, at: u64) {
        let mut course = self.course.lock();
        self.life.step(step);
        course.restart_at = Some(if course.asked.is_some() { 0 } else { at });
    }

    /// When it is to begin again, if it waits for that.
    pub fn restart_at(&self) -> Option<u64> {
        self.course.lock().restart_at
    }

    /// It has waited long enough: its first vCPU's pCPU makes it new. Nothing if it does not wait.
    pub fn again(&self) {
        let mut course = self.course.lock();
        if course.restart_at.take().is_some() && self.life.step(Step::Renew) {
            course.renewal = true;
            drop(course);
            self.guest.kick(arch::kick::KickMask::of(0));
        }
    }

    /// Whether the pCPU of its first vCPU is to make it new: once.
    pub fn take_renewal(&self) -> bool {
        core::mem::take(&mut self.course.lock().renewal)
    }

    /// Makes it new again, by its holder: nothing of its old self is reachable any more (its TLB entries go). What comes back
    /// fills its memory; when that is done, [`Vm::restart`].
    pub fn renew(&self) -> Fill {
        self.guest.reset(self.config);
        Fill::new(self.config, self.extents)
    }

    /// Begins again: its memory is scrubbed and its images are fresh, now its devices are reset. To be followed by
    /// [`Vm::settle`], by which its pCPUs join.
    pub fn restart(&self) {
        for device in self.devices {
            device.reset(&self.guest);
        }
        self.asked_off.store(false, Ordering::Relaxed);
        if self.begin() {
            let mut course = self.course.lock();
            course.restarts = course.restarts.saturating_add(1);
            let restarts = course.restarts;
            drop(course);
            log::info!("{}: restarts ({restarts})", self.config.name);
        }
    }

    /// Begins for the first time, before there is a pCPU to ring: each looks when it starts.
    pub fn begin_first(&self) {
        if self.begin() {
            self.life.settle();
        }
    }

    /// Leaves the first vCPU's start, and no other. False if somebody has asked for a stop since it was made new.
    fn begin(&self) -> bool {
        let mut first = Some(self.config.entry);
        for start in self.starts {
            *start.lock() = first.take();
        }
        let now = arch::cpu::counter();
        let mut course = self.course.lock();
        (course.began, course.left) = (now, None);
        // Of those who ask for a stop, each sees that it runs, or is seen here.
        if course.asked.is_some() {
            let _ = self.life.ask(Step::Stop);
            return false;
        }
        // Who joins looks at the timers, too.
        self.timers.arm(Timer::Progress, self.next_look(now));
        self.life.step(Step::Begin)
    }

    /// When its vCPUs are to be looked at next, if they are watched.
    pub fn next_look(&self, now: u64) -> Option<u64> {
        let period = u64::from(self.config.progress_timeout_ms?).checked_div(LOOKS.into())?;
        Some(now.saturating_add(ticks(period)).max(now.saturating_add(1)))
    }

    /// It has ended for good, by `step`.
    pub fn retire(&self, step: Step) {
        self.life.step(step);
        self.life.retire();
    }

    /// Where it is, in words.
    pub fn standing(&self) -> Standing {
        let course = self.course.lock();
        let state = self.life.state();
        let why = course.last.filter(|_| matches!(state, State::Stopped | State::Failed));
        Standing { state, why, waits: course.restart_at.is_some(), restarts: course.restarts }
    }
}

/// So many ticks of the physical counter as `ms` milliseconds have.
pub fn ticks(ms: u64) -> u64 {
    ms.saturating_mul(arch::cpu::counter_hz()) / 1000
}

/// Where a VM is, as the console's list shows it.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    state: State,
    why: Option<StopReason>,
    waits: bool,
    restarts: u32,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state)?;
        if let Some(why) = self.why {
            write!(f, " ({why})")?;
        }
        if self.waits {
            f.write_str(", about to start again")?;
        }
        match self.restarts {
            0 => Ok(()),
            restarts => write!(f, ", restarts {restarts}"),
        }
    }
}

//! The VMs of the board together: how many live, and what happens when one ends.
//!
//! `policy` decides on each end; here it is carried out, with what it means for others: the VM's group, and the board.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use model::{Console, State, Step, StopReason};
use spin::Mutex;

use crate::images::Fill;
use crate::life::Settled;
use crate::policy::Verdict;
use crate::timers::Timer;
use crate::vm::{Vm, ticks};
use crate::{board, log, power, terminal};

/// The VM that was added last; each knows the one before it.
static LAST: Mutex<Option<&'static Vm>> = Mutex::new(None);
/// VMs that have not ended.
static ALIVE: AtomicUsize = AtomicUsize::new(0);
/// Serial devices that were connected to the console so far; only the boot CPU counts.
static CONSOLES: AtomicUsize = AtomicUsize::new(0);
/// A VM has ended badly.
static FAILED: AtomicBool = AtomicBool::new(false);
/// How the board is to end: not yet, or as the VM did that has `set ostler-board-stop`.
static BOARD: AtomicU8 = AtomicU8::new(RUNS);

const RUNS: u8 = 0;
const ENDS_WELL: u8 = 1;
const ENDS_BADLY: u8 = 2;

/// Adds a VM that is assembled and has not started. Called by the boot CPU, in the order of the configuration.
pub fn add(vm: &'static Vm) {
    ALIVE.fetch_add(1, Ordering::Relaxed);
    if let Some(before) = LAST.lock().replace(vm) {
        vm.before.call_once(|| before);
    }
    for (device, vdev) in vm.config.vdevs.iter().enumerate() {
        if let Some(Console::Board(_)) = vdev.kind.console() {
            terminal::connect(CONSOLES.fetch_add(1, Ordering::Relaxed), vm, device);
        }
    }
}

/// All VMs, the last one first.
pub fn vms() -> impl Iterator<Item = &'static Vm> {
    core::iter::successors(*LAST.lock(), |vm| vm.before.get().copied())
}

/// The others of the restart group of `vm`.
fn group(vm: &'static Vm) -> impl Iterator<Item = &'static Vm> {
    let name = vm.config.restart.group;
    vms().filter(move |other| name.is_some() && other.config.restart.group == name && !core::ptr::eq(*other, vm))
}

/// No vCPU of `vm` runs any more, and the caller holds it: it has ended, or it begins again, now or later.
pub fn stopped(vm: &'static Vm) {
    let (reason, verdict) = vm.stopped();
    let step = if reason.code() == 0 { Step::End } else { Step::Fail };
    let now = arch::cpu::counter();
    let name = vm.config.name;
    match verdict {
        Verdict::AtOnce => {
            vm.wait(step, now);
            vm.again();
        }
        Verdict::After(ms) => {
            log::info!("{name}: stopped: {reason} (code {}), starts again in {ms} ms", reason.code());
            vm.wait(step, now.saturating_add(ticks(ms.into())));
            group(vm).for_each(|other| other.stop(StopReason::Group(name)));
            vm.arm(Timer::Restart, vm.restart_at());
        }
        Verdict::With => {
            log::info!("{name}: stopped: {reason} (code {}), starts again with it", reason.code());
            let first = group(vm).find(|other| matches!(reason, StopReason::Group(name) if name == other.config.name));
            vm.wait(step, first.and_then(Vm::restart_at).unwrap_or(now));
            vm.arm(Timer::Restart, vm.restart_at());
        }
        Verdict::End => ended(vm, reason, step),
        Verdict::GiveUp => {
            let limit = vm.config.restart.limit.unwrap_or(0);
            log::info!("{name}: has failed for good: {limit} restarts did not help");
            ended(vm, reason, Step::Fail);
        }
    }
}

/// `timer` of `vm` has gone off. Called by the VM's home, outside of any guest.
pub fn timer(vm: &'static Vm, timer: Timer) {
    let now = arch::cpu::counter();
    match timer {
        Timer::Restart => {
            // All of a group have stopped before one begins.
            if group(vm).any(|other| other.life.state() == State::Stopping) {
                vm.arm(Timer::Restart, Some(now.saturating_add(ticks(1))));
            } else {
                vm.again();
            }
        }
        Timer::Progress => {
            if matches!(vm.life.state(), State::Running | State::Paused) {
                vm.looks.fetch_add(1, Ordering::AcqRel);
                vm.guest.kick_all();
                vm.arm(Timer::Progress, vm.next_look(now));
            }
        }
        // Devices count their guest's time, and that stands still: when it goes on they are looked after.
        Timer::Devices if vm.life.state() == State::Paused => {}
        Timer::Devices => vm.tend(),
        Timer::PowerOff => power::timed_out(vm),
        Timer::Passed => vm.arm(Timer::Passed, vm.passed.release(now)),
    }
}

/// Goes on with the work that makes `vm` new, and begins it when that is done. True if there is no more to do.
pub fn renew(vm: &'static Vm, work: &mut Fill) -> bool {
    match work.step() {
        Ok(false) => return false,
        Ok(true) => vm.restart(),
        Err(why) => {
            log::error!("{}: cannot start again: {why}", vm.config.name);
            vm.stop(StopReason::NotStarted(why));
        }
    }
    // Somebody may have asked for a stop meanwhile.
    if vm.settle() == Settled::Ended {
        stopped(vm);
    }
    true
}

/// `vm` has ended for good, by `step`. The last one ends the board: well if all ended well, or as the one did that the board
/// ends with.
fn ended(vm: &'static Vm, reason: StopReason, step: Step) {
    let name = vm.config.name;
    log::info!("{name}: stopped: {reason} (code {})", reason.code());
    let is_well = step == Step::End;
    vm.retire(step);
    terminal::close(vm);
    if !is_well {
        FAILED.store(true, Ordering::Relaxed);
    }
    if vm.config.restart.board_stop {
        let way = if is_well { ENDS_WELL } else { ENDS_BADLY };
        // The first one counts.
        if BOARD.compare_exchange(RUNS, way, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            log::info!("{name} was what the board is for: all others are stopped");
            vms().filter(|other| !core::ptr::eq(*other, vm)).for_each(|other| other.stop(StopReason::Board(name)));
        }
    }
    // AcqRel: how an earlier one ended is known to the last one.
    if ALIVE.fetch_sub(1, Ordering::AcqRel) == 1 {
        tell_coverage();
        let way = BOARD.load(Ordering::Acquire);
        let well = if way == RUNS { !FAILED.load(Ordering::Relaxed) } else { way == ENDS_WELL };
        let how = match (well, way) {
            (true, _) => "power off",
            (false, RUNS) => "reset, because not all ended well",
            (false, _) => "reset, because the one that counts ended badly",
        };
        log::info!("all VMs have stopped: {how}");
        end(well);
    }
}

/// Says which handlers were reached, in a build that counts it.
fn tell_coverage() {
    let mut counts = arch::coverage::counts().peekable();
    while counts.peek().is_some() {
        struct Row<'a>(&'a [(&'static str, u64)]);
        impl core::fmt::Display for Row<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.iter().try_for_each(|(name, count)| write!(f, " {name}={count}"))
            }
        }
        let mut row = [("", 0); 6];
        let length = row.iter_mut().zip(&mut counts).map(|(place, count)| *place = count).count();
        log::info!("reached:{}", Row(row.get(..length).unwrap_or(&[])));
    }
}

/// Ends the board with all that was said shown.
pub fn end(well: bool) -> ! {
    terminal::drain();
    board::end(well)
}

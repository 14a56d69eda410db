//! The VMs of the board together: how many live, and what happens when one ends.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use model::{Console, StopReason, VdevKind};

use crate::images::Fill;
use crate::timers::Timer;
use crate::vm::Vm;
use crate::{board, power, terminal};

/// VMs that have not ended.
static ALIVE: AtomicUsize = AtomicUsize::new(0);
/// Serial devices that were connected to the console so far; only the boot CPU counts.
static CONSOLES: AtomicUsize = AtomicUsize::new(0);
/// A VM has ended with another code than 0.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Adds a VM that is assembled and has not started. Called by the boot CPU, in the order of the configuration.
pub fn add(vm: &'static Vm) {
    ALIVE.fetch_add(1, Ordering::Relaxed);
    for (device, vdev) in vm.config.vdevs.iter().enumerate() {
        if let VdevKind::Pl011 { console: Console::Board(_) } = vdev.kind {
            terminal::connect(CONSOLES.fetch_add(1, Ordering::Relaxed), vm, device);
        }
    }
}

/// No vCPU of `vm` runs any more. A guest that asked for a reset gets it, once the work that comes back is done; any other
/// end is the end of the VM.
pub fn stopped(vm: &'static Vm) -> Option<Fill> {
    match vm.stopped() {
        StopReason::Reset => Some(vm.renew()),
        reason => {
            ended(vm, reason);
            None
        }
    }
}

/// `timer` of `vm` has gone off. Called by the VM's home, outside of any guest.
pub fn timer(vm: &'static Vm, timer: Timer) {
    match timer {
        Timer::Devices => vm.tend(),
        Timer::PowerOff => power::timed_out(vm),
        Timer::Restart | Timer::Progress => {}
    }
}

/// Goes on with the work that [`stopped`] left, and starts the VM when it is done. True if there is no more to do.
pub fn renew(vm: &'static Vm, work: &mut Fill) -> bool {
    match work.step() {
        Ok(false) => return false,
        Ok(true) => vm.restart(),
        Err(why) => ended(vm, StopReason::NotStarted(why)),
    }
    true
}

/// `vm` has ended for good. The last one ends the board: well if all ended with code 0.
fn ended(vm: &'static Vm, reason: StopReason) {
    log::info!("{}: stopped: {reason} (code {})", vm.config.name, reason.code());
    terminal::close(vm);
    if reason.code() != 0 {
        FAILED.store(true, Ordering::Relaxed);
    }
    // AcqRel: whether an earlier one failed is known to the last one.
    if ALIVE.fetch_sub(1, Ordering::AcqRel) == 1 {
        let well = !FAILED.load(Ordering::Relaxed);
        log::info!("all VMs have stopped: {}", if well { "power off" } else { "reset, because not all ended well" });
        end(well);
    }
}

/// Ends the board with all that was said shown.
pub fn end(well: bool) -> ! {
    terminal::drain();
    board::end(well)
}

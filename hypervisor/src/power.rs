//! The power key and the power cord of a VM, for whoever sits at the board's console.
//!
//! The key asks the guest to power itself off (a PL061 with `gpio-keys`, or ACPI's power button), and it may take its time: until a time-out, or until
//! the key is pressed once more, as a second SIGTERM is in qvm. Then, or when the cord is pulled, the VM ends at once and
//! with qvm's code for that.

use core::sync::atomic::Ordering;

use model::StopReason;

use crate::bus::Device;
use crate::log;
use crate::timers::Timer;
use crate::vm::Vm;

/// Presses the power key of `vm`. If it has none, or was asked before, that is not the way: it says so, and then cuts.
pub fn press(vm: &'static Vm) {
    if vm.asked_off.swap(true, Ordering::Relaxed) {
        return cut(vm);
    }
    let (name, seconds) = (vm.config.name, vm.config.poweroff_timeout_s);
    if has_key(vm) {
        // Before the guest can answer.
        log::info!("{name}: power key pressed; Ctrl-] o again cuts the power, and so do {seconds} s without an end");
        press_key(vm);
    } else {
        log::info!("{name}: no power key (`vdev pl061` in its file is one); Ctrl-] o again cuts the power");
    }
    let patience = u64::from(seconds).saturating_mul(arch::cpu::counter_hz());
    vm.arm(Timer::PowerOff, Some(arch::cpu::counter().saturating_add(patience)));
}

/// Cuts the power of `vm`.
pub fn cut(vm: &'static Vm) {
    vm.stop(StopReason::PowerCut);
}

/// The time that `vm` has to power off is over. Without a key it never knew; and it may live another life since, if it stopped
/// while the key was pressed.
pub fn timed_out(vm: &'static Vm) {
    if vm.asked_off.swap(false, Ordering::Relaxed) && has_key(vm) {
        log::info!("{}: not off after {} s", vm.config.name, vm.config.poweroff_timeout_s);
        cut(vm);
    }
}

fn press_key(vm: &Vm) {
    vm.devices.iter().filter_map(Device::timed).for_each(|timed| timed.press(&vm.guest));
    vm.rearm();
}

fn has_key(vm: &Vm) -> bool {
    vm.config.vdevs.iter().any(|vdev| vdev.kind.has_power_key())
}

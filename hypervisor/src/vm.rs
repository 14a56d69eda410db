//! One virtual machine at run time: its memory, its devices, its vCPUs' home; in `course`, its beginnings and ends.

mod course;

use core::sync::atomic::{AtomicBool, AtomicU32};

use arch::kick::KickMask;
use arch::{At, Guest, Latches, Vcpu};
use model::{Extent, Gpa, Hpa, STOLEN_TIME_BYTES, Start, StopReason, VdevKind};
use spin::{Mutex, Once};

use crate::bus::Device;
use crate::direct::store_in_guest;
use crate::life::Life;
use crate::passing::Passed;
use crate::timers::{Timer, Timers};
use course::Course;

pub use course::{Standing, ticks};

/// One virtual machine. Shared by the pCPUs that run its vCPUs.
pub struct Vm {
    /// What its file says.
    pub config: &'static model::Vm,
    /// What the CPU's architecture keeps of it.
    pub guest: Guest,
    /// Its memory.
    pub extents: &'static [Extent],
    /// Its devices, in the order of [`model::Vm::vdevs`].
    pub devices: &'static [Device],
    /// Its interrupts of the board, in the order of [`model::Vm::interrupts`].
    pub passed: &'static Passed,
    /// Where each vCPU's next start is left.
    pub starts: &'static [Mutex<Option<Start>>],
    /// Where it is in its life, which of its pCPUs have a vCPU of it, and whether they are to let go.
    pub life: Life,
    /// What it waits for, looked at by its home: the pCPU of its first vCPU.
    pub timers: Timers,
    /// Somebody at the console has asked it, in this life, to power off.
    pub asked_off: AtomicBool,
    /// Held while [`Timer::Devices`] is armed, so that who does it last has seen what all others did to the devices.
    arming: Mutex<()>,
    /// Where its stolen-time records lie.
    stolen: Option<Hpa>,
    /// What of its beginnings and ends counts. Locked for moments, and never on the way of an exit that is none of these.
    course: Mutex<Course>,
    /// How often its vCPUs were to be looked at (`set ostler-progress-timeout`).
    pub looks: AtomicU32,
    /// The VM before it, in the order of the configuration from behind: see [`crate::lifecycle::vms`].
    pub before: Once<&'static Vm>,
}

impl Vm {
    /// A VM that is assembled and about to start, with each of its vCPUs handed to a pCPU.
    pub fn new(
        config: &'static model::Vm,
        guest: Guest,
        extents: &'static [Extent],
        devices: &'static [Device],
        passed: &'static Passed,
        starts: &'static [Mutex<Option<Start>>],
    ) -> Vm {
        Vm {
            config,
            guest,
            extents,
            devices,
            passed,
            starts,
            life: Life::new(config.cpus.len() as u16),
            timers: Timers::new(),
            asked_off: AtomicBool::new(false),
            arming: Mutex::new(()),
            stolen: config.stolen_time.and_then(|gpa| find(extents, gpa, config.cpus.len())),
            course: Mutex::new(Course::default()),
            looks: AtomicU32::new(0),
            before: Once::new(),
        }
    }

    /// Tells the guest that `ticks` of the counter were stolen from `vcpu` so far, which is about to run: where its CPU has it told, and
    /// in the record that assembly has for it (DEN 0057 section 3.3.2: revision and attributes, both zero, then nanoseconds).
    pub fn tell_stolen(&self, vcpu: &mut Vcpu, ticks: u64) {
        vcpu.tell_stolen(ticks);
        let record = u64::from(vcpu.index()).checked_mul(STOLEN_TIME_BYTES).and_then(|offset| offset.checked_add(8));
        let Some(at) = self.stolen.zip(record).and_then(|(start, offset)| start.0.checked_add(offset)) else { return };
        // SAFETY: an aligned word of the records, which lie in one extent of this VM's memory (`find`).
        unsafe { store_in_guest(Hpa(at), nanoseconds(ticks, arch::cpu::counter_hz())) };
    }

    /// Whether `gpa` is the guest's RAM or ROM.
    pub fn is_memory(&self, gpa: Gpa) -> bool {
        self.extents.iter().any(|extent| extent.translate(gpa).is_some())
    }

    /// Leaves a start for vCPU `index`, which is off, and rings its pCPU. False if there is no such vCPU.
    pub fn start(&self, index: u32, start: Start) -> bool {
        let Some(slot) = self.starts.get(index as usize) else { return false };
        *slot.lock() = Some(start);
        self.guest.kick(KickMask::of(index));
        true
    }

    /// Sets `timer` to go off when the physical counter reaches `deadline`, or never: its home then calls
    /// [`crate::lifecycle::timer`]. Any CPU.
    pub fn arm(&self, timer: Timer, deadline: Option<u64>) {
        if self.timers.arm(timer, deadline) {
            self.guest.kick(KickMask::of(0));
        }
    }

    /// Sees to it that the home looks after the devices when one of them waits for that. To be called after whatever was done to
    /// a [`crate::bus::Timed`]. Any CPU.
    pub fn rearm(&self) {
        let _turn = self.arming.lock();
        let timed = self.devices.iter().filter_map(Device::timed);
        let deadlines = timed.filter_map(|timed| timed.deadline(&self.guest));
        self.arm(Timer::Devices, deadlines.map(|deadline| self.guest.physical(deadline)).min());
    }

    /// The device that is at `at`, and the offset of that in it.
    #[inline]
    pub fn device_at(&self, at: At) -> Option<(&'static Device, u64)> {
        self.devices.iter().find_map(|device| device.offset(at).map(|offset| (device, offset)))
    }

    /// The lines of the 8254 and of the clock are the HPET's from now on, or theirs again. Any CPU.
    pub fn replace_legacy(&self, is_replaced: bool) {
        let is_legacy = |device: &&Device| matches!(device.kind(), VdevKind::Timer8254 | VdevKind::Mc146818 { .. });
        for timed in self.devices.iter().filter(is_legacy).filter_map(Device::timed) {
            timed.replace(&self.guest, is_replaced);
        }
    }

    /// Looks after the devices that wait for a time: a watchdog that bites stops the VM. By its home, to which nobody else can
    /// give a new life meanwhile.
    pub fn tend(&self) {
        if self.devices.iter().filter_map(Device::timed).any(|timed| timed.bites(&self.guest)) {
            return self.stop(StopReason::Watchdog);
        }
        self.rearm();
    }
}

impl Latches for Vm {
    fn latch(&self, port: u16, value: u8) -> bool {
        self.device_at(At::Port(port)).is_some_and(|(device, offset)| device.latch(offset, value))
    }
}

/// `ticks` of a counter that makes `hz` of them a second.
fn nanoseconds(ticks: u64, hz: u64) -> u64 {
    let second = 1_000_000_000;
    let (seconds, rest) = (ticks.checked_div(hz).unwrap_or(0), ticks.checked_rem(hz).unwrap_or(0));
    // A counter runs at 1 GHz at most (DDI 0487 D11.1.2), so the product fits.
    let rest = rest.saturating_mul(second).checked_div(hz).unwrap_or(0);
    seconds.saturating_mul(second).saturating_add(rest)
}

/// Where the stolen-time records of `vcpus` vCPUs at `gpa` lie; `None` if they are not in one piece of memory.
fn find(extents: &[Extent], gpa: Gpa, vcpus: usize) -> Option<Hpa> {
    let (hpa, left) = extents.iter().find_map(|extent| extent.translate(gpa))?;
    let size = STOLEN_TIME_BYTES.checked_mul(vcpus as u64)?;
    (size <= left && gpa.0.is_multiple_of(STOLEN_TIME_BYTES)).then_some(hpa)
}

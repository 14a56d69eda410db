//! One virtual machine at run time: its memory, its devices, its vCPUs' home, and its end.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use arch::Guest;
use arch::vgic::KickMask;
use model::{Extent, Gpa, StopReason};
use spin::Mutex;

use crate::bus::Device;

/// How a vCPU starts; left for its pCPU by whoever starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its first instruction.
    pub entry: Gpa,
    /// Its `x0`.
    pub argument: u64,
}

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
    /// Where each vCPU's next start is left.
    pub starts: &'static [Mutex<Option<Start>>],
    /// Somebody asked it to stop, for this reason.
    reason: Mutex<Option<StopReason>>,
    /// Set after `reason`, read on every way into the guest.
    stopping: AtomicBool,
    /// vCPUs whose pCPUs have not yet let go of them.
    seated: AtomicU32,
}

impl Vm {
    /// A VM that is assembled and about to start, with each of its vCPUs handed to a pCPU.
    pub fn new(
        config: &'static model::Vm,
        guest: Guest,
        extents: &'static [Extent],
        devices: &'static [Device],
        starts: &'static [Mutex<Option<Start>>],
    ) -> Vm {
        Vm {
            config,
            guest,
            extents,
            devices,
            starts,
            reason: Mutex::new(None),
            stopping: AtomicBool::new(false),
            seated: AtomicU32::new(config.cpus.len() as u32),
        }
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

    /// Asks all of the VM's pCPUs to let go of it. The first reason counts.
    pub fn stop(&self, reason: StopReason) {
        self.reason.lock().get_or_insert(reason);
        self.stopping.store(true, Ordering::Release);
        self.guest.kick_all();
    }

    /// Whether the VM is to stop: its vCPUs must not be entered again.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// A pCPU has let go of one of the vCPUs. The last one ends the VM: its reason is returned to that one only.
    pub fn leave(&self) -> Option<StopReason> {
        // AcqRel: what each pCPU did to the VM happened before what the last one does next.
        if self.seated.fetch_sub(1, Ordering::AcqRel) != 1 {
            return None;
        }
        for device in self.devices {
            device.quiesce();
        }
        let reason = (*self.reason.lock()).unwrap_or(StopReason::PowerOff);
        log::info!("{}: stopped: {reason} (code {})", self.config.name, reason.code());
        Some(reason)
    }
}

//! What the CPU's architecture keeps of a VM: second stage, interrupt controller, power states, time.

use core::sync::atomic::{AtomicU64, Ordering};

use model::{Counter, Gpa, Hpa};

use crate::psci::{Power, Psci};
use crate::sysreg::{Features, IdRegisters};
use crate::vgic::{KickMask, Redistributor, Vgic};
use crate::{control, cpu, gic};

/// One VM, shared by the pCPUs that run its vCPUs.
#[derive(Debug)]
pub struct Guest {
    /// Its interrupt controller.
    pub vgic: Vgic<'static>,
    /// Where that is in guest-physical memory.
    pub(crate) frames: model::Gic,
    power: &'static [Power],
    /// By vCPU: what [`gic::send`] takes to reach its pCPU.
    doorbells: &'static [u64],
    /// VTTBR_EL2: the second stage's root and the VMID that tags its TLB entries.
    pub(crate) vttbr: u64,
    counter_offset: AtomicU64,
    /// The ID registers that it is shown.
    pub(crate) ids: IdRegisters,
    /// What the CPU has that matters to entry and exit.
    pub(crate) features: Features,
}

impl Guest {
    /// The VM that `config` describes, number `index` of the system, with its second stage at `root`. The three
    /// lists have one entry for each of its vCPUs.
    pub fn new(
        index: u32,
        config: &model::Vm,
        root: Hpa,
        doorbells: &'static [u64],
        redistributors: &'static [Redistributor],
        power: &'static [Power],
    ) -> Guest {
        // All CPUs of the board are taken to be alike.
        let host = IdRegisters::of_this_cpu();
        let psci = Psci::new(power);
        psci.reset();
        // VMID 0 is left to whoever ran before us. 8 bits (VTCR_EL2.VS = 0); assembly allows fewer VMs than that.
        let vmid = u64::from(index).wrapping_add(1) & 0xff;
        Guest {
            vgic: Vgic::new(redistributors),
            frames: config.gic,
            power,
            doorbells,
            vttbr: vmid << 48 | root.0,
            counter_offset: AtomicU64::new(counter_offset(config.counter)),
            ids: host.guest(control::ipa_bits()),
            features: Features::new(&host),
        }
    }

    /// Everything of the VM that is in here as it was before its first start, apart from its memory. None of its vCPUs
    /// runs, and this pCPU ran one of them last: its VMID is still in VTTBR_EL2.
    pub fn reset(&self, config: &model::Vm) {
        // SAFETY: invalidates the TLB entries of the VMID that no vCPU uses now, on all CPUs (DDI 0487 D8.17.5).
        unsafe {
            core::arch::asm!("dsb ishst", "tlbi vmalls12e1is", "dsb ish", "isb", options(nostack, preserves_flags))
        };
        self.vgic.reset();
        self.psci().reset();
        self.counter_offset.store(counter_offset(config.counter), Ordering::Relaxed);
    }

    /// CNTVOFF_EL2: host counter minus guest counter.
    pub(crate) fn counter_offset(&self) -> u64 {
        self.counter_offset.load(Ordering::Relaxed)
    }

    /// Power control over its vCPUs.
    pub fn psci(&self) -> Psci<'static> {
        Psci::new(self.power)
    }

    /// A device's line changed; rings the vCPUs that have to look.
    pub fn set_line(&self, intid: u32, level: bool) {
        // The checker gave devices only INTIDs that exist.
        if let Ok(kick) = self.vgic.inject(model::Irq::Shared(intid), level) {
            self.kick(kick);
        }
    }

    /// Rings the pCPUs of these vCPUs. The pCPU that this runs on needs no ring: it looks before it enters a guest.
    #[inline]
    pub fn kick(&self, vcpus: KickMask) {
        for vcpu in vcpus.iter() {
            self.ring(self.doorbells.get(vcpu as usize));
        }
    }

    /// Rings the pCPUs of all vCPUs.
    pub fn kick_all(&self) {
        self.doorbells.iter().for_each(|doorbell| self.ring(Some(doorbell)));
    }

    fn ring(&self, doorbell: Option<&u64>) {
        let own = cpu::local().map(|local| local.doorbell);
        if let Some(&doorbell) = doorbell.filter(|&&doorbell| Some(doorbell) != own) {
            gic::send(doorbell);
        }
    }

    /// What of the interrupt controller is at `gpa`.
    pub(crate) fn frame(&self, gpa: Gpa) -> Option<Frame> {
        if let Some(offset) = gpa.offset_from(self.frames.distributor)
            && offset < model::Gic::DISTRIBUTOR_BYTES
        {
            return Some(Frame::Distributor(offset));
        }
        let offset = gpa.offset_from(self.frames.cpus)?;
        let vcpu = u32::try_from(offset / model::Gic::REDISTRIBUTOR_BYTES).ok()?;
        (vcpu < self.vgic.vcpus()).then_some(Frame::Redistributor(vcpu, offset % model::Gic::REDISTRIBUTOR_BYTES))
    }
}

/// CNTVOFF_EL2 of a VM that starts now.
fn counter_offset(counter: Counter) -> u64 {
    match counter {
        Counter::StartsAtZero => cpu::counter(),
        Counter::Offset(offset) => offset.wrapping_neg(),
    }
}

/// A place in the interrupt controller's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The offset in the distributor.
    Distributor(u64),
    /// The vCPU whose redistributor it is, and the offset in it.
    Redistributor(u32, u64),
}

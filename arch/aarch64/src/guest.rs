//! What the CPU's architecture keeps of a VM: second stage, interrupt controller, power states, time.

use core::sync::atomic::{AtomicU64, Ordering};

use arch_common::doorbell::{Doorbell, Doorbells};
use arch_common::place::Place;
use model::{Counter, GicVersion, Gpa, Hpa};

use crate::cpu::{self, PerCpu};
use crate::psci::{Power, Psci};
use crate::registers::{read, write};
use crate::sysreg::{Features, IdRegisters};
use crate::vgic::{Ends, KickMask, Redistributor, Vgic};
use crate::{Latches, control};

/// One VM, shared by the pCPUs that run its vCPUs.
#[derive(Debug)]
pub struct Guest {
    /// Its interrupt controller.
    pub vgic: Vgic<'static>,
    /// Where that is in guest-physical memory.
    pub(crate) frames: model::Gic,
    power: &'static [Power],
    /// How its vCPUs are reached.
    doorbells: Doorbells<PerCpu>,
    /// VTTBR_EL2: the second stage's root and the VMID that tags its TLB entries.
    pub(crate) vttbr: u64,
    counter_offset: AtomicU64,
    /// The ID registers that it is shown.
    pub(crate) ids: IdRegisters,
    /// What the CPU has that matters to entry and exit.
    pub(crate) features: Features,
}

impl Guest {
    /// The VM that `config` describes, number `index` of the system, with its second stage at `root` and a doorbell for each of its
    /// vCPUs. `ends` is told of the board's interrupts that are its own; what else it needs comes from `memory`.
    pub fn new(
        index: u32,
        config: &model::Vm,
        root: Hpa,
        doorbells: &'static [Doorbell<PerCpu>],
        ends: Option<&'static dyn Ends>,
        memory: &mut impl Place,
    ) -> Result<Guest, &'static str> {
        let model::Machine::Arm(frames) = config.machine else { return Err("it is a machine for another CPU") };
        const NO_MEMORY: &str = "the board's memory is used up";
        let redistributors = memory.list(config.cpus.len(), |_, _| Some(Redistributor::new())).ok_or(NO_MEMORY)?;
        let power: &'static [Power] = memory.list(config.cpus.len(), |_, _| Some(Power::new())).ok_or(NO_MEMORY)?;
        // All CPUs of the board are taken to be alike.
        let host = IdRegisters::of_this_cpu();
        let psci = Psci::new(power);
        psci.reset();
        // VMID 0 is left to whoever ran before us. 8 bits (VTCR_EL2.VS = 0); assembly allows fewer VMs than that.
        let vmid = u64::from(index).wrapping_add(1) & 0xff;
        let vgic = Vgic::new(crate::GIC, redistributors);
        Ok(Guest {
            vgic: match ends {
                Some(ends) => vgic.with_ends(ends),
                None => vgic,
            },
            frames,
            power,
            doorbells: Doorbells(doorbells),
            vttbr: vmid << 48 | root.0,
            counter_offset: AtomicU64::new(counter_offset(config.counter)),
            ids: host.guest(control::gpa_bits()),
            features: Features::new(&host),
        })
    }

    /// Everything of the VM that is in here as it was before its first start, apart from its memory. None of its vCPUs
    /// runs.
    pub fn reset(&self, config: &model::Vm) {
        let loaded = read!("VTTBR_EL2");
        // SAFETY: invalidates the TLB entries of the VMID that no vCPU uses now, on all CPUs (DDI 0487 D8.17.5). The
        // instruction takes the current VMID; whose it was before is put back before any guest runs.
        unsafe {
            write!("VTTBR_EL2", self.vttbr);
            core::arch::asm!("isb", "dsb ishst", "tlbi vmalls12e1is", "dsb ish", options(nostack, preserves_flags));
            write!("VTTBR_EL2", loaded);
            core::arch::asm!("isb", options(nostack, preserves_flags));
        };
        self.vgic.reset();
        self.psci().reset();
        self.counter_offset.store(counter_offset(config.counter), Ordering::Relaxed);
    }

    /// Its devices. (None of arm64's has a register that only selects another one.)
    pub fn connect(&self, _devices: &'static dyn Latches) {}

    /// Its number in the system.
    pub fn number(&self) -> u32 {
        // The VMID is one more.
        (self.vttbr >> 48).wrapping_sub(1) as u32
    }

    /// The guest's virtual counter now.
    pub fn counter(&self) -> u64 {
        cpu::counter().wrapping_sub(self.counter_offset())
    }

    /// Where the physical counter is when the guest's is at `ticks`.
    pub fn physical(&self, ticks: u64) -> u64 {
        ticks.wrapping_add(self.counter_offset())
    }

    /// The root of its second stage, which has as many bits of input address as [`crate::gpa_bits`] says.
    pub fn second_stage(&self) -> Hpa {
        // BADDR: all but the VMID, and CnP, which is clear.
        Hpa(self.vttbr & 0x0000_ffff_ffff_fffe)
    }

    /// CNTVOFF_EL2: host counter minus guest counter.
    pub(crate) fn counter_offset(&self) -> u64 {
        self.counter_offset.load(Ordering::Relaxed)
    }

    /// The guest's virtual time stands still for `ticks`: its counter goes on from where it was. None of its vCPUs is loaded.
    pub fn hold_time(&self, ticks: u64) {
        self.counter_offset.fetch_add(ticks, Ordering::Relaxed);
    }

    /// vCPU `index` runs from now on: it was started.
    pub fn turned_on(&self, index: u32) {
        self.psci().turned_on(index);
    }

    /// vCPU `index` has ended, by itself. True if it was the last one: nothing could start any of them again.
    pub fn turned_off(&self, index: u32) -> bool {
        self.psci().turned_off(index)
    }

    /// Power control over its vCPUs.
    pub(crate) fn psci(&self) -> Psci<'static> {
        Psci::new(self.power)
    }

    /// A device's line changed; rings the vCPUs that have to look.
    pub fn set_line(&self, line: u32, level: bool) {
        // The checker gave devices only INTIDs that exist.
        if let Ok(kick) = self.vgic.inject(model::Irq::Shared(line), level) {
            self.kick(kick);
        }
    }

    /// The board's interrupt behind its line `intid` was taken; rings the vCPUs that have to look.
    pub fn passed_pending(&self, intid: u32) {
        let kick = self.vgic.passed_pending(intid);
        self.kick(kick);
    }

    /// The same of an interrupt that may come again before the guest is done with it.
    pub fn pulse(&self, intid: u32) {
        if let Ok(kick) = self.vgic.pulse(model::Irq::Shared(intid)) {
            self.kick(kick);
        }
    }

    /// Tells the pCPUs of these vCPUs to look at them. True if this pCPU is one of them: it is not rung, and its loop looks
    /// before it enters a guest again.
    #[inline]
    pub fn kick(&self, vcpus: KickMask) -> bool {
        self.doorbells.ring(vcpus)
    }

    /// Tells the pCPUs of all vCPUs to look at them.
    pub fn kick_all(&self) {
        self.doorbells.ring_all();
    }

    /// The offset of guest-physical address `gpa` in a GICv3's distributor, if it is there.
    #[inline]
    pub(crate) fn distributor_offset(&self, gpa: u64) -> Option<u64> {
        let offset = gpa.wrapping_sub(self.frames.distributor.0);
        (offset < model::Gic::DISTRIBUTOR_BYTES).then_some(offset)
    }

    /// What of the interrupt controller is at `gpa` that has to be emulated.
    pub(crate) fn frame(&self, gpa: Gpa) -> Option<Frame> {
        const DISTRIBUTOR_BYTES: u64 = match crate::GIC {
            GicVersion::V2 => model::Gic::DISTRIBUTOR_V2_BYTES,
            GicVersion::V3 => model::Gic::DISTRIBUTOR_BYTES,
        };
        if let Some(offset) = gpa.offset_from(self.frames.distributor)
            && offset < DISTRIBUTOR_BYTES
        {
            return Some(Frame::Distributor(offset));
        }
        let offset = gpa.offset_from(self.frames.cpus)?;
        if matches!(crate::GIC, GicVersion::V2) {
            // Its first page is the pCPU's own: the second stage maps it.
            return (offset < model::Gic::CPU_INTERFACE_BYTES).then_some(Frame::CpuInterface(offset));
        }
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
    /// The offset in a GICv2's CPU interface.
    CpuInterface(u64),
}

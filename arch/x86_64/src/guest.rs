//! What the CPU's architecture keeps of a VM: nested tables, interrupt controllers, which vCPUs are on, time.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arch_common::bits::{bit, ones};
use arch_common::doorbell::{Doorbell, Doorbells};
use model::{Counter, Gpa, Hpa, PAGE_BYTES, Pc, Ports};
use spin::Once;

use crate::cpu::{self, PerCpu};
use crate::cpuid::{Cpuid, Machine};
use crate::kick::KickMask;
use crate::memory::Memory;
use crate::pvclock::Scale;
use crate::svm::bitmap;
use crate::svm::intercepts::Features;
use crate::vapic::{Posted, Vapic};
use crate::{Ends, Latches, Place, clock, registers, svm};

/// One VM, shared by the pCPUs that run its vCPUs.
#[derive(Debug)]
pub struct Guest {
    number: u32,
    /// Its interrupt controllers.
    pub(crate) vapic: Vapic<'static>,
    /// Where the I/O APIC is, if it has one.
    pub(crate) io_apic: Option<Gpa>,
    /// It has 8259s.
    pub(crate) has_pic: bool,
    /// How its vCPUs are reached.
    doorbells: Doorbells<PerCpu>,
    pub(crate) memory: Memory,
    /// The vCPUs that are on, or about to be.
    on: AtomicU32,
    /// All of them.
    all: u32,
    /// How often it has been reset.
    life: AtomicU32,
    /// Host's time stamp less the guest's.
    counter_offset: AtomicU64,
    /// How its time stamp becomes nanoseconds.
    pub(crate) scale: Scale,
    /// When the host's time stamp was at zero: nanoseconds since 1970, as the board's clock had it.
    epoch: u64,
    /// Of the record of time that was written last.
    version: AtomicU32,
    /// What it is shown of the CPU.
    pub(crate) cpuid: Cpuid,
    /// What the CPU has that matters to entry and exit.
    pub(crate) features: Features,
    /// Components of extended state that the CPU has.
    pub(crate) components: u64,
    /// Its devices, from its assembly on.
    devices: Once<&'static dyn Latches>,
    /// The bitmap of ports, and behind it that of model-specific registers.
    bitmaps: Hpa,
}

/// Bytes of the bitmap of ports.
const IO_BYTES: u64 = bitmap::IO_WORDS as u64 * 8;
/// Bytes of the bitmap of registers.
const MSR_BYTES: u64 = bitmap::MSR_WORDS as u64 * 8;

impl Guest {
    /// The VM that `config` describes, number `index` of the system, with its nested tables at `root` and a doorbell for each of its
    /// vCPUs. `ends` is told of the board's interrupts that are its own; what else it needs comes from `memory`.
    pub fn new(
        index: u32,
        config: &model::Vm,
        root: Hpa,
        doorbells: &'static [Doorbell<PerCpu>],
        ends: Option<&'static dyn Ends>,
        memory: &mut impl Place,
    ) -> Result<Guest, &'static str> {
        let model::Machine::Pc(Pc { io_apic, has_pic }) = config.machine else {
            return Err("it is a machine for another CPU");
        };
        const NO_MEMORY: &str = "the board's memory is used up";
        let features = svm::features();
        // ASID 0 is the host's (APM volume 2, 15.5.1).
        if index.saturating_add(1) >= features.asids {
            return Err("the CPU has no more address-space numbers (ASIDs)");
        }
        let posted: &'static [Posted] = memory.list(config.cpus.len(), |_, _| Some(Posted::new())).ok_or(NO_MEMORY)?;
        let bitmaps = memory.pages(IO_BYTES.saturating_add(MSR_BYTES)).ok_or(NO_MEMORY)?;
        fill(bitmaps, config.ports, features.speculation_control);
        let gpa_bits = svm::gpa_bits();
        let vapic = Vapic::new(posted, has_pic, gpa_bits);
        let scale = Scale::new(cpu::counter_hz());
        let now = clock::seconds_since_1970().unwrap_or(0).saturating_mul(1_000_000_000);
        // All CPUs of the board are taken to be alike.
        let machine = Machine {
            vcpus: config.cpus.len() as u32,
            tsc_hz: cpu::counter_hz(),
            gpa_bits,
            switches_speculation_control: features.speculation_control,
        };
        Ok(Guest {
            number: index,
            vapic: match ends {
                Some(ends) => vapic.with_ends(ends),
                None => vapic,
            },
            io_apic,
            has_pic,
            doorbells: Doorbells(doorbells),
            memory: Memory::new(root, gpa_bits, config.memory),
            on: AtomicU32::new(0),
            all: 1_u32.checked_shl(doorbells.len() as u32).unwrap_or(0).wrapping_sub(1),
            life: AtomicU32::new(0),
            counter_offset: AtomicU64::new(counter_offset(config.counter)),
            scale,
            epoch: now.wrapping_sub(scale.nanoseconds(cpu::counter())),
            version: AtomicU32::new(0),
            cpuid: Cpuid::new(registers::cpuid, &machine),
            features,
            components: crate::xstate::components(),
            devices: Once::new(),
            bitmaps,
        })
    }

    /// Everything of the VM that is in here as it was before its first start, apart from its memory. None of its vCPUs runs. What CPUs
    /// have in their TLBs each vCPU forgets as it starts.
    pub fn reset(&self, config: &model::Vm) {
        self.vapic.reset();
        self.on.store(0, Ordering::Relaxed);
        self.life.fetch_add(1, Ordering::Relaxed);
        self.counter_offset.store(counter_offset(config.counter), Ordering::Relaxed);
    }

    /// Its devices.
    pub fn connect(&self, devices: &'static dyn Latches) {
        self.devices.call_once(|| devices);
    }

    /// A store at a port that a device answers at once.
    #[inline]
    pub(crate) fn latch(&self, port: u16, value: u8) -> bool {
        self.devices.get().is_some_and(|devices| devices.latch(port, value))
    }

    /// Its number in the system.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Tags its translations.
    pub(crate) fn asid(&self) -> u32 {
        self.number.wrapping_add(1)
    }

    /// Counts its resets.
    pub(crate) fn life(&self) -> u32 {
        self.life.load(Ordering::Relaxed)
    }

    /// The bitmaps of ports and of registers.
    pub(crate) fn bitmaps(&self) -> (Hpa, Hpa) {
        (self.bitmaps, Hpa(self.bitmaps.0.wrapping_add(IO_BYTES)))
    }

    /// The guest's time stamp now.
    #[inline]
    pub fn counter(&self) -> u64 {
        cpu::counter().wrapping_sub(self.counter_offset())
    }

    /// Where the host's time stamp is when the guest's is at `ticks`.
    pub fn physical(&self, ticks: u64) -> u64 {
        ticks.wrapping_add(self.counter_offset())
    }

    /// The root of its nested tables, which have as many bits of input address as [`crate::gpa_bits`] says.
    pub fn second_stage(&self) -> Hpa {
        self.memory.root()
    }

    /// Host's time stamp less the guest's.
    #[inline]
    pub(crate) fn counter_offset(&self) -> u64 {
        self.counter_offset.load(Ordering::Relaxed)
    }

    /// The guest's time stands still for `ticks`: its time stamp goes on from where it was. None of its vCPUs is loaded.
    pub fn hold_time(&self, ticks: u64) {
        self.counter_offset.fetch_add(ticks, Ordering::Relaxed);
    }

    /// When the guest's time stamp was at zero, without what it has added: nanoseconds since 1970.
    pub(crate) fn time_of_day(&self) -> u64 {
        // Ahead of the host's or behind.
        let offset = self.counter_offset().cast_signed();
        let distance = self.scale.nanoseconds(offset.unsigned_abs());
        if offset < 0 { self.epoch.wrapping_sub(distance) } else { self.epoch.wrapping_add(distance) }
    }

    /// The version of a record of time that is being written, which no other record of the VM has; even.
    pub(crate) fn next_version(&self) -> u32 {
        self.version.fetch_add(2, Ordering::Relaxed).wrapping_add(2)
    }

    /// vCPU `index` runs from now on: it was started.
    pub fn turned_on(&self, index: u32) {
        self.on.fetch_or(bit(index), Ordering::Relaxed);
    }

    /// vCPU `index` has ended, by another one's INIT. True if it was the last one: nothing could start any of them again.
    pub fn turned_off(&self, index: u32) -> bool {
        self.on.fetch_and(!bit(index), Ordering::Relaxed) & !bit(index) == 0
    }

    /// A vCPU that waits for a start-up IPI and was sent one: nobody else is told of it until it is off again.
    pub(crate) fn starts(&self) -> Option<(u32, u8)> {
        let off = self.all & !self.on.load(Ordering::Relaxed);
        ones(off).find_map(|vcpu| {
            let page = self.vapic.take_start_up(vcpu)?;
            (self.on.fetch_or(bit(vcpu), Ordering::Relaxed) & bit(vcpu) == 0).then_some((vcpu, page))
        })
    }

    /// It could not be started.
    pub(crate) fn not_started(&self, vcpu: u32) {
        self.on.fetch_and(!bit(vcpu), Ordering::Relaxed);
    }

    /// All of its vCPUs are on.
    #[inline]
    pub(crate) fn is_all_on(&self) -> bool {
        self.all & !self.on.load(Ordering::Relaxed) == 0
    }

    /// A device's line changed; rings the vCPUs that have to look.
    pub fn set_line(&self, line: u32, level: bool) {
        let kick = self.vapic.set_line(line, level);
        self.kick(kick);
    }

    /// The board's interrupt behind its line `line` was taken; rings the vCPUs that have to look.
    pub fn passed_pending(&self, line: u32) {
        let kick = self.vapic.passed_pending(line);
        self.kick(kick);
    }

    /// The same of an interrupt that may come again before the guest is done with it.
    pub fn pulse(&self, line: u32) {
        self.set_line(line, true);
        self.set_line(line, false);
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

    /// What of the interrupt controllers that all vCPUs share is at `gpa`: the offset in the I/O APIC's page.
    #[inline]
    pub(crate) fn io_apic_offset(&self, gpa: Gpa) -> Option<u64> {
        gpa.offset_from(self.io_apic?).filter(|&offset| offset < PAGE_BYTES)
    }
}

/// Writes both bitmaps.
fn fill(bitmaps: Hpa, ports: &[Ports], switches_speculation_control: bool) {
    let words = core::ptr::with_exposed_provenance_mut::<u64>(bitmaps.0 as usize);
    for word in 0..bitmap::IO_WORDS {
        // SAFETY: pages of this VM's own, in the map at their physical address; no CPU reads them yet.
        unsafe { words.add(word).write(bitmap::io_word(word, ports)) };
    }
    for word in 0..bitmap::MSR_WORDS {
        let value = bitmap::msr_word(word, switches_speculation_control);
        // SAFETY: as above.
        unsafe { words.add(bitmap::IO_WORDS.wrapping_add(word)).write(value) };
    }
}

/// Host's time stamp less that of a VM that starts now.
fn counter_offset(counter: Counter) -> u64 {
    match counter {
        Counter::StartsAtZero => cpu::counter(),
        Counter::Offset(offset) => offset.wrapping_neg(),
    }
}

//! The board's own GICv2 with virtualisation extensions, such as the GIC-400 (IHI 0048): distributor, and this pCPU's
//! physical and virtual CPU interface, all of them memory-mapped; each CPU finds its own at the same address.
//!
//! Where there are two security states we see the non-secure one: interrupts that firmware left us are in group 1, and the
//! one enable bit we see is that group's. Where there is one, interrupts are put in group 0, because an acknowledge there does not
//! show group 1 (IHI 0048, GICC_IAR); the enable bit at the same place is group 0's, which signals IRQs as long as
//! FIQEn is zero. So one sequence of writes serves both. Nothing else is taken over from firmware. As on a GICv3, priority
//! drop and deactivation are split.
//!
//! A guest's end of a timer's interrupt could deactivate the physical one by itself (GICH_LR<n>.HW). It is told to us instead, and we
//! deactivate: QEMU (7.2) does not look whether the line is still high after the guest did it, and the next interrupt
//! would come with the next change of any other. This costs an exit for each, on a GICv2 only.
//!
//! An SGI has to be ended with the number of the CPU that sent it (IHI 0048, GICC_EOIR). It is ended as soon as it is
//! acknowledged, where that number is at hand: all it says is "look".

#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets of registers of the board's own controller; no guest's value is computed with here"
)]

use core::sync::atomic::{AtomicU8, AtomicU16, AtomicUsize, Ordering};

use super::{Frame, GICD_CTLR, init_own, init_shared, is_timer_asserted};
use crate::intid::{KICK, STOP};
use crate::vgic::{ListRegisters, gich, hcr};

const ITARGETSR: usize = 0x800;
const GICD_SGIR: usize = 0xf00;
const CPENDSGIR: usize = 0xf10;

const GICC_CTLR: usize = 0x0;
const GICC_PMR: usize = 0x4;
const GICC_BPR: usize = 0x8;
const GICC_IAR: usize = 0xc;
const GICC_EOIR: usize = 0x10;
const GICC_APR: usize = 0xd0;
const GICC_DIR: usize = 0x1000;

const GICH_HCR: usize = 0x0;
const GICH_VTR: usize = 0x4;
const GICH_VMCR: usize = 0x8;
const GICH_EISR0: usize = 0x20;
const GICH_ELRSR0: usize = 0x30;
const GICH_APR: usize = 0xf0;
const GICH_LR: usize = 0x100;

/// GICD_CTLR and GICC_CTLR: the enable bit of the group that our interrupts are in.
const ENABLE: u32 = 1 << 0;
/// GICC_CTLR.EOImode, EOImodeNS in the non-secure view.
const SPLIT_ENDS: u32 = 1 << 9;
/// GICC_CTLR's bypass disable bits: firmware knows how the board is wired.
const BYPASS: u32 = 0xf << 5;
/// GICH_VMCR.VEM.
const VIRTUAL_SPLIT_ENDS: u32 = 1 << 9;
/// INTIDs below this one are SGIs.
const SGIS: u32 = 16;
/// Most CPU interfaces that a GICv2 has.
const MAX_CPUS: usize = 8;
/// Most list registers that are used.
const MAX_LIST_REGISTERS: usize = 16;

/// Addresses of the distributor, the CPU interface (GICC) and the virtual interface control (GICH), for all CPUs.
static DISTRIBUTOR: AtomicUsize = AtomicUsize::new(0);
static CPU_INTERFACE: AtomicUsize = AtomicUsize::new(0);
static VIRTUAL_INTERFACE: AtomicUsize = AtomicUsize::new(0);
/// Number of list registers of each CPU.
static LIST_REGISTERS: AtomicUsize = AtomicUsize::new(0);
/// By pCPU: the bit that names its CPU interface; zero as long as it is not up. The interfaces' numbers are the board's.
static TARGETS: [AtomicU8; MAX_CPUS] = [const { AtomicU8::new(0) }; MAX_CPUS];

/// By pCPU: the list registers with a physical interrupt that is deactivated when their end is told. Each CPU's own.
static TOLD: [AtomicU16; MAX_CPUS] = [const { AtomicU16::new(0) }; MAX_CPUS];

/// Says where the controller is; before anything else here is called.
pub fn init(distributor: Frame, cpu_interface: Frame, virtual_interface: Frame) {
    DISTRIBUTOR.store(distributor.0, Ordering::Relaxed);
    CPU_INTERFACE.store(cpu_interface.0, Ordering::Relaxed);
    VIRTUAL_INTERFACE.store(virtual_interface.0, Ordering::Relaxed);
    LIST_REGISTERS
        .store(((virtual_interface.read(GICH_VTR) & 0x3f) as usize + 1).min(MAX_LIST_REGISTERS), Ordering::Relaxed);
}

/// The frame that [`init`] kept in `place`; before that, nothing is mapped at zero, and an access faults.
#[inline]
fn frame(place: &AtomicUsize) -> Frame {
    Frame(place.load(Ordering::Relaxed))
}

/// Initialises the distributor: all SPIs disabled, level-sensitive, for this CPU.
pub fn init_distributor(distributor: Frame, _affinity: u64) {
    distributor.write(GICD_CTLR, 0);
    let intids = init_shared(distributor, 0);
    let target = u32::from(own_target(distributor)) * 0x0101_0101;
    for word in 8..intids / 4 {
        distributor.write(ITARGETSR + word * 4, target);
    }
    distributor.write(GICD_CTLR, ENABLE);
}

/// Routes SPI `intid` to this CPU, which has called [`init_private`].
pub fn route_here(distributor: Frame, intid: u32) {
    let target = TARGETS.get(crate::cpu::index() as usize).map_or(0, |target| target.load(Ordering::SeqCst));
    distributor.write8(ITARGETSR + intid as usize, target);
}

/// The bit of this CPU's interface, as its private interrupts have it for a target (IHI 0048 section 4.3.12).
fn own_target(distributor: Frame) -> u8 {
    let targets = (0..8).map(|word| distributor.read(ITARGETSR + word * 4)).find(|&targets| targets != 0);
    // A controller for one CPU has no targets, and ignores what is written there.
    targets.map_or(1, |targets| targets.to_le_bytes().into_iter().fold(0, |all, target| all | target))
}

/// Initialises this CPU's private interrupts, which the `distributor` banks: only ours enabled. From now on pCPU `pcpu` can
/// be rung.
pub fn init_private(distributor: Frame, pcpu: u32) {
    for word in 0..SGIS as usize / 4 {
        distributor.write(CPENDSGIR + word * 4, u32::MAX);
    }
    init_own(distributor, 0);
    if let Some(target) = TARGETS.get(pcpu as usize) {
        // Before this CPU looks for what others have left for it: who leaves something later sees the target.
        target.store(own_target(distributor), Ordering::SeqCst);
    }
}

/// Turns on this CPU's interface: all priorities, split deactivation; and the virtual interface with nothing in its list
/// registers.
pub fn init_cpu_interface() {
    let interface = frame(&CPU_INTERFACE);
    let bypass = interface.read(GICC_CTLR) & BYPASS;
    interface.write(GICC_CTLR, bypass);
    for register in 0..4 {
        interface.write(GICC_APR + register * 4, 0);
    }
    interface.write(GICC_PMR, 0xff);
    interface.write(GICC_BPR, 0);
    interface.write(GICC_CTLR, bypass | SPLIT_ENDS | ENABLE);
    frame(&VIRTUAL_INTERFACE).write(GICH_HCR, 0);
    for index in 0..list_register_count() {
        frame(&VIRTUAL_INTERFACE).write(GICH_LR + index * 4, 0);
    }
}

/// Takes the highest-priority pending interrupt; [`crate::intid::SPECIAL`] or above when there is none. An SGI is over with this.
#[inline]
pub fn acknowledge() -> u32 {
    let interface = frame(&CPU_INTERFACE);
    let acknowledged = interface.read(GICC_IAR);
    let intid = acknowledged & 0x3ff;
    if intid < SGIS {
        interface.write(GICC_EOIR, acknowledged);
        interface.write(GICC_DIR, acknowledged);
    }
    // SAFETY: a barrier: what the sender of an SGI wrote before is read after the acknowledge.
    unsafe { core::arch::asm!("dmb ld", options(nostack, preserves_flags)) };
    intid
}

/// Ends the handling of `intid` but leaves it active.
#[inline]
pub fn drop_priority(intid: u32) {
    if intid >= SGIS {
        frame(&CPU_INTERFACE).write(GICC_EOIR, intid);
    }
}

/// Lets `intid` fire again.
#[inline]
pub fn deactivate(intid: u32) {
    if intid >= SGIS {
        frame(&CPU_INTERFACE).write(GICC_DIR, intid);
    }
}

/// The value for [`send`] that rings pCPU `pcpu`.
pub const fn doorbell(pcpu: u32, _affinity: u64) -> u64 {
    pcpu as u64
}

/// Rings a CPU; `doorbell` is what [`doorbell`] gave for it. One that is not up yet looks when it is.
#[inline]
pub fn send(doorbell: u64) {
    send_sgi(doorbell, KICK);
}

/// Stops a CPU for good, as a failure of the hypervisor does; `doorbell` as for [`send`].
pub fn send_stop(doorbell: u64) {
    send_sgi(doorbell, STOP);
}

#[inline]
fn send_sgi(doorbell: u64, intid: u32) {
    let target = TARGETS.get(doorbell as usize).map_or(0, |target| target.load(Ordering::SeqCst));
    if target != 0 {
        // SAFETY: a barrier: makes what the ring is about visible first.
        unsafe { core::arch::asm!("dsb ishst", options(nostack, preserves_flags)) };
        frame(&DISTRIBUTOR).write(GICD_SGIR, u32::from(target) << 16 | intid);
    }
}

/// Whether writes of GICV_DIR can be trapped on their own: it is in a page of its own, which guests do not get.
pub const fn traps_deactivate() -> bool {
    true
}

/// The current GICH_VMCR, as [`crate::vgic::CpuInterface::wakes`] takes it: its fields are where ICH_VMCR_EL2 has them.
pub fn vmcr() -> u64 {
    frame(&VIRTUAL_INTERFACE).read(GICH_VMCR).into()
}

/// What of the virtual CPU interface is not in list registers: the guest's settings and the priorities that it handles.
#[derive(Clone, Copy, Debug)]
pub struct VirtualInterface {
    /// GICH_VMCR: masks, enables, EOI mode.
    vmcr: u32,
    /// GICH_APR.
    active: u32,
}

impl VirtualInterface {
    /// Out of reset: all masked and disabled, nothing active.
    pub const RESET: VirtualInterface = VirtualInterface { vmcr: 0, active: 0 };

    /// What the guest has left in this pCPU's registers.
    pub fn save() -> VirtualInterface {
        let interface = frame(&VIRTUAL_INTERFACE);
        VirtualInterface { vmcr: interface.read(GICH_VMCR), active: interface.read(GICH_APR) }
    }

    /// Puts it into this pCPU's registers.
    pub fn load(&self) {
        let interface = frame(&VIRTUAL_INTERFACE);
        interface.write(GICH_VMCR, self.vmcr);
        interface.write(GICH_APR, self.active);
    }
}

/// Number of list registers of this CPU that are used (1 to 16).
#[inline]
fn list_register_count() -> usize {
    LIST_REGISTERS.load(Ordering::Relaxed)
}

/// This pCPU's word of [`TOLD`].
#[inline]
fn told() -> &'static AtomicU16 {
    let [first, ..] = &TOLD;
    TOLD.get(crate::cpu::index() as usize).unwrap_or(first)
}

/// The list registers of this pCPU, and its private interrupts, as the virtual GIC uses them.
#[derive(Debug)]
pub struct Hardware;

impl ListRegisters for Hardware {
    fn count(&self) -> usize {
        list_register_count()
    }

    fn read(&self, index: usize) -> u64 {
        let value = gich::read(frame(&VIRTUAL_INTERFACE).read(GICH_LR + index * 4));
        if told().load(Ordering::Relaxed) & 1 << index != 0 { gich::untold(value) } else { value }
    }

    fn write(&mut self, index: usize, value: u64) {
        let (told, bit) = (told(), 1 << index);
        let others = told.load(Ordering::Relaxed) & !bit;
        let (is_told, value) = if gich::is_hardware(value) { (bit, gich::told(value)) } else { (0, value) };
        told.store(others | is_told, Ordering::Relaxed);
        frame(&VIRTUAL_INTERFACE).write(GICH_LR + index * 4, gich::written(value));
    }

    fn elrsr(&self) -> u32 {
        let (interface, told) = (frame(&VIRTUAL_INTERFACE), told());
        let waiting = told.load(Ordering::Relaxed);
        if waiting != 0 {
            let ended = interface.read(GICH_EISR0) as u16 & waiting;
            for index in (0..list_register_count()).filter(|index| ended & 1 << index != 0) {
                let register = GICH_LR + index * 4;
                deactivate(gich::read(interface.read(register)) as u32);
                interface.write(register, 0);
            }
            told.store(waiting & !ended, Ordering::Relaxed);
        }
        interface.read(GICH_ELRSR0)
    }

    fn hcr(&self) -> u64 {
        frame(&VIRTUAL_INTERFACE).read(GICH_HCR).into()
    }

    fn splits_ends(&self) -> bool {
        frame(&VIRTUAL_INTERFACE).read(GICH_VMCR) & VIRTUAL_SPLIT_ENDS != 0
    }

    fn set_hcr(&mut self, value: u64) {
        // En, LRENPIE, NPIE and EOIcount are where ICH_HCR_EL2 has them; what TDIR asks for is so anyway.
        frame(&VIRTUAL_INTERFACE).write(GICH_HCR, (value & !hcr::TDIR) as u32);
    }

    fn is_asserted(&self, intid: u32) -> bool {
        is_timer_asserted(intid)
    }

    fn deactivate(&mut self, intid: u32) {
        deactivate(intid);
    }
}

//! The board's own GICv3: distributor, redistributors, and this pCPU's physical and virtual CPU interface.
//!
//! Nothing is taken over from firmware: every group, enable, priority and active bit is written here (IHI 0069
//! chapter 12). All interrupts are non-secure group 1 and come to EL2. Priority drop and deactivation are split
//! (ICC_CTLR_EL1.EOImode), because an interrupt that stands for a guest's timer stays active until the guest itself
//! deactivates it through its list register (IHI 0069 section 4.8).

#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets of registers of the board's own controller; no guest's value is computed with here"
)]

use super::{Frame, GICD_CTLR, init_own, init_shared, is_timer_asserted};
use crate::intid::{KICK, STOP};
use crate::registers::{read, write};
use crate::vgic::ListRegisters;

const IROUTER: usize = 0x6000;
const GICR_CTLR: usize = 0x0;
const GICR_TYPER: usize = 0x8;
const GICR_WAKER: usize = 0x14;
const SGI_BASE: usize = 0x1_0000;

const CTLR_RWP: u32 = 1 << 31;
const CTLR_ARE_NS: u32 = 1 << 4;
const CTLR_ENABLE_G1NS: u32 = 1 << 1;
/// With one security state (DS = 1), group 1 is enabled by the same bit 1 and ARE is bit 4 as well.
const CTLR_ON: u32 = CTLR_ARE_NS | CTLR_ENABLE_G1NS;

fn wait_for_writes(distributor: Frame) {
    while distributor.read(GICD_CTLR) & CTLR_RWP != 0 {
        core::hint::spin_loop();
    }
}

/// Initialises the distributor: all SPIs disabled, level-sensitive, group 1, routed to the CPU `affinity`.
pub fn init_distributor(distributor: Frame, affinity: u64) {
    distributor.write(GICD_CTLR, 0);
    wait_for_writes(distributor);
    let intids = init_shared(distributor, u32::MAX);
    wait_for_writes(distributor);
    // ARE first: IROUTER is RES0 until it is set (IHI 0069 section 12.9.22).
    distributor.write(GICD_CTLR, CTLR_ARE_NS);
    wait_for_writes(distributor);
    for intid in 32..intids {
        distributor.write64(IROUTER + intid * 8, affinity);
    }
    distributor.write(GICD_CTLR, CTLR_ON);
    wait_for_writes(distributor);
}

/// Routes SPI `intid` to this CPU.
pub fn route_here(distributor: Frame, intid: u32) {
    distributor.write64(IROUTER + intid as usize * 8, crate::cpu::own_id());
}

/// Whether the redistributor at `frame` is that of the CPU `affinity`, and how far the next one is if it is not:
/// `Ok(())`, `Err(Some(stride))`, or `Err(None)` after the last one of its region (GICR_TYPER, IHI 0069 12.11.41).
pub fn redistributor_is(frame: Frame, affinity: u64) -> Result<(), Option<usize>> {
    let typer = frame.read64(GICR_TYPER);
    let theirs = typer >> 32;
    let ours = (affinity & 0xff_ffff) | ((affinity >> 32) & 0xff) << 24;
    if theirs == ours {
        return Ok(());
    }
    let (vlpis, last) = (typer & (1 << 1) != 0, typer & (1 << 4) != 0);
    // Two more frames where virtual LPIs are implemented (GICv4).
    Err((!last).then_some(if vlpis { 0x4_0000 } else { 0x2_0000 }))
}

/// Initialises this CPU's private interrupts, in its redistributor at `frame`: awake, group 1, only ours enabled.
pub fn init_private(frame: Frame, _pcpu: u32) {
    // ProcessorSleep off, then wait for ChildrenAsleep to clear (IHI 0069 section 12.11.42).
    frame.write(GICR_WAKER, frame.read(GICR_WAKER) & !(1 << 1));
    while frame.read(GICR_WAKER) & (1 << 2) != 0 {
        core::hint::spin_loop();
    }
    init_own(frame.behind(SGI_BASE), u32::MAX);
    while frame.read(GICR_CTLR) & (1 << 3) != 0 {
        core::hint::spin_loop();
    }
}

/// Turns on this CPU's interface: system registers, group 1, all priorities, split deactivation; and the virtual
/// interface with nothing in its list registers.
pub fn init_cpu_interface() {
    // SAFETY: interrupts are masked while the interface is set up, and each value is the register's own: SRE and
    // Enable (lower levels may set theirs), all priorities unmasked, EOImode 1, group 1 on; list registers empty.
    unsafe {
        write!("ICC_SRE_EL2", 0b1111);
        core::arch::asm!("isb", options(nostack, preserves_flags));
        write!("ICC_SRE_EL1", 0b111);
        core::arch::asm!("isb", options(nostack, preserves_flags));
        write!("ICC_PMR_EL1", 0xff);
        write!("ICC_BPR1_EL1", 0);
        write!("ICC_CTLR_EL1", 1 << 1);
        write!("ICC_IGRPEN0_EL1", 0);
        write!("ICC_IGRPEN1_EL1", 1);
        write!("ICH_HCR_EL2", 0);
        core::arch::asm!("isb", options(nostack, preserves_flags));
    }
    for index in 0..list_register_count() {
        write_list_register(index, 0);
    }
}

/// Takes the highest-priority pending interrupt; [`crate::intid::SPECIAL`] or above when there is none.
#[inline]
pub fn acknowledge() -> u32 {
    let intid = read!("ICC_IAR1_EL1") as u32 & 0xff_ffff;
    // SAFETY: a barrier: the acknowledge happens before its effects are relied on (IHI 0069 section 4.1.1).
    unsafe { core::arch::asm!("dsb sy", options(nostack, preserves_flags)) };
    intid
}

/// Ends the handling of `intid` but leaves it active.
#[inline]
pub fn drop_priority(intid: u32) {
    // SAFETY: `intid` was acknowledged by this CPU and its priority not yet dropped.
    unsafe { write!("ICC_EOIR1_EL1", u64::from(intid)) };
}

/// Lets `intid` fire again.
#[inline]
pub fn deactivate(intid: u32) {
    // SAFETY: deactivating an interrupt that is not active has no effect (IHI 0069 section 4.8.4).
    unsafe { write!("ICC_DIR_EL1", u64::from(intid)) };
}

/// The value for [`send`] that rings the pCPU with this affinity.
pub const fn doorbell(_pcpu: u32, affinity: u64) -> u64 {
    let (aff0, aff1, aff2, aff3) =
        (affinity & 0xff, (affinity >> 8) & 0xff, (affinity >> 16) & 0xff, (affinity >> 32) & 0xff);
    (1 << (aff0 & 0xf)) | aff1 << 16 | (KICK as u64) << 24 | aff2 << 32 | (aff0 >> 4) << 44 | aff3 << 48
}

/// Rings a CPU; `doorbell` is what [`doorbell`] gave for it.
#[inline]
pub fn send(doorbell: u64) {
    // SAFETY: an SGI of ours to a CPU of ours; the barrier makes what it is about visible first.
    unsafe {
        core::arch::asm!("dsb ishst", options(nostack, preserves_flags));
        write!("ICC_SGI1R_EL1", doorbell);
        core::arch::asm!("isb", options(nostack, preserves_flags));
    }
}

/// Stops a CPU for good, as a failure of the hypervisor does; `doorbell` as for [`send`].
pub fn send_stop(doorbell: u64) {
    // INTID is bits 27:24 (IHI 0069 section 12.2.19), which are those of `KICK`, zero.
    send(doorbell | (STOP as u64) << 24);
}

/// What ICH_VTR_EL2 says of this CPU's virtual interface (IHI 0069 section 12.4.9).
#[derive(Clone, Copy)]
struct VirtualType(u64);

impl VirtualType {
    #[inline]
    fn read() -> VirtualType {
        VirtualType(read!("ICH_VTR_EL2"))
    }

    /// ListRegs: list registers, less one.
    #[inline]
    const fn list_registers(self) -> usize {
        (self.0 & 0x1f) as usize + 1
    }

    /// PREbits: how many preemption levels have an active bit, as a power of two, less one. 32 of them are a register.
    const fn active_registers(self) -> usize {
        match (self.0 >> 26) & 0b111 {
            0..=4 => 1,
            5 => 2,
            _ => 4,
        }
    }

    /// TDS: ICH_HCR_EL2.TDIR exists.
    const fn traps_deactivate(self) -> bool {
        self.0 & 1 << 19 != 0
    }
}

/// Whether writes of ICC_DIR_EL1 can be trapped on their own (ICH_VTR_EL2.TDS).
pub fn traps_deactivate() -> bool {
    VirtualType::read().traps_deactivate()
}

/// The current ICH_VMCR_EL2, as [`crate::vgic::CpuInterface::wakes`] takes it.
pub fn vmcr() -> u64 {
    read!("ICH_VMCR_EL2")
}

/// What of the virtual CPU interface is not in list registers: the guest's settings and the priorities that it handles.
#[derive(Clone, Copy, Debug)]
pub struct VirtualInterface {
    /// ICH_VMCR_EL2: masks, enables, EOI mode.
    vmcr: u64,
    /// ICH_AP0R<n>_EL2 and ICH_AP1R<n>_EL2.
    active: [[u64; 2]; 4],
}

/// Visits the active priorities registers that exist, group 0 before group 1 (IHI 0069, accesses of ICH_AP1R<n>_EL2, allow no other
/// order of writes).
macro_rules! active_priorities {
    ($each:ident, $active:expr) => {{
        let count = VirtualType::read().active_registers();
        let [first, second, third, fourth] = $active;
        $each!("ICH_AP0R0_EL2", first[0]);
        if count > 1 {
            $each!("ICH_AP0R1_EL2", second[0]);
        }
        if count > 2 {
            $each!("ICH_AP0R2_EL2", third[0]);
            $each!("ICH_AP0R3_EL2", fourth[0]);
        }
        $each!("ICH_AP1R0_EL2", first[1]);
        if count > 1 {
            $each!("ICH_AP1R1_EL2", second[1]);
        }
        if count > 2 {
            $each!("ICH_AP1R2_EL2", third[1]);
            $each!("ICH_AP1R3_EL2", fourth[1]);
        }
    }};
}

impl VirtualInterface {
    /// Out of reset: all masked and disabled, nothing active.
    pub const RESET: VirtualInterface = VirtualInterface { vmcr: 0, active: [[0; 2]; 4] };

    /// What the guest has left in this pCPU's registers.
    pub fn save() -> VirtualInterface {
        let mut saved = VirtualInterface { vmcr: vmcr(), ..VirtualInterface::RESET };
        macro_rules! save {
            ($name:literal, $place:expr) => {
                $place = read!($name)
            };
        }
        active_priorities!(save, &mut saved.active);
        saved
    }

    /// Puts it into this pCPU's registers.
    pub fn load(&self) {
        // SAFETY: state of the virtual interface of the vCPU that this pCPU owns; the registers exist (ICH_VTR_EL2.PREbits),
        // and the guest is entered with a context synchronisation event.
        unsafe {
            write!("ICH_VMCR_EL2", self.vmcr);
            macro_rules! load {
                ($name:literal, $place:expr) => {
                    write!($name, $place)
                };
            }
            active_priorities!(load, self.active);
        }
    }
}

/// Number of list registers of this CPU (1 to 16).
pub fn list_register_count() -> usize {
    VirtualType::read().list_registers()
}

macro_rules! list_registers {
    ($($index:literal $name:literal),*) => {
        /// List register `index`; zero if there is none.
        #[inline]
        pub fn read_list_register(index: usize) -> u64 {
            match index {
                $($index => read!($name),)*
                _ => 0,
            }
        }

        /// Writes list register `index`, which is below [`list_register_count`].
        #[inline(never)]
        pub fn write_list_register(index: usize, value: u64) {
            // SAFETY: list registers only ever inject virtual interrupts into the vCPU that this pCPU owns.
            unsafe {
                match index {
                    $($index => write!($name, value),)*
                    _ => {}
                }
            }
        }
    };
}

list_registers!(
    0 "ICH_LR0_EL2", 1 "ICH_LR1_EL2", 2 "ICH_LR2_EL2", 3 "ICH_LR3_EL2", 4 "ICH_LR4_EL2", 5 "ICH_LR5_EL2",
    6 "ICH_LR6_EL2", 7 "ICH_LR7_EL2", 8 "ICH_LR8_EL2", 9 "ICH_LR9_EL2", 10 "ICH_LR10_EL2", 11 "ICH_LR11_EL2",
    12 "ICH_LR12_EL2", 13 "ICH_LR13_EL2", 14 "ICH_LR14_EL2", 15 "ICH_LR15_EL2"
);

/// The list registers of this pCPU, and its private interrupts, as the virtual GIC uses them.
#[derive(Debug)]
pub struct Hardware;

impl ListRegisters for Hardware {
    fn count(&self) -> usize {
        list_register_count()
    }

    fn read(&self, index: usize) -> u64 {
        read_list_register(index)
    }

    #[inline]
    fn write(&mut self, index: usize, value: u64) {
        // The first ones are used most: they are not worth a jump by table.
        // SAFETY: as in `write_list_register`.
        unsafe {
            if index == 0 {
                write!("ICH_LR0_EL2", value);
            } else if index == 1 {
                write!("ICH_LR1_EL2", value);
            } else {
                write_list_register(index, value);
            }
        }
    }

    fn elrsr(&self) -> u32 {
        read!("ICH_ELRSR_EL2") as u32
    }

    fn hcr(&self) -> u64 {
        read!("ICH_HCR_EL2")
    }

    fn splits_ends(&self) -> bool {
        read!("ICH_VMCR_EL2") & 1 << 9 != 0
    }

    fn set_hcr(&mut self, value: u64) {
        // SAFETY: controls the virtual interface of the vCPU that this pCPU owns, and nothing else.
        unsafe { write!("ICH_HCR_EL2", value) };
    }

    fn is_asserted(&self, intid: u32) -> bool {
        is_timer_asserted(intid)
    }

    fn deactivate(&mut self, intid: u32) {
        deactivate(intid);
    }
}

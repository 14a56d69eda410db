//! What one virtual machine is made of, as its qvm file said and the assembler checked.

use crate::{GicVersion, Gpa, Machine, Pass, PassedInterrupt, Place, Ports, Restart, Start, Unsupported};

/// One virtual machine. Names are unique in a [`crate::System`].
#[derive(Debug)]
pub struct Vm {
    /// The name after `system`, or the file's stem.
    pub name: &'static str,
    /// RAM and ROM, sorted by address, without overlap.
    pub memory: &'static [Memory],
    /// One entry a vCPU; the first one starts, the others wait for the guest to start them.
    pub cpus: &'static [Cpu],
    /// What to copy where before the first vCPU runs, in order.
    pub loads: &'static [Load],
    /// How the first vCPU starts.
    pub entry: Start,
    /// The interrupt controller that the guest sees, and what else of the machine is no vdev.
    pub machine: Machine,
    /// Virtual devices: those in memory by address, then those at ports. Nothing overlaps but a PC's reset control, which lies
    /// within the PCI host bridge's ports and stands before it: the first that has a port answers.
    pub vdevs: &'static [Vdev],
    /// What of the board's address space is its own.
    pub passes: &'static [Pass],
    /// Which of the board's ports are its own, in order; none where a CPU has no ports.
    pub ports: &'static [Ports],
    /// Which of the board's interrupts are its own, sorted by the guest's line.
    pub interrupts: &'static [PassedInterrupt],
    /// What to do when emulation cannot finish.
    pub unsupported: Unsupported,
    /// How the guest's counter relates to the host's.
    pub counter: Counter,
    /// `set exit-on-halt`: a vCPU that waits gives its pCPU to others.
    pub exit_on_halt: bool,
    /// `set ostler-exit-budget`: what each of its vCPUs may exit.
    pub exit_budget: Option<ExitBudget>,
    /// Where the stolen-time records lie (DEN 0057), [`STOLEN_TIME_BYTES`] for each vCPU, in memory that is read-only for the
    /// guest; `None` if no vCPU shares its pCPU, so that nothing can be stolen.
    pub stolen_time: Option<Gpa>,
    /// `set ostler-poweroff-timeout`: seconds from the power key to the power cut.
    pub poweroff_timeout_s: u32,
    /// What its end leads to.
    pub restart: Restart,
    /// `set ostler-progress-timeout`: a vCPU that makes no progress for so many milliseconds is the VM's end.
    pub progress_timeout_ms: Option<u32>,
}

/// How often a vCPU may exit to the hypervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitBudget {
    /// Exits in each period, from [`ExitBudget::LEAST`].
    pub exits: u32,
    /// Length of a period, 1 to [`ExitBudget::LONGEST_MS`] milliseconds.
    pub period_ms: u32,
}

impl ExitBudget {
    /// Fewest exits in a period: with fewer, a guest would hardly start.
    pub const LEAST: u32 = 10;
    /// Longest period.
    pub const LONGEST_MS: u32 = 10_000;
}

/// Most vCPUs that one pCPU can have: its scheduler looks at each of them to choose one.
pub const VCPUS_PER_PCPU: usize = 64;

/// Size of one vCPU's stolen-time record (DEN 0057, section 3.3.2: 64-byte aligned).
pub const STOLEN_TIME_BYTES: u64 = 64;

/// A range of guest-physical memory backed by host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// First byte; a multiple of [`crate::PAGE_BYTES`].
    pub gpa: Gpa,
    /// Length in bytes; a multiple of [`crate::PAGE_BYTES`], not zero.
    pub size_bytes: u64,
    /// `ram` or `rom`.
    pub access: Access,
}

/// What a guest may do with a range of memory. Guests may always execute what they can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Access {
    /// qvm's `ram`.
    #[default]
    ReadWrite,
    /// qvm's `rom`.
    ReadOnly,
}

/// One vCPU and the pCPU it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// The pCPU, counted in the order of the board's device tree.
    pub pcpu: u32,
    /// `sched`: 1 is lowest, 255 highest.
    pub priority: u8,
    /// What happens among vCPUs of equal priority.
    pub policy: Policy,
}

/// Scheduling policy among vCPUs of equal priority (`sched PRIO[r|f|o]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Policy {
    /// `r` and `o`: each in turn for a time slice.
    #[default]
    RoundRobin,
    /// `f`: until it waits.
    Fifo,
}

/// A copy from an image into guest memory. The destination lies in one [`Memory`]: the assembler splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Index into the image table (see [`crate::images`]).
    pub image: u16,
    /// First byte to copy, counted from the image's start.
    pub offset: u64,
    /// Number of bytes.
    pub size_bytes: u64,
    /// Where the first byte goes.
    pub gpa: Gpa,
    /// Ranges of the copied bytes that boot overwrites with random bytes.
    pub seeds: &'static [Seed],
}

/// A placeholder for random bytes (`rng-seed`, `kaslr-seed`) in a guest's device tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Counted from the load's first byte.
    pub offset: u64,
    /// Number of random bytes.
    pub size_bytes: u64,
}

/// The virtual interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gic {
    /// Architecture that the guest sees.
    pub version: GicVersion,
    /// Distributor frame, [`Gic::distributor_bytes`] long.
    pub distributor: Gpa,
    /// The CPUs' part. GICv3: redistributors, [`Gic::REDISTRIBUTOR_BYTES`] for each vCPU. GICv2: the CPU interface's frame, the
    /// same for all, [`Gic::CPU_INTERFACE_BYTES`] long.
    pub cpus: Gpa,
}

impl Gic {
    /// Size of the distributor's frame (GICv3, IHI 0069 section 12.8).
    pub const DISTRIBUTOR_BYTES: u64 = 0x1_0000;
    /// Size of a GICv2's distributor frame (IHI 0048 section 4.1.2).
    pub const DISTRIBUTOR_V2_BYTES: u64 = 0x1000;
    /// Size of a GICv2's CPU interface frame (IHI 0048 section 4.1.3).
    pub const CPU_INTERFACE_BYTES: u64 = 0x2000;
    /// Size of one redistributor: RD_base and SGI_base (IHI 0069 section 12.10).
    pub const REDISTRIBUTOR_BYTES: u64 = 0x2_0000;
    /// INTIDs below this one exist: 32 private and 480 shared.
    pub const INTIDS: u32 = 512;

    /// Length of the distributor's frame.
    pub const fn distributor_bytes(&self) -> u64 {
        match self.version {
            GicVersion::V2 => Gic::DISTRIBUTOR_V2_BYTES,
            GicVersion::V3 => Gic::DISTRIBUTOR_BYTES,
        }
    }

    /// Length of the CPUs' part for `vcpus` vCPUs.
    pub const fn cpus_bytes(&self, vcpus: u32) -> u64 {
        match self.version {
            GicVersion::V2 => Gic::CPU_INTERFACE_BYTES,
            GicVersion::V3 => Gic::REDISTRIBUTOR_BYTES.saturating_mul(vcpus as u64),
        }
    }
}

/// A virtual device with registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vdev {
    /// `name`, or the type and address.
    pub name: &'static str,
    /// Where its registers are.
    pub place: Place,
    /// Its lines into the interrupt controller, by the device's own numbers of them: a GIC's raw INTID (32 and up), a PC's
    /// global system interrupt. Empty if it has none.
    pub lines: &'static [u32],
    /// What it is.
    pub kind: VdevKind,
}

/// The type of a virtual device and what only that type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VdevKind {
    /// Arm PrimeCell UART.
    Pl011 {
        /// `hostdev`: where its characters come from and go to.
        console: Console,
    },
    /// Arm PrimeCell GPIO with a power key.
    Pl061,
    /// Arm watchdog module.
    Sp805 {
        /// `frequency`: that of the clock that it counts, in hertz; not zero.
        frequency_hz: u32,
    },
    /// Watchdog of the IB700 board.
    Ib700,
    /// 16550A UART.
    Ser8250 {
        /// `hostdev`: where its characters come from and go to.
        console: Console,
    },
    /// 8254 interval timer, with a PC's port 0x61.
    Timer8254,
    /// MC146818 real-time clock.
    Mc146818 {
        /// `reg`: bytes of its memory out of reset, by their offset.
        presets: &'static [(u8, u8)],
    },
    /// High-precision event timer.
    Hpet,
    /// 8042 keyboard controller, with nothing plugged in.
    PcKeyboard,
    /// PCI host bridge, with configuration mechanism 1.
    PciHost {
        /// `pci-dummy`: what is there besides the bridge.
        functions: &'static [PciFunction],
    },
    /// ACPI's fixed hardware: power management, the power button, the timer.
    AcpiPower,
    /// The reset control register of a PC's chip set.
    ResetControl,
    /// A PC's port 0x92.
    Port92,
}

impl VdevKind {
    /// The far end of a serial device; `None` if it is none.
    pub const fn console(&self) -> Option<Console> {
        match self {
            VdevKind::Pl011 { console } | VdevKind::Ser8250 { console } => Some(*console),
            _ => None,
        }
    }

    /// Whether it has a power key.
    pub const fn has_power_key(&self) -> bool {
        matches!(self, VdevKind::Pl061 | VdevKind::AcpiPower)
    }
}

/// An inert function on PCI bus 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciFunction {
    /// Device, 0 to 31.
    pub device: u8,
    /// Function, 0 to 7.
    pub function: u8,
    /// Vendor.
    pub vendor_id: u16,
    /// Device of that vendor.
    pub device_id: u16,
    /// Base class, sub-class, programming interface and, in the lowest byte, revision.
    pub class: u32,
}

/// The line of a PL061 that its power key is on, as on QEMU's `virt` machine.
pub const POWER_KEY_LINE: u32 = 3;

/// The far end of a serial device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// No `hostdev`: output is dropped and input never comes.
    Nowhere,
    /// `hostdev -` and its forms: the board's console, shared by the mux.
    Board(Direction),
}

/// Which way characters flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `-`
    Both,
    /// `>-`
    Output,
    /// `<-`
    Input,
}

/// How a guest's virtual counter relates to the host's (`set counter-offset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Counter {
    /// qvm's default, all-ones: the guest's counter starts at zero when the VM starts.
    #[default]
    StartsAtZero,
    /// Guest counter minus host counter, in ticks.
    Offset(u64),
}

/// The affinity of vCPU `index`, laid out as in MPIDR_EL1 and in a tree's `reg`: 16 vCPUs to a cluster,
/// because an SGI's target list names 16 (IHI 0069 section 12.11.15, ICC_SGI1R_EL1.TargetList).
pub const fn affinity(index: u32) -> u64 {
    ((index as u64 / 16) << 8) | (index as u64 % 16)
}

/// MPIDR_EL1 of vCPU `index`: its affinity and the RES1 bit 31 (DDI 0487, MPIDR_EL1).
pub const fn mpidr(index: u32) -> u64 {
    (1 << 31) | affinity(index)
}

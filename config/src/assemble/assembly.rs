//! What assembly yields: the owned twin of [`model::System`] and the bytes that go with it.

use std::path::PathBuf;

use model::{
    Console, Controller, Counter, Cpu, ExitBudget, Gpa, Machine, Memory, Pass, PassedInterrupt, PciFunction, Ports,
    Region, Seed, Start, Unsupported, When, images::Kind,
};

/// A checked system, ready to be emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembly {
    /// What was assumed of the board.
    pub board: Board,
    /// SHA-256 over the board, its variant, every qvm file and every environment value that was used.
    pub configuration: [u8; 32],
    /// The virtual machines, in the order of their files.
    pub vms: Vec<Vm>,
    /// The image table; equal blobs are stored once.
    pub blobs: Vec<Blob>,
    /// VM name and device tree, of each VM that has one. Seeds are zero in these.
    pub trees: Vec<(String, Vec<u8>)>,
    /// VM name and ACPI tables, of each VM that has them.
    pub acpi: Vec<(String, Vec<Table>)>,
    /// Every file that was read: a change to one of them changes the assembly.
    pub inputs: Vec<PathBuf>,
    /// Every environment variable that a qvm file named.
    pub env: Vec<String>,
    /// `set fdt-dump-file`: where to and which of [`Assembly::trees`].
    pub fdt_dumps: Vec<(PathBuf, usize)>,
    /// `dryrun` in one of the files: nothing is to be run.
    pub dryrun: bool,
}

/// The owned twin of [`model::Board`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Name of the folder under `boards/`.
    pub name: String,
    /// The interrupt controller's architecture.
    pub controller: Controller,
    /// Number of pCPUs.
    pub cpus: u32,
    /// Bytes of RAM.
    pub memory_bytes: u64,
    /// What it does when the hypervisor itself has failed.
    pub on_failure: model::OnFailure,
    /// Pieces of RAM that Ostler leaves alone, by address.
    pub regions: Vec<Region>,
}

/// The owned twin of [`model::Vm`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vm {
    /// The name after `system`, or the file's stem.
    pub name: String,
    /// RAM and ROM, sorted by address.
    pub memory: Vec<Memory>,
    /// One entry a vCPU.
    pub cpus: Vec<Cpu>,
    /// What to copy where, in order.
    pub loads: Vec<Load>,
    /// Where the first vCPU starts.
    pub entry: Start,
    /// `cmdline`, which the guest finds in its device tree or where its boot protocol has it.
    pub cmdline: Option<String>,
    /// The interrupt controller that the guest sees, and what else of the machine is no vdev.
    pub machine: Machine,
    /// Virtual devices, sorted by address, those at ports last.
    pub vdevs: Vec<Vdev>,
    /// What of the board's address space is its own, sorted by guest-physical address.
    pub passes: Vec<Pass>,
    /// Which of the board's ports are its own, sorted.
    pub ports: Vec<Ports>,
    /// Which of the board's interrupts are its own, sorted by the guest's line.
    pub interrupts: Vec<PassedInterrupt>,
    /// What to do when emulation cannot finish.
    pub unsupported: Unsupported,
    /// How the guest's counter relates to the host's.
    pub counter: Counter,
    /// `set exit-on-halt`.
    pub exit_on_halt: bool,
    /// `set ostler-exit-budget`.
    pub exit_budget: Option<ExitBudget>,
    /// See [`model::Vm::stolen_time`].
    pub stolen_time: Option<Gpa>,
    /// `set ostler-poweroff-timeout`.
    pub poweroff_timeout_s: u32,
    /// What its end leads to.
    pub restart: Restart,
    /// `set ostler-progress-timeout`.
    pub progress_timeout_ms: Option<u32>,
}

/// The owned twin of [`model::Restart`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// When it starts again by itself.
    pub when: When,
    /// Before the first restart.
    pub delay_ms: u32,
    /// Most restarts in a row.
    pub limit: Option<u32>,
    /// Its restart group.
    pub group: Option<String>,
    /// The board ends with it.
    pub board_stop: bool,
}

/// The owned twin of [`model::Load`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Index into [`Assembly::blobs`].
    pub image: u16,
    /// First byte to copy, counted from the blob's start.
    pub offset: u64,
    /// Number of bytes.
    pub size_bytes: u64,
    /// Where the first byte goes.
    pub gpa: Gpa,
    /// Ranges that boot overwrites with random bytes.
    pub seeds: Vec<Seed>,
}

/// The owned twin of [`model::Vdev`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vdev {
    /// `name`, or the type and address.
    pub name: String,
    /// Where its registers are.
    pub place: Place,
    /// See [`model::Vdev::lines`].
    pub lines: Vec<u32>,
    /// What it is.
    pub kind: VdevKind,
}

/// The owned twin of [`model::Place`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In guest-physical memory.
    Memory {
        /// First register.
        gpa: Gpa,
        /// Length of the register frame.
        size_bytes: u64,
    },
    /// At x86's ports, in ranges that follow one another in the device's frame.
    Ports(Vec<Ports>),
}

/// The owned twin of [`model::VdevKind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VdevKind {
    /// Arm PrimeCell UART.
    Pl011 {
        /// Where its characters come from and go to.
        console: Console,
    },
    /// Arm PrimeCell GPIO with a power key.
    Pl061,
    /// Arm watchdog module.
    Sp805 {
        /// That of the clock that it counts.
        frequency_hz: u32,
    },
    /// Watchdog of the IB700 board.
    Ib700,
    /// 16550A UART.
    Ser8250 {
        /// Where its characters come from and go to.
        console: Console,
    },
    /// 8254 interval timer.
    Timer8254,
    /// MC146818 real-time clock.
    Mc146818 {
        /// Bytes of its memory out of reset, by their offset.
        presets: Vec<(u8, u8)>,
    },
    /// High-precision event timer.
    Hpet,
    /// 8042 keyboard controller.
    PcKeyboard,
    /// PCI host bridge.
    PciHost {
        /// What is there besides the bridge.
        functions: Vec<PciFunction>,
    },
    /// ACPI's fixed hardware.
    AcpiPower,
    /// The reset control register.
    ResetControl,
    /// Port 0x92.
    Port92,
}

impl VdevKind {
    /// The word behind `vdev`, or what those are called that are there unasked.
    pub const fn word(&self) -> &'static str {
        match self {
            VdevKind::Pl011 { .. } => "pl011",
            VdevKind::Pl061 => "pl061",
            VdevKind::Sp805 { .. } => "wdt-sp805",
            VdevKind::Ib700 => "wdt-ib700",
            VdevKind::Ser8250 { .. } => "ser8250",
            VdevKind::Timer8254 => "timer8254",
            VdevKind::Mc146818 { .. } => "mc146818",
            VdevKind::Hpet => "hpet",
            VdevKind::PcKeyboard => "pckeyboard",
            VdevKind::PciHost { .. } => "pci-host",
            VdevKind::AcpiPower => "acpi-power",
            VdevKind::ResetControl => "reset-control",
            VdevKind::Port92 => "port92",
        }
    }

    /// The far end of a serial device; `None` of any other.
    pub const fn console(&self) -> Option<Console> {
        match self {
            VdevKind::Pl011 { console } | VdevKind::Ser8250 { console } => Some(*console),
            _ => None,
        }
    }
}

impl Vdev {
    /// Its first register and the length of its frame, if these are in memory.
    pub fn frame(&self) -> Option<(Gpa, u64)> {
        match self.place {
            Place::Memory { gpa, size_bytes } => Some((gpa, size_bytes)),
            Place::Ports(_) => None,
        }
    }

    /// Its first register in memory. Zero, where no device is, of one at ports.
    pub(super) fn address(&self) -> u64 {
        self.frame().map_or(0, |(gpa, _)| gpa.0)
    }

    /// Its first port, if it is at ports.
    pub fn port(&self) -> Option<u16> {
        match &self.place {
            Place::Ports(ranges) => ranges.first().map(|range| range.first),
            Place::Memory { .. } => None,
        }
    }

    /// Its first interrupt line.
    pub fn line(&self) -> Option<u32> {
        self.lines.first().copied()
    }
}

/// An ACPI table of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it is called, as `dsdt`.
    pub name: String,
    /// Where it is.
    pub gpa: Gpa,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// One entry of the image table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The file's name without its folder, cut to [`model::images::NAME_BYTES`].
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The bytes; a gzip-compressed kernel is stored unpacked.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

//! What the boot protocol and the ACPI tables say about the machine.

use super::acpi::{Fixed, Interrupts};
use super::description::Description;
use super::{apic, clock, cpu, io_apic, power};
use crate::list::List;

/// The 16550 at COM1's ports.
#[derive(Clone, Copy, Debug)]
pub struct Uart {
    /// The first of its ports.
    pub port: u16,
    /// Its line.
    pub line: Line,
}

/// What makes an interrupt pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Its line is active.
    Level,
    /// Its line becomes active.
    Edge,
}

/// When a line is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they say it")]
pub enum Polarity {
    High,
    Low,
}

/// An input of the I/O APIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which, from 0.
    pub number: u32,
    /// What its device does with it.
    pub trigger: Trigger,
    /// The same.
    pub polarity: Polarity,
}

/// PM1's events (ACPI 6.5, 4.8.3.1).
#[derive(Clone, Copy, Debug)]
pub struct PowerEvents {
    /// The port of PM1a_STS.
    pub status: u16,
    /// The port of PM1a_EN.
    pub enable: u16,
    /// The line of SCI.
    pub line: Line,
}

/// The most CPUs that guests use.
pub const MAX_CPUS: usize = 32;
/// The most ranges of memory that guests use.
pub const MAX_RANGES: usize = 16;

/// A range of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub base: u64,
    /// How many.
    pub bytes: u64,
}

/// Everything that differs between the machines that a guest runs on.
#[derive(Debug)]
pub struct Machine {
    /// Where the loader's description is.
    pub description: usize,
    /// Whether the hypervisor's signature is "OstlerOstler".
    pub is_ostler: bool,
    /// Where the local APIC's registers are.
    pub local_apic: usize,
    /// Where the I/O APIC's registers are.
    pub io_apic: usize,
    /// There is a pair of 8259s.
    pub has_8259: bool,
    /// The line of the 8254's first channel.
    pub timer_line: Line,
    /// The console.
    pub uart: Uart,
    /// ACPI's power management: where its events are, status before enable, and its line.
    pub power: PowerEvents,
    /// ACPI's timer, of 24 or 32 bits at 3,579,545 Hz (ACPI 6.5, 4.8.2.1).
    pub power_timer: Option<u16>,
    /// APIC IDs of the CPUs: the first is the one that starts.
    pub cpus: List<u64, MAX_CPUS>,
    /// Ranges of memory.
    pub memory: List<Range, MAX_RANGES>,
    /// The command line.
    pub command_line: &'static str,
}

impl Machine {
    /// What the description at `address` says, and what it leads to. The devices that it names are then used from here on.
    pub(crate) fn find(address: usize) -> Option<Machine> {
        let Description { command_line, root, memory } = Description::read(address)?;
        let fixed = Fixed::of(root)?;
        let interrupts = Interrupts::of(root)?;
        let own = own_id();
        let others = interrupts.cpus().filter(|&id| id != own);
        let machine = Machine {
            description: address,
            is_ostler: cpu::hypervisor() == Some(*b"OstlerOstler"),
            local_apic: interrupts.local_apic() as usize,
            io_apic: interrupts.io_apic()? as usize,
            has_8259: interrupts.has_8259(),
            timer_line: interrupts.line(0),
            uart: Uart { port: 0x3f8, line: interrupts.line(4) },
            power: PowerEvents {
                status: fixed.events.0,
                enable: fixed.events.0 + fixed.events.1 / 2,
                line: interrupts.line(fixed.interrupt),
            },
            power_timer: (fixed.timer != 0).then_some(fixed.timer),
            cpus: core::iter::once(own).chain(others).collect(),
            memory,
            command_line,
        };
        power::open(&fixed);
        apic::find(&machine);
        io_apic::find(&machine);
        clock::calibrate(&machine);
        Some(machine)
    }
}

/// This CPU's APIC ID, as it was at reset (CPUID Fn0000_0001, EBX).
pub fn own_id() -> u64 {
    u64::from(cpu::cpuid(1, 0).ebx >> 24)
}

/// This CPU's place among [`MAX_CPUS`].
pub fn own_index() -> usize {
    index(own_id())
}

/// The place of the CPU `id` among [`MAX_CPUS`].
pub const fn index(id: u64) -> usize {
    id as usize % MAX_CPUS
}

//! What the device tree says about the machine.

use crate::list::List;
use crate::psci::{self, Conduit};
use crate::read_register;
use fdt::{Fdt, node::FdtNode};

/// The fields of MPIDR_EL1 that name a CPU (DDI 0487, MPIDR_EL1).
const AFFINITY: u64 = 0xff_00ff_ffff;

/// The PL011.
#[derive(Clone, Copy, Debug)]
pub struct Uart {
    /// Its registers.
    pub base: usize,
    /// Its INTID.
    pub interrupt: u32,
    /// It is the SBSA's generic UART, which lacks a PL011's registers of the line, and of control: it is always on. Xen's
    /// guests have one.
    pub is_generic: bool,
}

/// Another device with registers and an interrupt.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// Its registers.
    pub base: usize,
    /// Its INTID.
    pub interrupt: u32,
}

/// The most CPUs that guests use: those of two clusters of 16.
pub const MAX_CPUS: usize = 32;
/// The most ranges of memory that guests use.
pub const MAX_RANGES: usize = 8;

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
    /// Where the tree is.
    pub tree: usize,
    /// Whether the tree's model is that of Ostler's machines, "QVM-v8A".
    pub is_ostler: bool,
    /// The GIC's architecture: 2 or 3.
    pub gic_version: u32,
    /// The GIC's distributor.
    pub distributor: usize,
    /// The GIC's registers for CPUs: of a GICv3 the first redistributor, which the others follow; of a GICv2 the CPU
    /// interface, which each CPU finds at the same address.
    pub gic_cpus: usize,
    /// INTID of the non-secure physical timer.
    pub physical_timer: u32,
    /// INTID of the virtual timer.
    pub virtual_timer: u32,
    /// CNTFRQ_EL0 as the tree has it; most trees leave it to the register.
    pub clock_frequency: Option<usize>,
    /// The console.
    pub uart: Uart,
    /// An SP805, if there is one.
    pub watchdog: Option<Device>,
    /// A PL061, if there is one.
    pub gpio: Option<Device>,
    /// A PL031, if there is one.
    pub clock: Option<Device>,
    /// How PSCI is called.
    pub conduit: Conduit,
    /// Affinities of the CPUs, in the tree's order: the first is the one that starts.
    pub cpus: List<u64, MAX_CPUS>,
    /// Ranges of memory, in the tree's order.
    pub memory: List<Range, MAX_RANGES>,
    /// `/chosen/bootargs`.
    pub command_line: &'static str,
    /// `/chosen/kaslr-seed`.
    pub kaslr_seed: &'static [u8],
    /// `/chosen/rng-seed`.
    pub rng_seed: &'static [u8],
}

impl Machine {
    /// What the tree at `address` says, which is then how PSCI is called.
    pub(crate) fn find(address: usize) -> Option<Machine> {
        // An ELF that QEMU's `virt` machine starts gets no argument; the tree is at the start of RAM.
        let machine = Machine::from_tree(if address == 0 { 0x4000_0000 } else { address })?;
        psci::choose(machine.conduit);
        Some(machine)
    }

    /// Reads the tree at `address`; `None` if there is none or it lacks what guests need.
    fn from_tree(address: usize) -> Option<Machine> {
        // SAFETY: the boot protocol promises a tree there; `Fdt` checks the magic before it believes the length.
        let tree: Fdt<'static> = unsafe { Fdt::from_ptr(address as *const u8) }.ok()?;
        let gic_v3 = tree.find_compatible(&["arm,gic-v3"]).map(|gic| (3, gic));
        // The second name is that of QEMU's own.
        let gic_v2 = || tree.find_compatible(&["arm,gic-400", "arm,cortex-a15-gic"]).map(|gic| (2, gic));
        let (gic_version, gic) = gic_v3.or_else(gic_v2)?;
        let pl011 = tree.find_compatible(&["arm,pl011"]);
        let uart = pl011.or_else(|| tree.find_compatible(&["arm,sbsa-uart"]))?;
        let timer = tree.find_compatible(&["arm,armv8-timer"])?;
        let psci = tree.find_compatible(&["arm,psci-1.0", "arm,psci-0.2"])?;
        let chosen =
            |name| tree.find_node("/chosen").and_then(|node| node.property(name)).map_or(&[][..], |found| found.value);
        let device = |compatible| {
            let node = tree.find_compatible(&[compatible])?;
            Some(Device { base: region(&node, 0)?, interrupt: interrupt(&node, 0)? })
        };
        Some(Machine {
            tree: address,
            is_ostler: tree.find_node("/")?.property("model").and_then(|model| model.as_str()) == Some("QVM-v8A"),
            gic_version,
            distributor: region(&gic, 0)?,
            gic_cpus: region(&gic, 1)?,
            // Secure physical, non-secure physical, virtual, hypervisor (the binding arm,arch_timer).
            physical_timer: interrupt(&timer, 1)?,
            virtual_timer: interrupt(&timer, 2)?,
            clock_frequency: timer.property("clock-frequency").and_then(|property| property.as_usize()),
            uart: Uart { base: region(&uart, 0)?, interrupt: interrupt(&uart, 0)?, is_generic: pl011.is_none() },
            watchdog: device("arm,sp805"),
            gpio: device("arm,pl061"),
            clock: device("arm,pl031"),
            conduit: match psci.property("method")?.as_str()? {
                "hvc" => Conduit::Hvc,
                "smc" => Conduit::Smc,
                _ => return None,
            },
            memory: memory(&tree).collect(),
            cpus: tree.cpus().map(|cpu| cpu.ids().first() as u64).collect(),
            command_line: tree.chosen().bootargs().unwrap_or(""),
            kaslr_seed: chosen("kaslr-seed"),
            rng_seed: chosen("rng-seed"),
        })
    }
}

/// This CPU's affinity.
pub fn own_affinity() -> u64 {
    read_register!("mpidr_el1") & AFFINITY
}

/// This CPU's place among [`MAX_CPUS`].
pub fn own_index() -> usize {
    index(own_affinity())
}

/// The place of the CPU `affinity` among [`MAX_CPUS`]: clusters of 16 are numbered by Aff1, CPUs in them by Aff0.
pub const fn index(affinity: u64) -> usize {
    (affinity >> 4 & 0x10 | affinity & 0xf) as usize
}

/// One node a range, or one with all.
fn memory<'a>(tree: &'a Fdt<'static>) -> impl Iterator<Item = Range> + 'a {
    let nodes = tree.all_nodes().filter(|node| node.name.split('@').next() == Some("memory"));
    let ranges = nodes.filter_map(|node| node.reg()).flatten();
    ranges.map(|found| Range { base: found.starting_address as u64, bytes: found.size.unwrap_or(0) as u64 })
}

fn region(node: &FdtNode<'_, '_>, index: usize) -> Option<usize> {
    Some(node.reg()?.nth(index)?.starting_address as usize)
}

/// INTID of interrupt `index`: three cells of type, number and flags (the bindings arm,gic and arm,gic-v3).
fn interrupt(node: &FdtNode<'_, '_>, index: usize) -> Option<u32> {
    let cells = node.property("interrupts")?.value.chunks_exact(4);
    let mut cells = cells.map(|cell| u32::from_be_bytes([cell[0], cell[1], cell[2], cell[3]])).skip(3 * index);
    match (cells.next()?, cells.next()?) {
        (0, shared) => Some(32 + shared),
        (1, private) => Some(16 + private),
        _ => None,
    }
}

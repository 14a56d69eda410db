//! What the device tree says about the machine.

use crate::psci::Conduit;
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
}

/// Everything that differs between the machines that a guest runs on.
#[derive(Debug)]
pub struct Machine {
    /// Where the tree is.
    pub tree: usize,
    /// Whether the tree's model is that of Ostler's machines, "QVM-v8A".
    pub is_ostler: bool,
    /// The GIC's distributor.
    pub distributor: usize,
    /// First redistributor; the others follow.
    pub redistributors: usize,
    /// INTID of the non-secure physical timer.
    pub physical_timer: u32,
    /// INTID of the virtual timer.
    pub virtual_timer: u32,
    /// CNTFRQ_EL0 as the tree has it; most trees leave it to the register.
    pub clock_frequency: Option<usize>,
    /// The console.
    pub uart: Uart,
    /// How PSCI is called.
    pub conduit: Conduit,
    /// Number of CPUs.
    pub cpus: usize,
    /// Affinity of the first CPU that is not this one.
    pub second: Option<u64>,
    /// `/chosen/bootargs`.
    pub command_line: &'static str,
    /// `/chosen/kaslr-seed`.
    pub kaslr_seed: &'static [u8],
    /// `/chosen/rng-seed`.
    pub rng_seed: &'static [u8],
}

impl Machine {
    /// Reads the tree at `address`; `None` if there is none or it lacks what guests need.
    pub(crate) fn from_tree(address: usize) -> Option<Machine> {
        // SAFETY: the boot protocol promises a tree there; `Fdt` checks the magic before it believes the length.
        let tree: Fdt<'static> = unsafe { Fdt::from_ptr(address as *const u8) }.ok()?;
        let gic = tree.find_compatible(&["arm,gic-v3"])?;
        let uart = tree.find_compatible(&["arm,pl011"])?;
        let timer = tree.find_compatible(&["arm,armv8-timer"])?;
        let psci = tree.find_compatible(&["arm,psci-1.0", "arm,psci-0.2"])?;
        let chosen =
            |name| tree.find_node("/chosen").and_then(|node| node.property(name)).map_or(&[][..], |found| found.value);
        let own = own_affinity();
        let affinity = |cpu: fdt::standard_nodes::Cpu<'_, '_>| cpu.ids().first() as u64;
        Some(Machine {
            tree: address,
            is_ostler: tree.find_node("/")?.property("model").and_then(|model| model.as_str()) == Some("QVM-v8A"),
            distributor: region(&gic, 0)?,
            redistributors: region(&gic, 1)?,
            // Secure physical, non-secure physical, virtual, hypervisor (the binding arm,arch_timer).
            physical_timer: interrupt(&timer, 1)?,
            virtual_timer: interrupt(&timer, 2)?,
            clock_frequency: timer.property("clock-frequency").and_then(|property| property.as_usize()),
            uart: Uart { base: region(&uart, 0)?, interrupt: interrupt(&uart, 0)? },
            conduit: match psci.property("method")?.as_str()? {
                "hvc" => Conduit::Hvc,
                "smc" => Conduit::Smc,
                _ => return None,
            },
            cpus: tree.cpus().count(),
            second: tree.cpus().map(affinity).find(|&cpu| cpu != own),
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

fn region(node: &FdtNode<'_, '_>, index: usize) -> Option<usize> {
    Some(node.reg()?.nth(index)?.starting_address as usize)
}

/// INTID of interrupt `index`: three cells of type, number and flags (the binding arm,gic-v3).
fn interrupt(node: &FdtNode<'_, '_>, index: usize) -> Option<u32> {
    let cells = node.property("interrupts")?.value.chunks_exact(4);
    let mut cells = cells.map(|cell| u32::from_be_bytes([cell[0], cell[1], cell[2], cell[3]])).skip(3 * index);
    match (cells.next()?, cells.next()?) {
        (0, shared) => Some(32 + shared),
        (1, private) => Some(16 + private),
        _ => None,
    }
}

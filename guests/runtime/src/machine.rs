//! What the device tree says about the machine.

use super::psci::Conduit;
use super::system_register::read_register;
use fdt::{Fdt, node::FdtNode};

/// The fields of MPIDR_EL1 that name a CPU (DDI 0487, MPIDR_EL1).
pub(crate) const AFFINITY: u64 = 0xff_00ff_ffff;

/// The PL011.
pub(crate) struct Uart {
    /// Its registers.
    pub(crate) base: usize,
    /// Its INTID.
    pub(crate) interrupt: u32,
}

/// Everything that differs between the machines that this program runs on.
pub(crate) struct Machine {
    pub(crate) distributor: usize,
    /// First redistributor; the others follow.
    pub(crate) redistributors: usize,
    /// INTID of the virtual timer.
    pub(crate) timer_interrupt: u32,
    pub(crate) uart: Uart,
    pub(crate) conduit: Conduit,
    /// Number of CPUs.
    pub(crate) cpus: usize,
    /// Affinity of the first CPU that is not this one.
    pub(crate) second: Option<u64>,
    pub(crate) command_line: &'static str,
}

impl Machine {
    /// Reads the tree at `address`; `None` if there is none or it lacks what this program needs.
    pub(crate) fn from_tree(address: usize) -> Option<Machine> {
        // SAFETY: the boot protocol promises a tree there; `Fdt` checks the magic before it believes the length.
        let tree = unsafe { Fdt::from_ptr(address as *const u8) }.ok()?;
        let gic = tree.find_compatible(&["arm,gic-v3"])?;
        let uart = tree.find_compatible(&["arm,pl011"])?;
        let timer = tree.find_compatible(&["arm,armv8-timer"])?;
        let psci = tree.find_compatible(&["arm,psci-1.0", "arm,psci-0.2"])?;
        let own = read_register!("mpidr_el1") & AFFINITY;
        let affinity = |cpu: fdt::standard_nodes::Cpu| cpu.ids().first() as u64;
        Some(Machine {
            distributor: region(&gic, 0)?,
            redistributors: region(&gic, 1)?,
            // Secure physical, non-secure physical, virtual, hypervisor (the binding arm,arch_timer).
            timer_interrupt: interrupt(&timer, 2)?,
            uart: Uart { base: region(&uart, 0)?, interrupt: interrupt(&uart, 0)? },
            conduit: match psci.property("method")?.as_str()? {
                "hvc" => Conduit::Hvc,
                "smc" => Conduit::Smc,
                _ => return None,
            },
            cpus: tree.cpus().count(),
            second: tree.cpus().map(affinity).find(|&cpu| cpu != own),
            command_line: tree.chosen().bootargs().unwrap_or(""),
        })
    }
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

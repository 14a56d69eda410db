//! What the board says of itself: one pass over its flattened device tree.
//!
//! The tree is read once, as a stream of nodes ([`nodes`]), and boiled down to [`Facts`]: no allocation, no recursion.
//! Only the console may take a second look, because `/chosen` names it by a path and may come after it; not if it is the
//! first PL011 below the root, as on most boards. Firmware is trusted, its bytes are not: a broken tree gives a
//! [`TreeError`] that names the node.
//!
//! A device on a bus that translates addresses is left out with a [`Note`] rather than used at a wrong address.

mod fault;
mod hardware;
mod nodes;
#[cfg(test)]
mod tests;

pub use fault::{Fault, NodeName, Note, TreeError};
pub use hardware::{Conduit, Facts, Gic, Hardware, MAX_REDISTRIBUTORS, Psci, Timers, Uart};

use arrayvec::ArrayVec;
use model::{GicVersion, Hpa};
use nodes::{Blob, Node, u32_at};

use crate::facts::{MAX_SEED_BYTES, Region, Reserved};

/// The length in bytes that a tree's first 8 bytes claim; `None` if this is no tree.
pub fn total_bytes(header: &[u8]) -> Option<u32> {
    (u32_at(header, 0)? == 0xd00d_feed).then(|| u32_at(header, 4))?
}

/// Reads a whole tree. `bytes` may be longer than the tree.
pub fn read(bytes: &[u8]) -> Result<Facts, TreeError> {
    let blob = Blob::new(bytes)?;
    let mut facts = Facts::default();
    facts.reserve(&blob)?;

    let mut scan = Scan::default();
    let mut nodes = blob.nodes();
    while let Some(node) = nodes.next()? {
        scan.node(&mut facts, node).map_err(|fault| TreeError::new(fault, node.name))?;
    }
    scan.finish(&mut facts, &blob)?;
    Ok(facts)
}

impl Facts {
    /// `/memreserve/`: pairs of address and length up to a pair of zeros (Devicetree Specification 5.3).
    fn reserve(&mut self, blob: &Blob<'_>) -> Result<(), TreeError> {
        let mut entries = blob.reservations.chunks_exact(16);
        loop {
            let entry = entries.next().ok_or(Fault::Truncated("memory reservation block"))?;
            let half = |at: usize| Some(u64::from_be_bytes(*entry.get(at..)?.first_chunk()?));
            match half(0).zip(half(8)) {
                Some((0, 0)) | None => return Ok(()),
                Some((start, size)) => self.reserve_region(start, size, false, "/memreserve/")?,
            }
        }
    }

    fn reserve_region(&mut self, start: u64, size: u64, no_map: bool, from: &'static str) -> Result<(), Fault> {
        let Some(region) = region(start, size, from)? else { return Ok(()) };
        self.reserved.try_push(Reserved { region, no_map }).map_err(|_| Fault::TooMany("reserved ranges"))
    }

    fn note(&mut self, node: &Node<'_>, why: &'static str) {
        // One note too many is no reason not to boot.
        let _ = self.notes.try_push(Note { node: NodeName::new(node.name), why });
    }
}

/// The child of the root that the pass is in, if its children matter.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Other,
    Cpus,
    Reserved,
}

/// What kind of device a node is, by one of its `compatible` strings.
enum Device {
    Gic(GicVersion),
    Timer,
    Psci((u8, u8)),
    Uart,
}

impl Device {
    fn from_compatible(compatible: &[u8]) -> Option<Device> {
        match compatible {
            b"arm,gic-v3" => Some(Device::Gic(GicVersion::V3)),
            b"arm,gic-400" | b"arm,cortex-a15-gic" | b"arm,cortex-a7-gic" | b"arm,cortex-a9-gic" => {
                Some(Device::Gic(GicVersion::V2))
            }
            b"arm,armv8-timer" => Some(Device::Timer),
            b"arm,pl011" => Some(Device::Uart),
            b"arm,psci-1.0" => Some(Device::Psci((1, 0))),
            b"arm,psci-0.2" => Some(Device::Psci((0, 2))),
            b"arm,psci" => Some(Device::Psci((0, 1))),
            _ => None,
        }
    }
}

/// What the pass has seen and can only use at its end.
#[derive(Default)]
struct Scan<'a> {
    section: Section,
    chosen: Option<Node<'a>>,
    aliases: Option<Node<'a>>,
    gic: Option<(GicVersion, Node<'a>)>,
    timer: Option<Node<'a>>,
    /// The first child of the root that is a PL011: most often the console.
    uart: Option<Node<'a>>,
}

impl<'a> Scan<'a> {
    fn node(&mut self, facts: &mut Facts, node: Node<'a>) -> Result<(), Fault> {
        match node.depth {
            1 => {
                self.section = match node.name {
                    b"cpus" => Section::Cpus,
                    b"reserved-memory" => Section::Reserved,
                    _ => Section::Other,
                };
                match node.name {
                    b"chosen" => self.chosen = Some(node),
                    b"aliases" => self.aliases = Some(node),
                    _ if node.device_type == b"memory" => return Self::memory(facts, &node),
                    _ => {}
                }
            }
            2 => match self.section {
                Section::Cpus if node.device_type == b"cpu" => return Self::cpu(facts, &node),
                Section::Reserved => return Self::reserved(facts, &node),
                _ => {}
            },
            _ => {}
        }
        // The strings go from the special to the general.
        match node.compatible().find_map(Device::from_compatible) {
            Some(Device::Uart) => {
                if node.depth == 1 {
                    self.uart.get_or_insert(node);
                }
                Ok(())
            }
            Some(_) if !node.is_enabled() => Ok(()),
            Some(Device::Gic(_)) if !node.parent.identity => {
                facts.note(&node, "on a bus that translates addresses, not used");
                Ok(())
            }
            Some(Device::Gic(_)) if self.gic.is_some() => {
                facts.note(&node, "a second interrupt controller, not used");
                Ok(())
            }
            Some(Device::Gic(version)) => {
                self.gic = Some((version, node));
                Ok(())
            }
            Some(Device::Timer) => {
                self.timer = Some(node);
                Ok(())
            }
            Some(Device::Psci(version)) => Self::psci(facts, &node, version),
            None => Ok(()),
        }
    }

    fn memory(facts: &mut Facts, node: &Node<'_>) -> Result<(), Fault> {
        if !node.is_enabled() {
            return Ok(());
        }
        for (start, size) in node.reg()? {
            let Some(region) = region(start, size, "reg")? else { continue };
            facts.memory.try_push(region).map_err(|_| Fault::TooMany("memory ranges"))?;
        }
        Ok(())
    }

    /// A child of `/reserved-memory` (3.5.4). One without `reg` asks an operating system to find a place: no matter.
    fn reserved(facts: &mut Facts, node: &Node<'_>) -> Result<(), Fault> {
        if !node.is_enabled() {
            return Ok(());
        }
        let no_map = node.property(b"no-map").is_some();
        node.reg()?.try_for_each(|(start, size)| facts.reserve_region(start, size, no_map, "reg"))
    }

    /// A CPU's `reg` is its affinity in one or two cells (binding arm/cpus.yaml).
    fn cpu(facts: &mut Facts, node: &Node<'_>) -> Result<(), Fault> {
        if !node.is_enabled() {
            facts.note(node, "not enabled, not used");
            return Ok(());
        }
        // Aff3 in bits 39:32, Aff2 to Aff0 in bits 23:0 (DDI 0487, MPIDR_EL1).
        const AFFINITY: u64 = 0xff_00ff_ffff;
        match node.reg()?.next() {
            Some((affinity, _)) if affinity & !AFFINITY == 0 => {
                facts.cpus.try_push(affinity).map_err(|_| Fault::TooMany("CPUs"))
            }
            _ => Err(Fault::Malformed("reg")),
        }
    }

    fn psci(facts: &mut Facts, node: &Node<'_>, version: (u8, u8)) -> Result<(), Fault> {
        if version < (0, 2) {
            facts.note(node, "older than PSCI 0.2, not used");
            return Ok(());
        }
        let conduit = match node.property(b"method") {
            Some(b"smc\0") => Conduit::Smc,
            Some(b"hvc\0") => Conduit::Hvc,
            _ => return Err(Fault::Malformed("method")),
        };
        facts.hardware.psci = Some(Psci { conduit, version });
        Ok(())
    }

    /// What takes more than one node: the console by its path, interrupts by their controller.
    fn finish(&self, facts: &mut Facts, blob: &Blob<'a>) -> Result<(), TreeError> {
        if let Some((version, node)) = &self.gic {
            facts.hardware.gic = Some(self.gic(*version, node).map_err(|fault| TreeError::new(fault, node.name))?);
        }
        if let Some(node) = &self.timer {
            facts.hardware.timers = self.timers(node).map_err(|fault| TreeError::new(fault, node.name))?;
        }
        if let Some(chosen) = &self.chosen {
            let seed = chosen.property(b"rng-seed").unwrap_or_default();
            facts.rng_seed = seed.iter().copied().take(MAX_SEED_BYTES).collect();
            let seed = chosen.property(b"kaslr-seed").and_then(|seed| Some(u64::from_be_bytes(*seed.first_chunk()?)));
            facts.kaslr_seed = seed.filter(|&seed| seed != 0);
            self.console(facts, blob, chosen)?;
        }
        Ok(())
    }

    fn gic(&self, version: GicVersion, node: &Node<'_>) -> Result<Gic, Fault> {
        let malformed = Fault::Malformed("reg");
        let mut regions = node.reg()?.map(|(start, size)| region(start, size, "reg")?.ok_or(malformed));
        let distributor = regions.next().ok_or(malformed)??;
        let maintenance = self.interrupts(node)?.next().flatten();
        match version {
            GicVersion::V3 => {
                // Bindings: one region unless said otherwise; GICC, GICH and GICV follow, for the legacy mode.
                let count = node.cell("#redistributor-regions")?.unwrap_or(1);
                let mut redistributors = ArrayVec::new();
                for _ in 0..count {
                    let region = regions.next().ok_or(malformed)??;
                    redistributors.try_push(region).map_err(|_| Fault::TooMany("redistributor regions"))?;
                }
                let stride_bytes = match node.property(b"redistributor-stride") {
                    None => None,
                    Some(value) => Some(
                        nodes::number(value)
                            .filter(|stride| *stride != 0)
                            .ok_or(Fault::Malformed("redistributor-stride"))?,
                    ),
                };
                Ok(Gic::V3 { distributor, redistributors, stride_bytes, maintenance })
            }
            GicVersion::V2 => {
                let cpu_interface = regions.next().ok_or(malformed)??;
                let hypervisor_interface = regions.next().transpose()?;
                let virtual_cpu_interface = regions.next().transpose()?;
                Ok(Gic::V2 { distributor, cpu_interface, hypervisor_interface, virtual_cpu_interface, maintenance })
            }
        }
    }

    /// By `interrupt-names` if there are any, else by the order of the binding (timer/arm,arch_timer.yaml).
    fn timers(&self, node: &Node<'_>) -> Result<Timers, Fault> {
        const ORDER: &[u8] = b"sec-phys\0phys\0virt\0hyp-phys";
        let names = node.property(b"interrupt-names").unwrap_or(ORDER);
        let mut timers = Timers::default();
        for (name, intid) in names.split(|&byte| byte == 0).zip(self.interrupts(node)?) {
            match name {
                b"sec-phys" => timers.secure = intid,
                b"phys" => timers.physical = intid,
                b"virt" => timers.virtual_ = intid,
                b"hyp-phys" => timers.hypervisor = intid,
                _ => {}
            }
        }
        Ok(timers)
    }

    /// The INTIDs of `interrupts` (binding arm,gic-v3.yaml): three or more cells, the type, the number, the trigger.
    /// Empty if they belong to another controller; `None` for one of the extended ranges.
    fn interrupts<'n>(&self, node: &Node<'n>) -> Result<impl Iterator<Item = Option<u32>> + use<'n>, Fault> {
        let malformed = Fault::Malformed("interrupts");
        let gic = self.gic.as_ref().map(|(_, node)| node);
        let cells = gic.map_or(Ok(None), |gic| gic.cell("#interrupt-cells"))?.unwrap_or(3);
        let one = usize::try_from(cells).ok().and_then(|cells| cells.checked_mul(4)).filter(|&one| one >= 12);
        let one = one.ok_or(Fault::Malformed("#interrupt-cells"))?;
        let is_ours = gic.is_some_and(|gic| gic.phandle.is_some() && gic.phandle == node.interrupt_parent);
        let value = node.property(b"interrupts").filter(|_| is_ours).unwrap_or_default();
        if !value.len().is_multiple_of(one) {
            return Err(malformed);
        }
        Ok(value.chunks_exact(one).map(|one| match (u32_at(one, 0)?, u32_at(one, 4)?) {
            (0, number @ 0..988) => number.checked_add(32),
            (1, number @ 0..16) => number.checked_add(16),
            _ => None,
        }))
    }

    /// `/chosen/stdout-path`: a path or an alias, then perhaps `:` and options (3.6).
    fn console(&self, facts: &mut Facts, blob: &Blob<'a>, chosen: &Node<'a>) -> Result<(), TreeError> {
        let name_of = |value: &'a [u8]| value.split(|&byte| matches!(byte, 0 | b':')).next().unwrap_or_default();
        let Some(name) = chosen.property(b"stdout-path").map(name_of) else { return Ok(()) };
        let path = match name {
            [b'/', ..] => Some(name),
            alias => self.aliases.and_then(|aliases| aliases.property(alias)).map(name_of),
        };
        let seen = self.uart.filter(|uart| path.is_some_and(|path| path.strip_prefix(b"/") == Some(uart.name)));
        let node = match (seen, path) {
            (None, Some(path)) => find(blob, path)?,
            _ => seen,
        };
        let Some(node) = node else {
            facts.note(chosen, "`stdout-path` leads nowhere");
            return Ok(());
        };
        if !node.compatible().any(|name| name == b"arm,pl011") {
            facts.note(&node, "not a PL011, not used as the console");
        } else if !node.parent.identity {
            facts.note(&node, "on a bus that translates addresses, not used as the console");
        } else {
            let at_node = |fault| TreeError::new(fault, node.name);
            let (start, size) = node.reg().map_err(at_node)?.next().ok_or(at_node(Fault::Malformed("reg")))?;
            let registers = region(start, size, "reg").map_err(at_node)?.ok_or(at_node(Fault::Malformed("reg")))?;
            let intid = self.interrupts(&node).map_err(at_node)?.next().flatten();
            facts.hardware.console = Some(Uart { registers, intid });
        }
        Ok(())
    }
}

/// The node at an absolute path. A component may leave out the unit address (2.2.3).
fn find<'a>(blob: &Blob<'a>, path: &[u8]) -> Result<Option<Node<'a>>, TreeError> {
    let mut components = path.split(|&byte| byte == b'/').filter(|component| !component.is_empty()).peekable();
    // Depth of the node that the next component must be a child of.
    let mut parent = 0;
    let mut nodes = blob.nodes();
    while let Some(node) = nodes.next()? {
        let Some(&wanted) = components.peek() else { return Ok(None) };
        if node.depth <= parent && node.depth > 0 {
            // The parent is closed.
            return Ok(None);
        }
        let base = node.name.split(|&byte| byte == b'@').next();
        if node.depth == parent.saturating_add(1) && (node.name == wanted || base == Some(wanted)) {
            components.next();
            parent = node.depth;
            if components.peek().is_none() {
                return Ok(Some(node));
            }
        }
    }
    Ok(None)
}

/// A region, `None` if it is empty; an error in `property` if its end overflows.
fn region(start: u64, size_bytes: u64, property: &'static str) -> Result<Option<Region>, Fault> {
    start.checked_add(size_bytes).ok_or(Fault::Malformed(property))?;
    Ok((size_bytes > 0).then_some(Region { start: Hpa(start), size_bytes }))
}

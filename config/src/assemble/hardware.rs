//! What the board's device tree, or its page, says that the board has: registers, interrupts, who does DMA, and what is not to be
//! passed.
//!
//! Addresses are translated through the `ranges` of all buses above (Devicetree Specification 0.4, section 2.3.8), interrupts are
//! those that reach the GIC (section 2.4, and Linux's bindings/interrupt-controller/arm,gic-v3.yaml).

use std::borrow::Cow;

use model::{Ports, Trigger};

use super::Board;
use super::claims::Range;
use super::ports;
use super::tree::{self, Node, Tree};

/// Properties by which a node says that its device reaches memory by itself, or has it reached by a DMA controller.
pub(super) const DMA_PROPERTIES: [&str; 4] = ["dma-coherent", "dmas", "iommus", "iommu-map"];
/// Devices that do DMA, whatever their node says. A name that ends in `*` is the beginning of one.
pub(super) const DMA_DEVICES: [&str; 18] = [
    "virtio,mmio",
    "qemu,fw-cfg-mmio",
    "pci-host-*",
    "arm,pl080",
    "arm,pl081",
    "arm,pl330",
    "arm,pl110",
    "arm,pl111",
    "cdns,*gem",
    "cdns,macb",
    "snps,dwmac*",
    "snps,dwc3",
    "snps,dw-apb-dma*",
    "generic-ahci",
    "generic-xhci",
    "generic-ehci",
    "generic-ohci",
    "sdhci*",
];
/// Interrupt controllers that are Ostler's own.
const CONTROLLERS: [&str; 5] =
    ["arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a7-gic", "arm,cortex-a9-gic"];
/// First INTID of the SPIs, and of those beyond them that are special.
const SPIS: std::ops::Range<u32> = 32..1020;

/// The board's devices.
#[derive(Debug, Default)]
pub(super) struct Hardware {
    tree: Tree,
    /// All nodes but CPUs, memory and what is no device, in the order of the tree.
    pub(super) devices: Vec<Device>,
    /// What firmware or the tree keeps.
    pub(super) reserved: Vec<Range>,
}

/// One node of the tree.
#[derive(Debug)]
pub(super) struct Device {
    /// From the root, without a slash at the end; or its name, without a tree.
    pub(super) path: String,
    /// Host-physical, in the order of its `reg`.
    pub(super) registers: Vec<Range>,
    /// On an x86 board.
    pub(super) ports: Vec<Ports>,
    /// In the order of its `interrupts`.
    pub(super) interrupts: Vec<HostInterrupt>,
    /// Why it is known to do DMA, if it is.
    pub(super) dma: Option<String>,
    /// Why it is not to be passed, if it is Ostler's own.
    pub(super) own: Option<Cow<'static, str>>,
    /// ACPI's hardware ID.
    pub(super) acpi: Option<String>,
}

impl Device {
    /// Its ports, for people.
    pub(super) fn all_ports(&self) -> String {
        self.ports.iter().map(ports::words).collect::<Vec<_>>().join(", ")
    }
}

/// An interrupt of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostInterrupt {
    /// INTID of an SPI; a global system interrupt on x86.
    pub(super) intid: u32,
    pub(super) trigger: Trigger,
}

impl Hardware {
    /// What the tree in `bytes` says. The error says what is wrong with it.
    pub(super) fn read(board: &Board, bytes: &[u8]) -> Result<Hardware, String> {
        let tree = tree::read(bytes)?;
        let mut hardware = Hardware::default();
        let mut reader = Reader { board, gics: Vec::new(), hardware: &mut hardware };
        tree.root.walk(&mut |node| {
            if is_controller(node) {
                reader.gics.extend(node.get("phandle").map(<[u8]>::to_vec));
            }
        });
        let bus = Bus { address_cells: 2, size_cells: 1, windows: Some(Vec::new()), interrupts: None, own: None };
        reader.node(&tree.root, "", &bus);
        let reserved = tree.reservations.iter().filter_map(|&(start, size)| Range::new(start, size));
        hardware.reserved.extend(reserved);
        hardware.tree = tree;
        Ok(hardware)
    }

    /// What the page of a board without a tree says; `None` if it says nothing.
    pub(super) fn of_page(board: &Board) -> Option<Hardware> {
        let device = |device: &super::Device| Device {
            path: device.name.clone(),
            registers: device.memory.iter().filter_map(|&(start, size)| Range::new(start, size)).collect(),
            ports: device.ports.iter().map(|&(first, count)| Ports::new(first, count)).collect(),
            interrupts: device.lines.iter().map(|&intid| HostInterrupt { intid, trigger: device.trigger }).collect(),
            dma: device.dma.clone(),
            own: device.own.clone().map(Cow::Owned),
            acpi: device.acpi.clone(),
        };
        let devices: Vec<Device> = board.devices.iter().map(device).collect();
        (!devices.is_empty()).then(|| Hardware { devices, ..Hardware::default() })
    }

    /// The node at `path`.
    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(&self.tree.root, |node, name| node.children.iter().find(|child| child.name == name))
    }

    /// The node that `phandle` names.
    pub(super) fn by_phandle(&self, phandle: u32) -> Option<&Node> {
        let mut found = None;
        let phandle = phandle.to_be_bytes();
        self.tree.root.walk(&mut |node| {
            if node.get("phandle") == Some(phandle.as_slice()) {
                found = Some(node);
            }
        });
        found
    }

    /// The device at `path`.
    pub(super) fn device(&self, path: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.path == path)
    }

    /// The devices that have registers in `range`.
    pub(super) fn at(&self, range: Range) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(move |device| device.registers.iter().any(|registers| registers.overlaps(range)))
    }

    /// The devices that have some of `ports`.
    pub(super) fn at_ports(&self, ports: &Ports) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(|device| device.ports.iter().any(|range| range.overlaps(ports)))
    }

    /// Who has the interrupt `intid`: several devices may share a line.
    pub(super) fn interrupt(&self, intid: u32) -> impl Iterator<Item = (&Device, HostInterrupt)> {
        self.devices.iter().filter_map(move |device| {
            let interrupt = device.interrupts.iter().find(|interrupt| interrupt.intid == intid)?;
            Some((device, *interrupt))
        })
    }
}

/// A board's tree without what its variants decide: CPUs, memory, seeds. As a file beside `board.toml` has it. The error says what is
/// wrong with the tree.
pub fn portable_tree(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut tree = tree::read(bytes)?;
    tree.root.children.retain(|node| node.name != "cpus" && !node.name.starts_with("memory@"));
    let chosen = tree.root.child("chosen");
    chosen.properties.retain(|(name, _)| !name.ends_with("-seed"));
    tree.write().map(|(bytes, _)| bytes)
}

/// What a node has from those above it.
struct Bus<'a> {
    address_cells: usize,
    size_cells: usize,
    /// Windows to the CPU's addresses: child, CPU, size. Empty: the same addresses. `None`: not reachable.
    windows: Option<Vec<(u64, u64, u64)>>,
    /// `interrupt-parent`.
    interrupts: Option<&'a [u8]>,
    own: Option<&'static str>,
}

struct Reader<'a> {
    board: &'a Board,
    /// Phandles of the GICs.
    gics: Vec<Vec<u8>>,
    hardware: &'a mut Hardware,
}

impl Reader<'_> {
    /// `node` at `path`, on `bus`, and all below it.
    fn node(&mut self, node: &Node, path: &str, bus: &Bus) {
        let interrupts = node.get("interrupt-parent").or(bus.interrupts);
        let registers = registers(node, bus);
        let own = bus.own.or_else(|| self.own(node, &registers));
        if path == "/reserved-memory" {
            let below = self.below(node, bus, interrupts, own);
            for child in &node.children {
                self.hardware.reserved.extend(self::registers(child, &below));
            }
            return;
        }
        // CPUs and memory are the variant's; `chosen` and `aliases` are no devices.
        if !path.is_empty() && !["/cpus", "/chosen", "/aliases"].contains(&path) && !path.starts_with("/memory") {
            let interrupts = self.interrupts(node, interrupts);
            let (path, ports, own) = (path.to_owned(), Vec::new(), own.map(Cow::Borrowed));
            let device = Device { path, registers, ports, interrupts, dma: dma(node), own, acpi: None };
            self.hardware.devices.push(device);
        }
        if path == "/cpus" {
            return;
        }
        let below = self.below(node, bus, interrupts, own);
        for child in &node.children {
            self.node(child, &format!("{path}/{}", child.name), &below);
        }
    }

    fn below<'n>(
        &self,
        node: &'n Node,
        bus: &Bus<'n>,
        interrupts: Option<&'n [u8]>,
        own: Option<&'static str>,
    ) -> Bus<'n> {
        let cells =
            |name, otherwise| node.get(name).and_then(|value| cell(value, 0)).map_or(otherwise, |cells| cells as usize);
        let (address_cells, size_cells) = (cells("#address-cells", 2), cells("#size-cells", 1));
        // The root's children have the CPU's addresses; below any other node without `ranges` they have not.
        let windows = match (node.name.is_empty(), node.get("ranges"), &bus.windows) {
            (true, ..) => Some(Vec::new()),
            (_, Some([]), windows) => windows.clone(),
            (_, Some(ranges), Some(outer)) => {
                Some(windows(ranges, [address_cells, bus.address_cells, size_cells], outer))
            }
            _ => None,
        };
        Bus { address_cells, size_cells, windows, interrupts, own }
    }

    /// Why the device is Ostler's own, if it is.
    fn own(&self, node: &Node, registers: &[Range]) -> Option<&'static str> {
        let console = Range::new(self.board.console.address, 1);
        let has_console = console.is_some_and(|console| registers.iter().any(|registers| registers.overlaps(console)));
        if has_console {
            Some("the board's console")
        } else if is_controller(node) {
            Some("the board's interrupt controller")
        } else if compatible(node).any(|name| name.starts_with("arm,armv8-timer")) {
            Some("the CPUs' timers")
        } else {
            None
        }
    }

    /// The SPIs of a node.
    fn interrupts(&self, node: &Node, parent: Option<&[u8]>) -> Vec<HostInterrupt> {
        let is_gic = |phandle: &[u8]| self.gics.iter().any(|gic| gic == phandle);
        if let Some(list) = node.get("interrupts-extended") {
            // Entries for other controllers have lengths of their own: what follows one is not read.
            let (entries, _) = list.as_chunks::<16>();
            return entries
                .iter()
                .take_while(|entry| is_gic(&entry[..4]))
                .filter_map(|entry| spi(&entry[4..]))
                .collect();
        }
        if let Some(list) = node.get("interrupts") {
            let (entries, _) = list.as_chunks::<12>();
            return entries.iter().take_while(|_| parent.is_some_and(is_gic)).filter_map(|entry| spi(entry)).collect();
        }
        // A host bridge's map: the child's address (3) and pin (1), the GIC's phandle and address (2), and its cells (3).
        let (entries, _) = node.get("interrupt-map").unwrap_or_default().as_chunks::<40>();
        let entries = entries.iter().filter(|entry| is_gic(&entry[16..20]));
        let mut mapped: Vec<HostInterrupt> = entries.filter_map(|entry| spi(&entry[28..])).collect();
        mapped.sort_by_key(|interrupt| interrupt.intid);
        mapped.dedup();
        mapped
    }
}

/// The SPI of three cells of a GIC: kind 0, number, flags.
fn spi(cells: &[u8]) -> Option<HostInterrupt> {
    let (kind, number, flags) = (cell(cells, 0)?, cell(cells, 1)?, cell(cells, 2)?);
    let trigger = match flags & 0xf {
        1 => Trigger::Edge,
        4 => Trigger::Level,
        _ => return None,
    };
    let intid = number.checked_add(SPIS.start).filter(|intid| kind == 0 && SPIS.contains(intid))?;
    Some(HostInterrupt { intid, trigger })
}

/// The registers of `node`, which is on `bus`, as the CPU finds them.
fn registers(node: &Node, bus: &Bus) -> Vec<Range> {
    let (Some(reg), Some(windows)) = (node.get("reg"), &bus.windows) else { return Vec::new() };
    let cells = bus.address_cells.saturating_add(bus.size_cells);
    if bus.size_cells == 0 || cells == 0 {
        return Vec::new();
    }
    let entries = reg.chunks_exact(cells.saturating_mul(4));
    let range = |entry: &[u8]| {
        let (address, size) = (number(entry, 0, bus.address_cells)?, number(entry, bus.address_cells, bus.size_cells)?);
        Range::new(translate(address, windows)?, size).filter(|range| range.size() != 0)
    };
    entries.filter_map(range).collect()
}

/// The entries of `ranges` with these numbers of cells (child's address, parent's address, size), as the CPU has them.
fn windows(ranges: &[u8], [child, parent, size]: [usize; 3], outer: &[(u64, u64, u64)]) -> Vec<(u64, u64, u64)> {
    let bytes = child.saturating_add(parent).saturating_add(size).saturating_mul(4);
    let entries = ranges.chunks_exact(bytes.max(4));
    let window = |entry: &[u8]| {
        let up = number(entry, child, parent)?;
        Some((number(entry, 0, child)?, translate(up, outer)?, number(entry, child.checked_add(parent)?, size)?))
    };
    entries.filter_map(window).collect()
}

fn translate(address: u64, windows: &[(u64, u64, u64)]) -> Option<u64> {
    if windows.is_empty() {
        return Some(address);
    }
    windows.iter().find_map(|&(child, cpu, size)| {
        let offset = address.checked_sub(child).filter(|&offset| offset < size)?;
        cpu.checked_add(offset)
    })
}

/// Cell `index` of a property.
pub(super) fn cell(value: &[u8], index: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*value.get(index.checked_mul(4)?..)?.first_chunk()?))
}

/// `cells` cells from cell `start` on as one number, of which the last two count: a PCI address has one more before them.
fn number(value: &[u8], start: usize, cells: usize) -> Option<u64> {
    let cell = |index: usize| cell(value, start.checked_add(index)?);
    (0..cells).try_fold(0_u64, |number, index| Some(number << 32 | u64::from(cell(index)?)))
}

/// The names in `compatible`.
fn compatible(node: &Node) -> impl Iterator<Item = &str> {
    let names = node.get("compatible").unwrap_or_default().split(|&byte| byte == 0);
    names.filter_map(|name| std::str::from_utf8(name).ok()).filter(|name| !name.is_empty())
}

fn is_controller(node: &Node) -> bool {
    compatible(node).any(|name| CONTROLLERS.contains(&name))
}

/// Why the device of `node` is known to do DMA, if it is.
fn dma(node: &Node) -> Option<String> {
    if let Some(property) = DMA_PROPERTIES.iter().find(|property| node.get(property).is_some()) {
        return Some(format!("its node has `{property}`"));
    }
    let matches = |pattern: &str, name: &str| match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => name == pattern,
    };
    let known = compatible(node).find(|name| DMA_DEVICES.iter().any(|pattern| matches(pattern, name)))?;
    Some(format!("a `{known}` does"))
}

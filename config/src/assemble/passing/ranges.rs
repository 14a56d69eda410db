//! Ranges of the board's address space that go to a VM: registers of devices, or named regions of RAM.

use model::{Gpa, Hpa, MemoryType, PAGE_BYTES, Pass};

use super::super::Architecture;
use super::super::claims::Range;
use super::super::hardware::Device;
use super::{Desk, Passed, Passing};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::spec::{Attributes, PassLoc};

/// What a node has without attributes: what drivers do with registers.
const OF_A_NODE: Attributes =
    Attributes { read: true, write: true, execute: false, cached: false, memory: false, dma: false, no_dma: false };

impl Passing<'_> {
    /// Passes whole pages of the board, `host`, to be at `gpa`. `node` is the device that they are passed for, if a node was
    /// named. False if something is wrong, which is reported.
    pub(super) fn range(
        &mut self,
        loc: &PassLoc,
        (gpa, host): (u64, Range),
        node: Option<&str>,
        passed: &mut Passed,
        desk: &mut Desk,
    ) -> bool {
        let errors = desk.diagnostics.errors();
        let region =
            self.board.regions.values().any(|region| {
                Range::new(region.start, region.length_bytes).is_some_and(|region| region.contains(host))
            });
        if let Some(reserved) = self.hardware.iter().flat_map(|hardware| &hardware.reserved).find(|r| r.overlaps(host))
        {
            let message = format!("the board's tree reserves {reserved}");
            desk.diagnostics.push(Diagnostic::error(codes::NOT_TO_PASS, message).at(loc.span));
        } else if self.ram.iter().any(|ram| host.overlaps(*ram)) && !region {
            self.no_region(loc, host, desk);
        } else if !region {
            self.registers(loc, host, node, desk);
        }
        let attributes = loc.attributes.map_or(OF_A_NODE, |attributes| attributes.value);
        check_attributes(loc, attributes, region, desk);
        self.only_owner(loc, host, desk);
        let what = node.map_or_else(|| format!("`pass` of {host}"), |node| format!("`pass` of {node}"));
        let Some(range) = desk.claims.claim((gpa, host.size()), &what, Some(loc.span), desk.diagnostics) else {
            return false;
        };
        if desk.diagnostics.errors() > errors {
            return false;
        }
        passed.memory.extend(attributes.memory.then_some(range));
        passed.ranges.push(Pass {
            gpa: Gpa(gpa),
            hpa: Hpa(host.start),
            size_bytes: host.size(),
            write: attributes.write,
            execute: attributes.execute,
            kind: match (attributes.cached, region) {
                (true, _) => MemoryType::Cached,
                (false, true) => MemoryType::Uncached,
                (false, false) => MemoryType::Device,
            },
        });
        true
    }

    /// RAM of the board that is no named region.
    fn no_region(&self, loc: &PassLoc, host: Range, desk: &mut Desk) {
        let message = format!("{host} is RAM of the board, which is Ostler's to give");
        let regions: Vec<String> = self
            .board
            .regions
            .iter()
            .map(|(name, region)| format!("`{name}` at {:#x}, {:#x} bytes", region.start, region.length_bytes))
            .collect();
        let hint = match regions.is_empty() {
            true => "ordinary memory is `ram`; RAM to pass is a `[regions.NAME]` of board.toml".to_owned(),
            false => format!("ordinary memory is `ram`; what can be passed is a region: {}", regions.join(", ")),
        };
        desk.diagnostics.push(Diagnostic::error(codes::NOT_TO_PASS, message).at(loc.span).hint(hint));
    }

    /// Registers: there are some on each page, and they may be passed.
    fn registers(&self, loc: &PassLoc, host: Range, node: Option<&str>, desk: &mut Desk) {
        let Some(hardware) = &self.hardware else {
            let message = format!("what board `{}` has at {host} is not known", self.board.name);
            let error = Diagnostic::error(codes::NOT_ON_BOARD, message).at(loc.span);
            let hint = "name its device tree in board.toml, `tree = \"FILE.dtb\"`, or its `[[devices]]`";
            return desk.diagnostics.push(error.hint(hint));
        };
        let devices: Vec<&Device> = hardware.at(host).collect();
        if let Some((device, why)) = devices.iter().find_map(|device| Some((device, device.own.as_ref()?))) {
            let message = format!("{} is Ostler's own: {why}", device.path);
            let error = Diagnostic::error(codes::NOT_TO_PASS, message).at(loc.span);
            return desk.diagnostics.push(error.hint("guests have a virtual one: `vdev`"));
        }
        if let Some(hole) = first_hole(host, &devices) {
            let message = format!("the board has nothing at {hole:#x}");
            let error = Diagnostic::error(codes::NOT_ON_BOARD, message).at(loc.span);
            let near = devices.first().map(|device| format!("{} is in this range", device.path));
            let hint = near.unwrap_or_else(|| match self.board.architecture {
                Architecture::Aarch64 => "boards/NAME/*.dtb says what it has: `dtc -O dts` shows it".into(),
                Architecture::X86_64 => self.page_says(),
            });
            return desk.diagnostics.push(error.hint(hint));
        }
        self.dma(loc, &devices, desk);
        let others = devices.iter().filter(|device| match node {
            Some(node) => device.path != node,
            None => devices.iter().any(|other| other.path != device.path && share_a_page(device, other, host)),
        });
        let others: Vec<&str> = others.map(|device| device.path.as_str()).collect();
        if !others.is_empty() {
            let message = format!("the same pages of 4 KiB have {}", others.join(", "));
            let warning = Diagnostic::warning(codes::SHARED_PAGE, message).at(loc.span);
            desk.diagnostics.push(warning.hint("the guest reaches them all, and no other VM can have one of them"));
        }
    }

    /// Where it is written what a board without a tree has.
    pub(super) fn page_says(&self) -> String {
        format!("boards/{}/board.toml says what it has: `[[devices]]`", self.board.name)
    }

    /// A device that does DMA is passed only to who says that they know.
    pub(super) fn dma(&self, loc: &PassLoc, devices: &[&Device], desk: &mut Desk) {
        let masters = devices.iter().filter_map(|device| Some((device.path.as_str(), device.dma.as_ref()?)));
        let masters: Vec<_> = masters.collect();
        let Some((path, why)) = masters.first() else { return };
        let attributes = loc.attributes.map_or(OF_A_NODE, |attributes| attributes.value);
        let span = loc.attributes.map_or(loc.span, |attributes| attributes.span);
        let does = match masters.len() {
            1 => format!("{path} does DMA: {why}"),
            more => format!("{path} and {} others here do DMA: {why}", more - 1),
        };
        desk.diagnostics.push(if attributes.no_dma {
            let hint = "leave the `n` out: if the tree is right, nothing would keep it from other VMs' memory";
            Diagnostic::error(codes::PASSED_DMA, format!("{does}, and `n` says that there is none")).at(span).hint(hint)
        } else if attributes.dma {
            let message = format!("{does}, and nothing holds that to this VM's memory");
            let hint =
                "without an IOMMU a guest that has it can read and write all memory, Ostler's and other VMs' too";
            Diagnostic::warning(codes::PASSED_DMA, message).at(span).hint(hint)
        } else {
            let hint = "without an IOMMU it could reach all memory: who accepts that knowingly adds the attribute `d`";
            Diagnostic::error(codes::PASSED_DMA, does).at(span).hint(hint)
        });
    }

    /// What is passed has no other owner, in this VM or another one.
    fn only_owner(&mut self, loc: &PassLoc, host: Range, desk: &mut Desk) {
        match self.ranges.iter().find(|(other, _)| other.overlaps(host)) {
            Some((other, first)) => {
                let message = format!("{host} of the board is passed twice");
                let error = Diagnostic::error(codes::PASSED_TWICE, message).at(loc.span);
                let label = format!("{other}, first claimed here");
                desk.diagnostics
                    .push(error.label(*first, label).hint("what is passed has one owner: leave one of them out"));
            }
            None => self.ranges.push((host, loc.span)),
        }
    }
}

/// What second-stage tables and the kind of memory allow.
fn check_attributes(loc: &PassLoc, attributes: Attributes, region: bool, desk: &mut Desk) {
    let span = loc.attributes.map_or(loc.span, |attributes| attributes.span);
    let mut refuse = |message: &str, hint: &str| {
        desk.diagnostics.push(Diagnostic::error(codes::PASS_ATTRIBUTES, message).at(span).hint(hint));
    };
    if !attributes.read {
        refuse("a page that cannot be read cannot be passed", "add the attribute `r`");
    }
    if attributes.memory && !region {
        refuse(
            "registers cannot be a guest's ordinary memory",
            "leave the `m` out: it is for regions of the board's RAM",
        );
    }
    if attributes.execute && !attributes.cached && !region {
        refuse(
            "instructions cannot be fetched from registers",
            "leave the `x` out, or add `c` if there is memory behind them",
        );
    }
    if attributes.dma && attributes.no_dma {
        refuse("`d` and `n` contradict each other", "leave one of them out");
    }
}

/// The whole pages around `range`.
pub(super) fn pages(range: Range) -> Option<Range> {
    let end = range.end.checked_next_multiple_of(PAGE_BYTES)?;
    Some(Range { start: range.start - range.start % PAGE_BYTES, end })
}

/// The first page of `host` on which none of `devices` has registers.
fn first_hole(host: Range, devices: &[&Device]) -> Option<u64> {
    let mut at = host.start;
    while at < host.end {
        let registers = devices.iter().flat_map(|device| &device.registers).filter_map(|range| pages(*range));
        let covers = registers.filter(|range| range.start <= at && at < range.end);
        at = match covers.map(|range| range.end).max() {
            Some(end) => end,
            None => return Some(at),
        };
    }
    None
}

/// Whether two devices have registers on one page of `host`.
fn share_a_page(one: &Device, other: &Device, host: Range) -> bool {
    let inside = |device: &Device| {
        let ranges = device.registers.iter().filter_map(|range| pages(*range));
        ranges.filter(|range| range.overlaps(host)).collect::<Vec<_>>()
    };
    let others = inside(other);
    inside(one).iter().any(|range| others.iter().any(|other| other.overlaps(*range)))
}

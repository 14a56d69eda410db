//! Nodes of the board's device tree in a guest's: `pass loc dt:/PATH`.
//!
//! | property | in the guest's tree |
//! |---|---|
//! | `reg` | the same registers at the guest's addresses |
//! | `interrupts` of the GIC | the guest's lines; `interrupt-parent` is the guest's GIC, as for all nodes |
//! | `phandle` | a new one, that no other node of the guest's has |
//! | `clocks` | clocks that always run (`fixed-clock`) come along, or a clock of the guest's that is the same serves |
//! | any other that refers to a node | works if that node is passed too, else an error that names it |
//!
//! What refers is known by the property's name: a phandle looks like any number.

use std::collections::{HashMap, HashSet};

use model::{PAGE_BYTES, Trigger};

use super::super::claims::Range;
use super::super::hardware::{Device, Hardware, cell};
use super::super::tree::{self, Node, Reference, Tree, cells, phandle_of as phandle, wide};
use super::{Desk, Passed, Passing, interrupts, ranges};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::language;
use crate::spec::{PassIntr, PassLoc, Span};

/// A node that goes into the guest's tree.
#[derive(Debug)]
pub(super) struct TakenNode {
    path: String,
    /// Guest-physical, in the order of its `reg`.
    registers: Vec<Range>,
    /// The guest's lines, in the order of its `interrupts`.
    lines: Vec<(u32, Trigger)>,
    span: Span,
}

/// Where new phandles begin: above all that compilers of trees give.
const FIRST_PHANDLE: u32 = 0x0100_0000;

impl Passing<'_> {
    /// Passes the registers and interrupts of a node, to be at `gpa` if that is given, and takes the node. The board's interrupts that
    /// it has are added to `of_nodes`; `intrs` may choose their lines.
    pub(super) fn node(
        &mut self,
        loc: &PassLoc,
        (path, gpa): (&str, Option<u64>),
        intrs: &[PassIntr],
        of_nodes: &mut Vec<u32>,
        passed: &mut Passed,
        desk: &mut Desk,
    ) {
        let Some(hardware) = self.hardware.as_ref().filter(|hardware| hardware.node(path).is_some()) else {
            let message = format!("the device tree of board `{}` has no node `{path}`", self.board.name);
            let error = Diagnostic::error(codes::NOT_ON_BOARD, message).at(loc.span);
            let paths = self.hardware.iter().flat_map(|hardware| &hardware.devices).map(|device| device.path.as_str());
            let hint = match language::nearest(path, paths) {
                Some(nearest) => format!("did you mean `dt:{nearest}`?"),
                None => "write the whole path, for example `dt:/pl031@9010000`".to_owned(),
            };
            return desk.diagnostics.push(error.hint(hint));
        };
        let device = hardware.device(path);
        if let Some(why) = device.and_then(|device| device.own.as_ref()) {
            let message = format!("{path} is Ostler's own: {why}");
            return desk.diagnostics.push(Diagnostic::error(codes::NOT_TO_PASS, message).at(loc.span));
        }
        let (registers, lines) = device.map_or_else(Default::default, |d| (d.registers.clone(), d.interrupts.clone()));
        let below = format!("{path}/");
        let is_device = |device: &&Device| !device.registers.is_empty() || !device.interrupts.is_empty();
        let mut others = hardware.devices.iter().filter(|device| device.path.starts_with(&below));
        if let Some(other) = others.find(is_device) {
            let message = format!("`{path}` is a bus: there are devices below it");
            let error = Diagnostic::error(codes::PASSED_NODE, message).at(loc.span);
            return desk
                .diagnostics
                .push(error.hint(format!("pass what is wanted of it, for example `dt:{}`", other.path)));
        }
        let mut taken = TakenNode { path: path.to_owned(), registers: Vec::new(), lines: Vec::new(), span: loc.span };
        let first = registers.first().map_or(0, |first| first.start - first.start % PAGE_BYTES);
        let mut good = true;
        for range in registers {
            let Some(pages) = ranges::pages(range) else { continue };
            let moved = gpa.map_or(Some(pages.start), |gpa| gpa.checked_add(pages.start.checked_sub(first)?));
            let at = moved.and_then(|at| Range::new(at.checked_add(range.start - pages.start)?, range.size()));
            let (Some(moved), Some(at)) = (moved, at) else {
                let message =
                    format!("the registers of {path} cannot be there: they would be beyond the address space");
                return desk.diagnostics.push(Diagnostic::error(codes::BAD_RANGE, message).at(loc.span));
            };
            good &= self.range(loc, (moved, pages), Some(path), passed, desk);
            taken.registers.push(at);
        }
        // One complaint is enough: whose registers cannot be passed, its interrupts cannot either.
        for host in lines.into_iter().filter(|_| good) {
            of_nodes.push(host.intid);
            let chosen = intrs.iter().find(|intr| interrupts::host(intr, desk.hostvector) == host.intid);
            let (line, span) = chosen.map_or((host.intid, loc.span), |intr| (intr.line.value, intr.span));
            let unmasked = chosen.and_then(|intr| intr.unmasked);
            taken.lines.extend(
                self.interrupt((host.intid, line), span, unmasked, passed, desk).map(|trigger| (line, trigger)),
            );
        }
        passed.nodes.push(taken);
    }

    /// Puts the nodes that `passed` has taken into the guest's tree. `used` are phandles that other trees of the guest have. False
    /// if one cannot be there, which is reported.
    pub(in super::super) fn graft(
        &self,
        tree: &mut Tree,
        passed: &Passed,
        mut used: HashSet<u32>,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        let Some(hardware) = &self.hardware else { return true };
        tree.root.walk(&mut |node| used.extend(phandle(node)));
        let mut new = (FIRST_PHANDLE..).filter(|phandle| !used.contains(phandle));
        let mut graft = Graft { hardware, guest: &mut tree.root, phandles: HashMap::new() };
        for taken in &passed.nodes {
            let Some(node) = hardware.node(&taken.path) else { continue };
            node.walk(&mut |node| graft.phandles.extend(phandle(node).and_then(|old| Some((old, new.next()?)))));
        }
        let mut good = true;
        for taken in &passed.nodes {
            if let Err(Refusal { message, hint }) = graft.take(taken, &mut new) {
                diagnostics.push(Diagnostic::error(codes::PASSED_NODE, message).at(taken.span).hint(hint));
                good = false;
            }
        }
        good
    }
}

/// Why a node cannot be in the guest's tree, and what to do about it.
struct Refusal {
    message: String,
    hint: &'static str,
}

struct Graft<'a> {
    hardware: &'a Hardware,
    guest: &'a mut Node,
    /// From the board's to the guest's, of all that comes along.
    phandles: HashMap<u32, u32>,
}

impl Graft<'_> {
    fn take(&mut self, taken: &TakenNode, new: &mut impl Iterator<Item = u32>) -> Result<(), Refusal> {
        let Some(mut node) = self.hardware.node(&taken.path).cloned() else { return Ok(()) };
        if let Some(first) = taken.registers.first() {
            let base = node.name.split('@').next().unwrap_or_default();
            node.name = format!("{base}@{:x}", first.start);
            let reg: Vec<u64> = taken.registers.iter().flat_map(|range| [range.start, range.size()]).collect();
            node.set("reg", wide(&reg));
        }
        if !taken.lines.is_empty() {
            let lines = taken.lines.iter().flat_map(|&(line, trigger)| [0, line.saturating_sub(32), flags(trigger)]);
            node.set("interrupts", cells(&lines.collect::<Vec<_>>()));
            node.properties.retain(|(name, _)| name != "interrupt-parent" && name != "interrupts-extended");
        }
        if self.guest.children.iter().any(|other| other.name == node.name) {
            let message = format!("the guest's tree has a node `{}` already", node.name);
            let hint = "leave out the vdev that makes it, or give the passed one another address: `dt:/PATH=GPA`";
            return Err(Refusal { message, hint });
        }
        self.renumber(&mut node, &taken.path, new)?;
        self.guest.children.push(node);
        Ok(())
    }

    /// Gives `node` and all below it phandles of the guest's.
    fn renumber(&mut self, node: &mut Node, path: &str, new: &mut impl Iterator<Item = u32>) -> Result<(), Refusal> {
        node.properties.retain(|(name, _)| name != "linux,phandle");
        for (name, value) in &mut node.properties {
            if name == "phandle" {
                let own = cell(value, 0).and_then(|own| self.phandles.get(&own));
                *value = own.map_or_else(|| value.clone(), |own| cells(&[*own]));
            }
            let count = match tree::reference(name) {
                None => continue,
                Some(Reference::List) => "",
                Some(Reference::WithArguments(count)) => count,
                Some(Reference::Map) => {
                    let message = format!("`{path}` cannot be passed: it is a bridge, by its `{name}`");
                    let hint = "pass registers and interrupts (`mem:`, `intr`), and describe the device by `fdt load`";
                    return Err(Refusal { message, hint });
                }
            };
            self.redirect(value, count, new).map_err(|other| {
                    let message = format!("`{path}` cannot come alone: its `{name}` refers to {other}");
                    let hint = "pass that too, if it can be; or pass registers and interrupts (`mem:`, `intr`), and describe \
                                the device by `fdt load`";
                    Refusal { message, hint }
                })?;
        }
        for child in &mut node.children {
            let path = format!("{path}/{}", child.name);
            self.renumber(child, &path, new)?;
        }
        Ok(())
    }

    /// Makes the references in `value` the guest's. The error names one that does not come along.
    fn redirect(&mut self, value: &mut [u8], count: &str, new: &mut impl Iterator<Item = u32>) -> Result<(), String> {
        let (all, _) = value.as_chunks_mut::<4>();
        let mut at = 0;
        while let Some(reference) = all.get_mut(at) {
            let old = u32::from_be_bytes(*reference);
            let Some(other) = self.hardware.by_phandle(old) else { return Err(format!("phandle {old:#x}")) };
            let known = self.phandles.get(&old).copied().or_else(|| self.clock(other, old, new));
            *reference = known.ok_or_else(|| format!("`{}`, which is not passed", other.name))?.to_be_bytes();
            let more = other.get(count).and_then(|count| cell(count, 0)).unwrap_or(0);
            at = at.saturating_add(1).saturating_add(more as usize);
        }
        Ok(())
    }

    /// The guest's phandle of a clock that always runs, which comes along unless the guest has the same.
    fn clock(&mut self, clock: &Node, old: u32, new: &mut impl Iterator<Item = u32>) -> Option<u32> {
        if !clock.get("compatible")?.starts_with(b"fixed-clock\0") {
            return None;
        }
        let facts = |node: &Node| {
            ["compatible", "clock-frequency", "#clock-cells"].map(|name| node.get(name).map(<[u8]>::to_vec))
        };
        let same = self.guest.children.iter().find(|node| facts(node) == facts(clock));
        if let Some(own) = same.and_then(phandle) {
            self.phandles.insert(old, own);
            return Some(own);
        }
        let own = new.next()?;
        let mut copy = clock.clone();
        if self.guest.children.iter().any(|other| other.name == copy.name) {
            copy.name = format!("{}-of-board", copy.name);
        }
        copy.set("phandle", cells(&[own]));
        self.guest.children.push(copy);
        self.phandles.insert(old, own);
        Some(own)
    }
}

/// The flags of the GIC's bindings: rising edge, or high level.
fn flags(trigger: Trigger) -> u32 {
    match trigger {
        Trigger::Edge => 1,
        Trigger::Level => 4,
    }
}

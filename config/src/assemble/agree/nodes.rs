//! Nodes of a user's tree: what they describe is in the VM, where they say.

use model::{Access, affinity};

use super::World;
use super::interrupts;
use crate::assemble::Vdev;
use crate::assemble::claims::Range;
use crate::assemble::tree::{Cells, Merged, Node, bad_reg, node_name, rows};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// What is wrong with nodes that users' trees say something about, each with the index of the tree.
pub(in crate::assemble) fn check(merged: &Merged, world: &World) -> Vec<(Option<usize>, Diagnostic)> {
    let mut check = Check { merged, world, found: Vec::new() };
    let everywhere = Some(vec![Window { child: 0, parent: 0, size: u64::MAX }]);
    check.below(&merged.tree.root, "", &everywhere);
    world.vdevs.iter().for_each(|vdev| check.vdev(vdev));
    check.found
}

/// Addresses of a bus that are addresses of the CPUs.
#[derive(Clone, Copy)]
struct Window {
    child: u64,
    parent: u64,
    size: u64,
}

struct Check<'a> {
    merged: &'a Merged,
    world: &'a World<'a>,
    found: Vec<(Option<usize>, Diagnostic)>,
}

impl Check<'_> {
    fn say(&mut self, path: &str, diagnostic: Diagnostic) {
        self.found.push((self.merged.touched.get(path).copied(), diagnostic));
    }

    /// Looks at all nodes below `node`, whose bus is seen through `windows`; `None`: the CPUs do not see it.
    fn below(&mut self, node: &Node, path: &str, windows: &Option<Vec<Window>>) {
        let cells = Cells::of(node, Cells::DEFAULT);
        for child in node.children.iter().filter(|child| child.enabled()) {
            let at = format!("{path}/{}", child.name);
            // What is reserved is looked at where it is kept free.
            if at == "/reserved-memory" {
                continue;
            }
            let touched = self.merged.touched.contains_key(&at);
            if path == "/cpus" && touched {
                self.cpu(child, &at, cells);
            }
            let mut ranges = Vec::new();
            if let (Some(windows), Some(reg)) = (windows, child.get("reg")) {
                match rows(reg, &[cells.address, cells.size]) {
                    Some(rows) => ranges.extend(rows.iter().filter_map(|row| on_bus(row[0], row[1], windows))),
                    None if touched => self.say(&at, bad_reg(&at, cells)),
                    None => {}
                }
            }
            if touched {
                self.device(child, &at, &ranges);
            }
            let inside = windows.as_ref().and_then(|windows| inner(child, cells, windows));
            self.below(child, &at, &inside);
        }
    }

    /// A node that is not disabled, with registers (or memory) at `ranges`.
    fn device(&mut self, node: &Node, path: &str, ranges: &[Range]) {
        let world = self.world;
        let own = world.vdevs.iter().find(|vdev| path == format!("/{}", node_name(vdev)));
        let is_memory = node.text("device_type") == Some("memory");
        // A vdev's own node is looked at with its vdev.
        for &range in ranges.iter().filter(|_| own.is_none()) {
            if is_memory && !is_ram(range, world) || !world.claims.cover(range) {
                let what = if is_memory { "RAM" } else { "registers" };
                let message = format!("node `{path}` describes {what} ({range}), and the VM has none there");
                let hint = format!(
                    "{}; `status = \"disabled\"` tells the guest to leave a node alone",
                    world.nearest(range.start)
                );
                self.say(path, Diagnostic::error(codes::NODE_OF_NOTHING, message).hint(hint));
            }
        }
        let beside = ranges.first().and_then(|range| world.vdev_at(range.start)).filter(|_| own.is_none());
        if let Some(vdev) = beside {
            let name = node_name(vdev);
            if self.merged.tree.root.at(&format!("/{name}")).is_some_and(Node::enabled) {
                let message = format!("nodes `{path}` and `/{name}` both describe vdev `{}`", vdev.name);
                let hint =
                    format!("call the node `/{name}`, or let it stand for the vdev by `qvm,vdev = \"{}\"`", vdev.name);
                self.say(path, Diagnostic::warning(codes::NODE_TWICE, message).hint(hint));
            }
        }
        for problem in interrupts::check(node, path, own.or(beside), self.merged, world) {
            self.say(path, problem);
        }
    }

    /// A vdev and the node that was generated for it.
    fn vdev(&mut self, vdev: &Vdev) {
        let path = format!("/{}", node_name(vdev));
        let (Some(node), true) = (self.merged.tree.root.at(&path), self.merged.touched.contains_key(&path)) else {
            return;
        };
        let here = self.world.claims.at(vdev.address()).and_then(|claim| claim.span);
        let labelled = |diagnostic: Diagnostic| here.into_iter().fold(diagnostic, |d, span| d.label(span, "this vdev"));
        if !node.enabled() {
            let note =
                format!("vdev `{}` is there, but the guest is told to leave it alone: `{path}` is disabled", vdev.name);
            return self.say(&path, labelled(Diagnostic::note(codes::NODE_DIFFERS, note)));
        }
        let cells = Cells::of(&self.merged.tree.root, Cells::DEFAULT);
        let reg = node.get("reg").and_then(|reg| rows(reg, &[cells.address, cells.size])).unwrap_or_default();
        let said = reg.first().map(|row| row[0]);
        if said != Some(vdev.address().into()) {
            let said = said.map_or("nowhere".to_owned(), |at| format!("at {at:#x}"));
            let message = format!(
                "node `{path}` says that its registers are {said}, and vdev `{}` is at {:#x}",
                vdev.name,
                vdev.address()
            );
            let error = Diagnostic::error(codes::NODE_DIFFERS, message);
            self.say(&path, labelled(error.hint("move the vdev by its `loc`: its node follows")));
        }
    }

    /// A node in `/cpus`.
    fn cpu(&mut self, node: &Node, path: &str, cells: Cells) {
        let affinities =
            node.get("reg").filter(|_| node.name.starts_with("cpu@")).and_then(|reg| rows(reg, &[cells.address]));
        let vcpus = self.world.vcpus;
        let exists = |row: &Vec<u128>| (0..vcpus).any(|vcpu| u128::from(affinity(vcpu)) == row[0]);
        if !affinities.into_iter().flatten().all(|row| exists(&row)) {
            let message = format!("node `{path}` describes a CPU that the VM does not have: it has {vcpus}");
            let error = Diagnostic::error(codes::NODE_OF_NOTHING, message);
            self.say(path, error.hint("each `cpu` in the qvm file is one more, with a node of its own"));
        }
    }
}

fn is_ram(range: Range, world: &World) -> bool {
    let ram = world.memory.iter().filter(|memory| memory.access == Access::ReadWrite);
    ram.filter_map(|memory| Range::new(memory.gpa.0, memory.size_bytes)).any(|ram| ram.contains(range))
}

/// A range of a bus as the CPUs see it; a length of 0 is taken for one byte. `None` if they do not see it.
fn on_bus(start: u128, size: u128, windows: &[Window]) -> Option<Range> {
    let (start, size) = (u64::try_from(start).ok()?, u64::try_from(size).ok()?.max(1));
    let inside = |window: &&Window| start.checked_sub(window.child).is_some_and(|offset| offset <= window.size);
    let window = windows.iter().find(inside)?;
    Range::new((start - window.child).checked_add(window.parent)?, size)
}

/// The windows of the bus that `node` is, which is on a bus with `cells` that is seen through `windows` (2.3.8).
fn inner(node: &Node, cells: Cells, windows: &[Window]) -> Option<Vec<Window>> {
    let ranges = node.get("ranges")?;
    if ranges.is_empty() {
        return Some(windows.to_vec());
    }
    let own = Cells::of(node, Cells::DEFAULT);
    let window = |row: Vec<u128>| {
        let parent = on_bus(row[1], 1, windows)?.start;
        let (child, size) = (u64::try_from(row[0]).ok()?, u64::try_from(row[2]).ok()?);
        Some(Window { child, parent, size: size.saturating_sub(1) })
    };
    let rows = rows(ranges, &[own.address, cells.address, own.size])?;
    Some(rows.into_iter().filter_map(window).collect())
}

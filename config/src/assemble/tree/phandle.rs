//! Phandles: the numbers by which properties refer to nodes, unique in a tree (Devicetree Specification 0.4, 2.3.3).
//!
//! A user's tree brings numbers of its own. Those that are in use already, and those of nodes that have a number already, are
//! changed, and so is every place that holds one: an overlay lists those places (`__local_fixups__`); in a plain tree they are
//! the properties whose bindings say so.

use std::collections::{BTreeMap, BTreeSet};

use super::super::tree::Tree;
use super::{Node, cells};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// What each number of a tree becomes.
pub(super) type Renumbering = BTreeMap<u32, u32>;

/// Properties that are lists of phandles, and of phandles only.
const LISTS: &[&str] = &[
    "interrupt-parent",
    "memory-region",
    "interrupt-affinity",
    "next-level-cache",
    "cpu-idle-states",
    "cpu",
    "cpus",
    "operating-points-v2",
    "remote-endpoint",
    "phy-handle",
    "nvmem-cells",
    "assigned-clock-parents",
];
/// Properties that are lists of phandles with arguments, and what tells the number of these. As an ending, a name begins with `-`.
const WITH_ARGUMENTS: &[(&str, &str)] = &[
    ("clocks", "#clock-cells"),
    ("assigned-clocks", "#clock-cells"),
    ("interrupts-extended", "#interrupt-cells"),
    ("gpios", "#gpio-cells"),
    ("gpio", "#gpio-cells"),
    ("-gpios", "#gpio-cells"),
    ("-gpio", "#gpio-cells"),
    ("dmas", "#dma-cells"),
    ("resets", "#reset-cells"),
    ("phys", "#phy-cells"),
    ("power-domains", "#power-domain-cells"),
    ("pwms", "#pwm-cells"),
    ("iommus", "#iommu-cells"),
    ("mboxes", "#mbox-cells"),
    ("msi-parent", "#msi-cells"),
    ("io-channels", "#io-channel-cells"),
    ("thermal-sensors", "#thermal-sensor-cells"),
    ("sound-dai", "#sound-dai-cells"),
];
/// Properties with phandles at places that take more than one node to find.
const MAPS: &[&str] = &["interrupt-map", "msi-map", "iommu-map", "gpio-map"];

/// The phandle of `node`.
pub(in super::super) fn of(node: &Node) -> Option<u32> {
    node.cell("phandle").or(node.cell("linux,phandle")).filter(|&phandle| phandle != 0 && phandle != u32::MAX)
}

/// How a property refers to nodes, as far as its name tells.
pub(in super::super) enum Reference {
    /// A list of phandles.
    List,
    /// Each followed by as many cells as this property of its node says.
    WithArguments(&'static str),
    /// Phandles in between.
    Map,
}

/// How property `name` refers to nodes, if it does.
pub(in super::super) fn reference(name: &str) -> Option<Reference> {
    if MAPS.contains(&name) {
        Some(Reference::Map)
    } else if LISTS.contains(&name) || name.ends_with("-supply") || is_pin_setting(name) {
        Some(Reference::List)
    } else {
        cells_property(name).map(Reference::WithArguments)
    }
}

/// All phandles of a tree.
pub(super) fn used(root: &Node) -> BTreeSet<u32> {
    let mut used = BTreeSet::new();
    root.walk(&mut |node| used.extend(of(node)));
    used
}

/// A phandle that is in none of `used`.
pub(super) fn free(used: &[&BTreeSet<u32>]) -> u32 {
    (1..u32::MAX).find(|phandle| used.iter().all(|used| !used.contains(phandle))).unwrap_or(u32::MAX)
}

/// Phandles that none of `trees` uses, as many as [`super::Facts`] takes. So a plain tree keeps its own, mostly.
pub(in super::super) fn free_phandles<'a>(trees: impl Iterator<Item = &'a Tree>) -> [u32; 4] {
    let mut used: BTreeSet<u32> = trees.flat_map(|tree| self::used(&tree.root)).collect();
    [(); 4].map(|()| {
        let phandle = free(&[&used]);
        used.insert(phandle);
        phandle
    })
}

/// Changes numbers where nodes have them.
pub(super) fn renumber_owners(node: &mut Node, renumbering: &Renumbering) {
    for (name, value) in &mut node.properties {
        if matches!(name.as_str(), "phandle" | "linux,phandle") {
            exchange(value, 0, renumbering);
        }
    }
    node.children.iter_mut().for_each(|child| renumber_owners(child, renumbering));
}

/// Changes numbers at the places that `fixups`, the node `__local_fixups__` or one below it, lists for `node`.
pub(super) fn renumber_listed(
    node: &mut Node,
    fixups: &Node,
    renumbering: &Renumbering,
    path: &str,
    problems: &mut Vec<Diagnostic>,
) {
    for (name, offsets) in &fixups.properties {
        let value = node.properties.iter_mut().find(|(other, _)| other == name).map(|(_, value)| value);
        let offsets = super::cells::rows(offsets, &[1]).zip(value);
        let good = offsets.is_some_and(|(offsets, value)| {
            offsets
                .iter()
                .flatten()
                .all(|&offset| usize::try_from(offset).is_ok_and(|offset| exchange(value, offset, renumbering)))
        });
        if !good {
            let message = format!("`__local_fixups__` names a place that is not there: `{path}/{name}`");
            problems.push(Diagnostic::error(codes::BAD_TREE, message));
        }
    }
    for below in &fixups.children {
        let path = format!("{path}/{}", below.name);
        match node.children.iter_mut().find(|child| child.name == below.name) {
            Some(child) => renumber_listed(child, below, renumbering, &path, problems),
            None => {
                let message = format!("`__local_fixups__` names a node that is not there: `{path}`");
                problems.push(Diagnostic::error(codes::BAD_TREE, message));
            }
        }
    }
}

/// Changes numbers in the properties that are known to hold some. `arguments` are the `#…-cells` of the tree's nodes, from [`arguments`].
pub(super) fn renumber_known(
    node: &mut Node,
    arguments: &Arguments,
    renumbering: &Renumbering,
    path: &str,
    problems: &mut Vec<Diagnostic>,
) {
    for (name, value) in &mut node.properties {
        let good = match reference(name) {
            Some(Reference::Map) => false,
            Some(Reference::List) => {
                value.len().is_multiple_of(4) && {
                    (0..value.len()).step_by(4).for_each(|offset| _ = exchange(value, offset, renumbering));
                    true
                }
            }
            Some(Reference::WithArguments(cells)) => renumber_with_arguments(value, cells, arguments, renumbering),
            None => true,
        };
        if !good {
            let message = format!(
                "phandles of this tree are in use already, and those in property `{name}` of node `{}` cannot be changed",
                if path.is_empty() { "/" } else { path }
            );
            let hint = "make the tree an overlay (`/plugin/;`): that lists where its phandles are";
            problems.push(Diagnostic::error(codes::TREE_PHANDLE, message).hint(hint));
        }
    }
    for child in &mut node.children {
        let path = format!("{path}/{}", child.name);
        renumber_known(child, arguments, renumbering, &path, problems);
    }
}

/// Properties `#…-cells` by phandle.
pub(super) type Arguments = BTreeMap<(u32, String), u32>;

/// How many arguments each node of a tree takes.
pub(super) fn arguments(root: &Node) -> Arguments {
    let mut arguments = Arguments::new();
    root.walk(&mut |node| {
        let Some(phandle) = of(node) else { return };
        let counts = node.properties.iter().filter(|(name, _)| name.starts_with('#'));
        arguments.extend(counts.filter_map(|(name, _)| Some(((phandle, name.clone()), node.cell(name)?))));
    });
    arguments
}

fn cells_property(name: &str) -> Option<&'static str> {
    let is = |known: &str| name == known || known.starts_with('-') && name.ends_with(known);
    WITH_ARGUMENTS.iter().find(|(known, _)| is(known)).map(|&(_, cells)| cells)
}

fn is_pin_setting(name: &str) -> bool {
    name.strip_prefix("pinctrl-").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn renumber_with_arguments(value: &mut [u8], cells: &str, arguments: &Arguments, renumbering: &Renumbering) -> bool {
    let mut offset = 0;
    while offset < value.len() {
        let Some(phandle) = cell_at(value, offset) else { return false };
        // 0 stands for an entry that is left out.
        let count = match arguments.get(&(phandle, cells.to_owned())) {
            Some(&count) => count,
            None if phandle == 0 || cells == "#msi-cells" => 0,
            None => return false,
        };
        exchange(value, offset, renumbering);
        offset = offset.saturating_add(4).saturating_add((count as usize).saturating_mul(4));
    }
    offset == value.len()
}

/// Changes the number at `offset`; `false` if there is none.
fn exchange(value: &mut [u8], offset: usize, renumbering: &Renumbering) -> bool {
    let Some(phandle) = cell_at(value, offset) else { return false };
    if let Some(new) = renumbering.get(&phandle) {
        value[offset..offset + 4].copy_from_slice(&cells(&[*new]));
    }
    true
}

fn cell_at(value: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*value.get(offset..)?.first_chunk()?))
}

//! Device trees as values: nodes that are generated, read from a file, merged, and written.
//!
//! The format is that of the Devicetree Specification 0.4, chapter 5.

mod cells;
mod dts;
mod fixups;
mod generate;
mod labels;
mod lay;
mod merge;
mod path;
mod phandle;
#[cfg(any(test, feature = "fuzzing"))]
mod promises;
mod read;
mod reserved;
#[cfg(test)]
pub(super) mod tests;

pub(super) use cells::{Cells, rows};
pub use dts::device_tree_source;
pub(super) use generate::{Facts, generate, node_name, tell_initrd};
pub(super) use labels::Names;
pub(super) use merge::Merged;
pub(super) use path::parent;
pub(super) use phandle::{Reference, free_phandles, of as phandle_of, reference};
#[cfg(feature = "fuzzing")]
pub use promises::trees_keep_promises;
pub(super) use read::read;
pub(super) use reserved::{bad_reg, reserved};

use model::Seed;
use vm_fdt::{FdtReserveEntry, FdtWriter};

/// A node: its properties in order and its children in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// Name with unit address; empty for the root.
    pub(super) name: String,
    pub(super) properties: Vec<(String, Vec<u8>)>,
    pub(super) children: Vec<Node>,
}

/// A whole tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) root: Node,
    /// The memory reservation block: address and size.
    pub(super) reservations: Vec<(u64, u64)>,
}

impl Node {
    pub(super) fn new(name: impl Into<String>) -> Node {
        Node { name: name.into(), ..Node::default() }
    }

    /// Sets a property, in place of one of the same name.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) -> &mut Node {
        let value = value.into();
        match self.properties.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value,
            None => self.properties.push((name.to_owned(), value)),
        }
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.properties.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_slice())
    }

    /// The child of that name, which is made unless there is one.
    pub(super) fn child(&mut self, name: &str) -> &mut Node {
        let index = self.children.iter().position(|child| child.name == name).unwrap_or_else(|| {
            self.children.push(Node::new(name));
            self.children.len() - 1
        });
        &mut self.children[index]
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        self.properties.iter_mut().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The value of a property that is one cell.
    pub(super) fn cell(&self, name: &str) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(name)?.try_into().ok()?))
    }

    /// The first string of a property.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        text_of(self.get(name)?)
    }

    /// Whether a guest uses it: `status` says nothing, or that all is well (2.3.4).
    pub(super) fn enabled(&self) -> bool {
        self.get("status").is_none_or(|_| matches!(self.text("status"), Some("okay" | "ok")))
    }

    /// Whether `compatible` has one of `models`.
    pub(super) fn is_compatible(&self, models: &[&str]) -> bool {
        let list = self.get("compatible").unwrap_or_default();
        list.split(|&byte| byte == 0).any(|model| models.iter().any(|known| known.as_bytes() == model))
    }

    /// This node and all below it.
    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        self.children.iter().for_each(|child| child.walk(visit));
    }
}

impl Tree {
    /// The tree as a blob, and where in it the seeds are that [`generate`] planted. Seeds are zero in the blob.
    /// The error names what cannot be written.
    pub(super) fn write(&self) -> Result<(Vec<u8>, Vec<Seed>), String> {
        let reservations = self.reservations.iter().map(|&(address, size)| FdtReserveEntry::new(address, size));
        let writer = reservations.collect::<Result<Vec<_>, _>>().and_then(|list| FdtWriter::new_with_mem_reserv(&list));
        let mut writer = writer.map_err(|error| format!("memory reservations: {error}"))?;
        write_node(&self.root, &mut writer)?;
        let mut blob = writer.finish().map_err(|error| error.to_string())?;
        let mut seeds = Vec::new();
        for pattern in generate::seed_patterns() {
            // Absent if a tree of the user's replaced the property.
            if let Some(offset) = find(&blob, &pattern) {
                blob[offset..offset + pattern.len()].fill(0);
                seeds.push(Seed { offset: offset as u64, size_bytes: pattern.len() as u64 });
            }
        }
        Ok((blob, seeds))
    }
}

fn write_node(node: &Node, writer: &mut FdtWriter) -> Result<(), String> {
    let in_node = |error| format!("node `{}`: {error}", node.name);
    let open = writer.begin_node(&node.name).map_err(in_node)?;
    for (name, value) in &node.properties {
        writer.property(name, value).map_err(|error| format!("property `{name}` of node `{}`: {error}", node.name))?;
    }
    node.children.iter().try_for_each(|child| write_node(child, writer))?;
    writer.end_node(open).map_err(in_node)
}

/// Offset of `pattern`, which properties hold on a 4-byte boundary.
fn find(blob: &[u8], pattern: &[u8]) -> Option<usize> {
    (0..blob.len()).step_by(4).find(|&offset| blob[offset..].starts_with(pattern))
}

/// The first string of a property's value.
fn text_of(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value.split(|&byte| byte == 0).next()?).ok()
}

/// 32-bit cells.
pub(super) fn cells(cells: &[u32]) -> Vec<u8> {
    cells.iter().flat_map(|cell| cell.to_be_bytes()).collect()
}

/// 64-bit numbers, two cells each.
pub(super) fn wide(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Strings, each with its end.
pub(super) fn strings(strings: &[&str]) -> Vec<u8> {
    strings.iter().flat_map(|string| string.bytes().chain([0])).collect()
}

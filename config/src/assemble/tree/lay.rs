//! Lays a node of a user's over a node of the tree: what the user says wins.
//!
//! Three things stay as they are where the tree has them: `#address-cells` and `#size-cells`, because nodes below are written in
//! them (the user's addresses are converted), and phandles, because others refer to them.

use std::collections::BTreeMap;

use super::cells::{Cells, converted};
use super::{Node, path};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// What is noted down while nodes are laid.
pub(super) struct Laying<'a> {
    /// Index of the file that the user's nodes are from.
    pub(super) file: usize,
    /// Which file said something about a node last.
    pub(super) touched: &'a mut BTreeMap<String, usize>,
    pub(super) problems: &'a mut Vec<Diagnostic>,
}

/// The cells that a node's own address has, in the user's tree and in the tree below it.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) from: Cells,
    pub(super) to: Cells,
}

impl Laying<'_> {
    /// Lays `over` over `base`, which is at `path`.
    pub(super) fn lay(&mut self, base: &mut Node, over: Node, path: &str, outside: Change) {
        self.touched.insert(path.to_owned(), self.file);
        // Who says nothing of cells means those of the node below, and where there is none, what the specification does.
        let from = Cells::of(&over, Cells::of(base, Cells::DEFAULT));
        let inside = Change { from, to: Cells::of(base, from) };
        for (name, value) in over.properties {
            let stays = matches!(name.as_str(), "#address-cells" | "#size-cells" | "phandle" | "linux,phandle");
            if stays && base.get(&name).is_some() {
                continue;
            }
            match value_in(&name, value, outside, inside) {
                Ok(value) => _ = base.set(&name, value),
                Err(why) => {
                    let node = path::shown(path);
                    let message =
                        format!("`{name}` of node `{node}` cannot be written in the cells of the tree: {why}");
                    let hint = "give the nodes above it the generated tree's `#address-cells` and `#size-cells`";
                    self.problems.push(Diagnostic::error(codes::TREE_CELLS, message).hint(hint));
                }
            }
        }
        for child in over.children {
            let index = match path::child(base, &child.name) {
                Ok(Some(index)) => index,
                Ok(None) => {
                    base.children.push(new_node(base, path, &child.name));
                    base.children.len() - 1
                }
                Err(candidates) => {
                    let name = format!("{path}/{}", child.name);
                    self.problems.push(ambiguous(&name, &candidates));
                    continue;
                }
            };
            let below = &mut base.children[index];
            let path = format!("{path}/{}", below.name);
            self.lay(below, child, &path, inside);
        }
    }
}

/// A node that the tree does not have yet. Linux takes `/reserved-memory` only in the cells of the root
/// (bindings/reserved-memory/reserved-memory.yaml).
pub(super) fn new_node(parent: &Node, parent_path: &str, name: &str) -> Node {
    let mut node = Node::new(name);
    if (parent_path, name) == ("", "reserved-memory") {
        let root = Cells::of(parent, Cells::DEFAULT);
        node.set("#address-cells", root.address.to_be_bytes())
            .set("#size-cells", root.size.to_be_bytes())
            .set("ranges", []);
    }
    node
}

/// That a name could be several nodes.
pub(super) fn ambiguous(name: &str, candidates: &[String]) -> Diagnostic {
    let message = format!("`{name}` could be several nodes: {}", candidates.join(", "));
    Diagnostic::error(codes::TREE_TARGET, message).hint("write the unit address, as in `name@ADDRESS`")
}

/// A property's value in the cells of the tree below.
fn value_in(name: &str, value: Vec<u8>, outside: Change, inside: Change) -> Result<Vec<u8>, String> {
    let (from, to) = (outside.from, outside.to);
    match name {
        "reg" => converted(&value, &[from.address, from.size], &[to.address, to.size]),
        "ranges" | "dma-ranges" => {
            let columns = |inner: Cells, outer: Cells| [inner.address, outer.address, inner.size];
            converted(&value, &columns(inside.from, from), &columns(inside.to, to))
        }
        "interrupt-map" if inside.from != inside.to => Err("it has addresses at places that are not known here".into()),
        _ => Ok(value),
    }
}

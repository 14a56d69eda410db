//! Merges a user's tree over the generated one: nodes and properties are added or override.
//!
//! A plain tree is laid over the root. An overlay (`/plugin/`) is laid over the nodes that its fragments name by
//! `target-path`; the generated tree has no labels for `target` or `&label` to refer to.

use super::{Node, Tree};

/// Lays `over` over `base`. The error says what cannot be merged.
pub(in super::super) fn merge(base: &mut Tree, over: Tree) -> Result<(), String> {
    let mut stub = None;
    over.root.walk(&mut |node| stub = stub.or(node.get("qvm,vdev").map(|_| &node.name)));
    if let Some(name) = stub {
        return Err(format!("node `{name}` refers to a vdev by `qvm,vdev`, which is not built yet"));
    }
    base.reservations.extend(over.reservations);
    let is_overlay = over.root.children.iter().any(|child| child.children.iter().any(is_content));
    if !is_overlay {
        merge_node(&mut base.root, over.root);
        return Ok(());
    }
    for fragment in over.root.children {
        match fragment.name.as_str() {
            "__fixups__" => {
                let labels: Vec<_> = fragment.properties.iter().map(|(label, _)| format!("`&{label}`")).collect();
                return Err(format!(
                    "it refers to {}, but the generated tree has no labels: use `target-path`",
                    labels.join(", ")
                ));
            }
            // Names and places of the overlay's own phandles, which are not renumbered: generated ones keep off them.
            "__symbols__" | "__local_fixups__" => continue,
            _ => {}
        }
        let path = fragment.get("target-path").ok_or_else(|| format!("`{}` has no `target-path`", fragment.name))?;
        let path = String::from_utf8_lossy(path.strip_suffix(&[0]).unwrap_or(path)).into_owned();
        let target = base.root.at_path(&path).ok_or_else(|| format!("there is no node `{path}` for it to lie over"))?;
        fragment.children.into_iter().filter(is_content).for_each(|content| merge_node(target, content));
    }
    Ok(())
}

fn is_content(node: &Node) -> bool {
    node.name == "__overlay__"
}

fn merge_node(base: &mut Node, over: Node) {
    for (name, value) in over.properties {
        base.set(&name, value);
    }
    for child in over.children {
        merge_node(base.child(&child.name), child);
    }
}

/// Phandles that none of `trees` uses, as many as [`super::Facts`] takes.
pub(in super::super) fn free_phandles<'a>(trees: impl Iterator<Item = &'a Tree>) -> [u32; 4] {
    let mut used = std::collections::HashSet::new();
    for tree in trees {
        tree.root.walk(&mut |node| used.extend(node.get("phandle").or(node.get("linux,phandle"))));
    }
    let mut free = (1_u32..).filter(|phandle| !used.contains(phandle.to_be_bytes().as_slice()));
    [(); 4].map(|()| free.next().expect("a tree has fewer nodes than there are phandles"))
}

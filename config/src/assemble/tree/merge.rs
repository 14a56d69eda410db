//! Merges users' trees, in their order, into the generated one.
//!
//! A plain tree is laid over the root. An overlay (`/plugin/`) is laid over the nodes that its fragments name. Either may have
//! stubs, `qvm,vdev = "NAME"`: such a node stands for the node of a vdev. Phandles that clash are changed before.
//! docs/qvm.md has the rules for users.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cells;
use super::fixups::{self, Fixup};
use super::labels::Names;
use super::lay::{Change, Laying, ambiguous, new_node};
use super::path::{self, Lost};
use super::phandle::{self, Renumbering};
use super::{Node, Tree};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// The generated tree and what users' trees made of it so far.
pub(in super::super) struct Merged {
    pub(in super::super) tree: Tree,
    pub(in super::super) names: Names,
    /// Paths of the nodes that users' trees say something about, and which of these trees was the last.
    pub(in super::super) touched: BTreeMap<String, usize>,
}

/// A part of a user's tree and the node that it is laid over, both by path.
struct Layer {
    source: String,
    target: String,
}

impl Merged {
    pub(in super::super) fn new(tree: Tree, names: Names) -> Merged {
        Merged { tree, names, touched: BTreeMap::new() }
    }

    /// Lays the user's tree number `file` over what there is. Gives what is wrong with it.
    pub(in super::super) fn lay(&mut self, file: usize, mut over: Tree) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let [symbols, fixups, local] =
            ["/__symbols__", "/__fixups__", "/__local_fixups__"].map(|path| over.root.remove(path));
        let fixups = fixups::read(fixups.as_ref(), &mut problems);
        let is_overlay = over.root.children.iter().any(is_fragment);
        let mut layers = match is_overlay {
            true => self.fragments(&over.root, &fixups, &mut problems),
            false => vec![Layer { source: String::new(), target: String::new() }],
        };
        let stubs = self.stubs(&over.root, &mut problems);
        layers.extend(stubs);

        let mut renumbering = self.renumbering(&over.root, &layers, &mut problems);
        if self.touched.is_empty() {
            self.adopt(&mut renumbering, &mut problems);
        }
        if renumbering.iter().any(|(old, new)| old != new) {
            let arguments = phandle::arguments(&over.root);
            match &local {
                Some(local) => phandle::renumber_listed(&mut over.root, local, &renumbering, "", &mut problems),
                // An overlay without that list refers to nothing of its own.
                None if is_overlay => {}
                None => phandle::renumber_known(&mut over.root, &arguments, &renumbering, "", &mut problems),
            }
            phandle::renumber_owners(&mut over.root, &renumbering);
        }
        self.fix(&mut over.root, &fixups, &mut problems);
        if !problems.is_empty() {
            return problems;
        }

        self.tree.reservations.append(&mut over.reservations);
        // Stubs first, since they lie inside of others, and the innermost of them before the one that holds it.
        for layer in layers.iter().rev() {
            let target = &layer.target;
            let to = self
                .tree
                .root
                .at(path::parent(target))
                .map_or(Cells::DEFAULT, |above| Cells::of(above, Cells::DEFAULT));
            let above = over.root.at(path::parent(&layer.source)).map(|above| Cells::of(above, to));
            let content = match layer.source.as_str() {
                "" => Some(std::mem::take(&mut over.root)),
                source => over.root.remove(source),
            };
            let Some(mut content) = content else { continue };
            let is_stub = content.get("qvm,vdev").is_some();
            content.properties.retain(|(name, _)| name != "qvm,vdev");
            let Some(base) = self.tree.root.at_path(target) else {
                let message = format!("there is no node `{target}` for `{}` to lie over", layer.source);
                problems.push(Diagnostic::error(codes::TREE_TARGET, message));
                continue;
            };
            let from = above.filter(|_| is_stub).unwrap_or(to);
            let mut laying = Laying { file, touched: &mut self.touched, problems: &mut problems };
            laying.lay(base, content, target, Change { from, to });
        }
        for (label, path) in symbols.iter().flat_map(|symbols| &symbols.properties) {
            let path = super::text_of(path).map(|path| absolute(&translated(path, &layers)));
            let found = path.and_then(|path| path::find(&self.tree.root, &path).ok());
            self.names.labels.extend(found.map(|path| (label.clone(), path)));
        }
        problems
    }

    /// The layers of an overlay, the last one first.
    fn fragments(&mut self, over: &Node, fixups: &[Fixup], problems: &mut Vec<Diagnostic>) -> Vec<Layer> {
        let mut layers: Vec<Layer> = Vec::new();
        for fragment in &over.children {
            let name = &fragment.name;
            if !is_fragment(fragment) {
                let message = format!("`/{name}` of this overlay is no fragment: it has no `__overlay__`");
                problems.push(Diagnostic::error(codes::TREE_TARGET, message));
                continue;
            }
            if let Some(target) = self.target(fragment, over, fixups, &layers, problems) {
                layers.push(Layer { source: format!("/{name}/__overlay__"), target });
            }
        }
        layers.reverse();
        layers
    }

    /// The path that a fragment is laid over: of a node that is there, or that one of `layers`, those before it, brings.
    /// `None` if there is none, which is said here or, of a label, where all labels are looked up.
    fn target(
        &mut self,
        fragment: &Node,
        over: &Node,
        fixups: &[Fixup],
        layers: &[Layer],
        problems: &mut Vec<Diagnostic>,
    ) -> Option<String> {
        let name = &fragment.name;
        let here = format!("/{name}");
        if let Some(fixup) = fixups.iter().find(|fixup| fixup.path == here && fixup.property == "target") {
            return self.names.labels.get(&fixup.label).cloned();
        }
        let comes = |path: &str| {
            let in_it = |layer: &Layer| Some(format!("{}{}", layer.source, path.strip_prefix(&layer.target)?));
            layers.iter().filter_map(in_it).any(|path| over.at(&path).is_some())
        };
        if let Some(path) = fragment.text("target-path") {
            if path == "/reserved-memory" && self.tree.root.at(path).is_none() {
                let node = new_node(&self.tree.root, "", "reserved-memory");
                self.tree.root.children.push(node);
            }
            return match path::find(&self.tree.root, path) {
                Ok(path) => Some(path),
                Err(_) if comes(path) => Some(path.to_owned()),
                Err(lost) => {
                    problems.push(not_there(name, path, &lost));
                    None
                }
            };
        }
        let phandle = fragment.cell("target");
        let own = phandle.and_then(|phandle| path_of(over, phandle)).map(|path| translated(&path, layers));
        let own = own.filter(|path| self.tree.root.at(path).is_some() || comes(path));
        if own.is_none() {
            let message = match phandle {
                Some(phandle) => format!("the `target` of `{name}` is no node of the tree: phandle {phandle:#x}"),
                None => format!("`{name}` has neither a `target` nor a `target-path`"),
            };
            let hint = "refer to the node by a label, or name it by `target-path`";
            problems.push(Diagnostic::error(codes::TREE_TARGET, message).hint(hint));
        }
        own
    }

    /// The layers that stubs are.
    fn stubs(&self, over: &Node, problems: &mut Vec<Diagnostic>) -> Vec<Layer> {
        let mut layers = Vec::new();
        walk_paths(over, "", &mut |node, path| {
            let Some(value) = node.get("qvm,vdev") else { return };
            let name = super::text_of(value).unwrap_or_default();
            match self.names.vdevs.get(name) {
                Some(target) => layers.push(Layer { source: path.to_owned(), target: target.clone() }),
                None => {
                    let message = format!("node `{path}` refers to vdev `{name}`, which this VM does not have");
                    let hint = one_of("its vdevs are", name, self.names.vdevs.keys());
                    problems.push(Diagnostic::error(codes::TREE_LABEL, message).hint(hint));
                }
            }
        });
        layers
    }

    /// What the phandles of `over` become: that of the node that they are laid over, or else themselves, or else a free one.
    fn renumbering(&self, over: &Node, layers: &[Layer], problems: &mut Vec<Diagnostic>) -> Renumbering {
        let (taken, own) = (phandle::used(&self.tree.root), phandle::used(over));
        let mut renumbering = Renumbering::new();
        let mut new: BTreeSet<u32> = own.clone();
        let mut given = BTreeMap::new();
        walk_paths(over, "", &mut |node, path| {
            let Some(old) = phandle::of(node) else { return };
            if renumbering.contains_key(&old) {
                let message = format!("node `{path}` has phandle {old:#x}, which another node has too");
                problems.push(Diagnostic::error(codes::TREE_PHANDLE, message));
                return;
            }
            let place = translated(path, layers);
            let place = path::find(&self.tree.root, &absolute(&place)).unwrap_or(place);
            let below = self.tree.root.at(&place).and_then(phandle::of).or_else(|| given.get(&place).copied());
            let becomes = match below {
                Some(below) => below,
                None if !taken.contains(&old) => old,
                None => phandle::free(&[&taken, &new]),
            };
            new.insert(becomes);
            given.insert(place, becomes);
            renumbering.insert(old, becomes);
        });
        renumbering
    }

    /// Gives generated nodes the phandles that the first of the users' trees has for them, so that those of that tree can stay:
    /// in the generated tree it is known for sure where phandles are.
    fn adopt(&mut self, renumbering: &mut Renumbering, problems: &mut Vec<Diagnostic>) {
        let mut generated = Renumbering::new();
        let used = phandle::used(&self.tree.root);
        for (old, becomes) in renumbering.iter_mut().filter(|(old, becomes)| old != becomes) {
            if !generated.contains_key(becomes) && used.contains(becomes) {
                generated.insert(*becomes, *old);
                *becomes = *old;
            }
        }
        // A generated node that has one of these and keeps it would share it: it gets a free one.
        let mut taken: BTreeSet<u32> =
            used.iter().chain(generated.values()).chain(renumbering.values()).copied().collect();
        for adopted in generated.values().copied().collect::<Vec<_>>() {
            if used.contains(&adopted) && !generated.contains_key(&adopted) {
                let free = phandle::free(&[&taken]);
                taken.insert(free);
                generated.insert(adopted, free);
            }
        }
        let arguments = phandle::arguments(&self.tree.root);
        phandle::renumber_known(&mut self.tree.root, &arguments, &generated, "", problems);
        phandle::renumber_owners(&mut self.tree.root, &generated);
    }

    /// Writes the phandles of labels where `over` refers to them.
    fn fix(&mut self, over: &mut Node, fixups: &[Fixup], problems: &mut Vec<Diagnostic>) {
        let own = phandle::used(over);
        for Fixup { label, path, property, offset } in fixups {
            let Some(target) = self.names.labels.get(label) else {
                let message = format!("`{path}` refers to `&{label}`, which the tree does not have");
                let hint = one_of("labels are", label, self.names.labels.keys());
                problems.push(Diagnostic::error(codes::TREE_LABEL, message).hint(hint));
                continue;
            };
            let free = phandle::free(&[&phandle::used(&self.tree.root), &own]);
            // A label always leads somewhere: nodes do not go away.
            let Some(node) = self.tree.root.at_path(target) else { continue };
            let phandle = phandle::of(node).unwrap_or_else(|| {
                node.set("phandle", free.to_be_bytes());
                free
            });
            let place = over.at_path(path).and_then(|node| node.get_mut(property));
            match place.and_then(|value| value.get_mut(*offset..offset.saturating_add(4))) {
                Some(place) => place.copy_from_slice(&phandle.to_be_bytes()),
                None => {
                    let message = format!("`__fixups__` names a place that is not there: `{path}:{property}:{offset}`");
                    problems.push(Diagnostic::error(codes::BAD_TREE, message));
                }
            }
        }
    }
}

fn is_fragment(node: &Node) -> bool {
    node.children.iter().any(|child| child.name == "__overlay__")
}

/// The path in the tree of what is at `path` in a user's.
fn translated(path: &str, layers: &[Layer]) -> String {
    let inside =
        |layer: &&Layer| path.strip_prefix(&layer.source).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match layers.iter().filter(inside).max_by_key(|layer| layer.source.len()) {
        Some(layer) => format!("{}{}", layer.target, &path[layer.source.len()..]),
        None => path.to_owned(),
    }
}

/// A path that [`path::find`] does not take for an alias.
fn absolute(path: &str) -> String {
    if path.is_empty() { "/".into() } else { path.to_owned() }
}

fn path_of(root: &Node, phandle: u32) -> Option<String> {
    let mut found = None;
    walk_paths(root, "", &mut |node, path| {
        if phandle::of(node) == Some(phandle) {
            found.get_or_insert(path.to_owned());
        }
    });
    found
}

/// Visits every node with its path, an outer one before those in it.
pub(in super::super) fn walk_paths(node: &Node, path: &str, visit: &mut dyn FnMut(&Node, &str)) {
    visit(node, path);
    node.children.iter().for_each(|child| walk_paths(child, &format!("{path}/{}", child.name), visit));
}

fn not_there(fragment: &str, path: &str, lost: &Lost) -> Diagnostic {
    match lost {
        Lost::Ambiguous { name, candidates } => ambiguous(name, candidates),
        Lost::Missing { last, children } => {
            let message = format!("there is no node `{path}` for `{fragment}` to lie over");
            let hint = match children.is_empty() {
                true => format!("`{}` has nothing below it", path::shown(last)),
                false => format!("`{}` has {}", path::shown(last), children.join(", ")),
            };
            Diagnostic::error(codes::TREE_TARGET, message).hint(hint)
        }
    }
}

/// What a name could be: the nearest one, and all of them.
fn one_of<'a>(are: &str, name: &str, names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let all = names.join(", ");
    match crate::language::nearest(name, names.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`? {are} {all}"),
        None => format!("{are} {all}"),
    }
}

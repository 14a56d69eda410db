//! Finding nodes by path, as users write paths.
//!
//! A path is kept as `/a/b@1`; the root's is empty. A name matches a node of the same name, or with the same unit address written
//! differently (`@0x1000`, `@00001000`); without a unit address it matches the only node that has this name before the `@`
//! (Devicetree Specification 0.4, 2.2.1 and 2.2.3).

use super::Node;

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// There is no such node; the first part of the path that there is, and the children of that.
    Missing { last: String, children: Vec<String> },
    /// There are several.
    Ambiguous { name: String, candidates: Vec<String> },
}

/// The index of the child of `node` that `name` means, if there is one. The error is the names that it could be.
pub(super) fn child(node: &Node, name: &str) -> Result<Option<usize>, Vec<String>> {
    let position = |means: &dyn Fn(&str) -> bool| node.children.iter().position(|child| means(&child.name));
    if let Some(exact) = position(&|other| other == name) {
        return Ok(Some(exact));
    }
    let Some((base, address)) = name.split_once('@') else {
        let named = |child: &&Node| child.name.split('@').next() == Some(name);
        let candidates: Vec<String> = node.children.iter().filter(named).map(|child| child.name.clone()).collect();
        return match candidates.as_slice() {
            [] => Ok(None),
            [only] => Ok(position(&|other| other == only)),
            _ => Err(candidates),
        };
    };
    let same = |other: &str| other.split_once('@').is_some_and(|(b, a)| b == base && number(a) == number(address));
    Ok(number(address).and_then(|_| position(&same)))
}

fn number(unit_address: &str) -> Option<u64> {
    u64::from_str_radix(unit_address.strip_prefix("0x").unwrap_or(unit_address), 16).ok()
}

/// The path of the node that `path` means, in the names of the tree. An alias may stand for its beginning.
pub(super) fn find(root: &Node, path: &str) -> Result<String, Lost> {
    let (alias, rest) = match path.starts_with('/') {
        true => (None, path),
        false => (Some(path.split('/').next().unwrap_or(path)), path.split_once('/').map_or("", |(_, rest)| rest)),
    };
    let aliased = alias.and_then(|alias| {
        let aliases = root.children.iter().find(|node| node.name == "aliases")?;
        aliases.text(alias)
    });
    if let (Some(alias), None) = (alias.filter(|alias| !alias.is_empty()), &aliased) {
        return Err(Lost::Missing { last: String::new(), children: vec![format!("no alias `{alias}`")] });
    }
    let (mut node, mut found) = (root, String::new());
    for name in aliased.unwrap_or("").split('/').chain(rest.split('/')).filter(|name| !name.is_empty()) {
        node = match child(node, name) {
            Ok(Some(index)) => &node.children[index],
            Ok(None) => {
                let children = node.children.iter().map(|child| child.name.clone()).collect();
                return Err(Lost::Missing { last: found, children });
            }
            Err(candidates) => return Err(Lost::Ambiguous { name: format!("{found}/{name}"), candidates }),
        };
        found = format!("{found}/{}", node.name);
    }
    Ok(found)
}

impl Node {
    /// The node at exactly `path`.
    pub(in super::super) fn at(&self, path: &str) -> Option<&Node> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(self, |node, name| node.children.iter().find(|child| child.name == name))
    }

    /// The same, to change it.
    pub(in super::super) fn at_path(&mut self, path: &str) -> Option<&mut Node> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(self, |node, name| node.children.iter_mut().find(|child| child.name == name))
    }

    /// Takes the node at exactly `path`, which is not the root, out of the tree.
    pub(super) fn remove(&mut self, path: &str) -> Option<Node> {
        let (parent, name) = path.rsplit_once('/')?;
        let parent = self.at_path(parent)?;
        let index = parent.children.iter().position(|child| child.name == name)?;
        Some(parent.children.remove(index))
    }
}

/// The path of the node above; the root's is its own.
pub(in super::super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// A path for people.
pub(in super::super) fn shown(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

#[cfg(test)]
mod tests {
    use super::super::strings;
    use super::*;

    fn tree() -> Node {
        let mut root = Node::default();
        root.child("aliases").set("serial0", strings(&["/soc/uart@1000"]));
        root.child("soc").child("uart@1000").child("port");
        root.child("soc").child("uart@2000");
        root.child("cpus").child("cpu@0");
        root
    }

    #[test]
    fn nodes_are_found_by_name_with_any_spelling_of_the_unit_address() {
        for path in ["/soc/uart@1000", "/soc/uart@0x1000", "/soc/uart@00001000", "serial0", "//soc/uart@1000/"] {
            assert_eq!(find(&tree(), path), Ok("/soc/uart@1000".into()), "{path}");
        }
        assert_eq!(find(&tree(), "serial0/port"), Ok("/soc/uart@1000/port".into()));
        assert_eq!(find(&tree(), "/cpus/cpu"), Ok("/cpus/cpu@0".into()));
        assert_eq!(find(&tree(), "/"), Ok(String::new()));
    }

    #[test]
    fn what_is_not_there_or_not_clear_is_said() {
        let children = vec!["uart@1000".to_owned(), "uart@2000".to_owned()];
        assert_eq!(
            find(&tree(), "/soc/uart"),
            Err(Lost::Ambiguous { name: "/soc/uart".into(), candidates: children.clone() })
        );
        assert_eq!(find(&tree(), "/soc/timer"), Err(Lost::Missing { last: "/soc".into(), children }));
        assert!(matches!(find(&tree(), "serial1"), Err(Lost::Missing { .. })));
        assert!(matches!(find(&tree(), "/soc/uart@zz"), Err(Lost::Missing { .. })));
    }
}

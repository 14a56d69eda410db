//! Which places of an overlay hold phandles of nodes that it calls by a label, as `dtc` lists them in `__fixups__`:
//! each property is a label, and its value places, `PATH:PROPERTY:OFFSET`.

use super::Node;
use crate::codes;
use crate::diagnostic::Diagnostic;

/// A reference to a label.
pub(super) struct Fixup {
    pub(super) label: String,
    /// The node that refers to it.
    pub(super) path: String,
    pub(super) property: String,
    /// Where in the property the phandle goes, in bytes.
    pub(super) offset: usize,
}

/// All references that the node `__fixups__` lists.
pub(super) fn read(node: Option<&Node>, problems: &mut Vec<Diagnostic>) -> Vec<Fixup> {
    let mut fixups = Vec::new();
    for (label, places) in node.into_iter().flat_map(|node| &node.properties) {
        for place in places.split(|&byte| byte == 0).filter(|place| !place.is_empty()) {
            let place = String::from_utf8_lossy(place);
            match fixup(label, &place) {
                Some(fixup) => fixups.push(fixup),
                None => {
                    let message = format!("`__fixups__` says of `&{label}` what is no place: `{place}`");
                    problems.push(Diagnostic::error(codes::BAD_TREE, message));
                }
            }
        }
    }
    fixups
}

fn fixup(label: &str, place: &str) -> Option<Fixup> {
    let [path, property, offset] = *place.split(':').collect::<Vec<_>>() else { return None };
    let (label, path, property) = (label.to_owned(), path.to_owned(), property.to_owned());
    Some(Fixup { label, path, property, offset: offset.parse().ok()? })
}

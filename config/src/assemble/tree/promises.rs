//! What the rest of the house relies on when users' trees are merged, whatever bytes they are: for property tests and fuzzing.

use std::collections::HashSet;

use model::{Console, Gic, GicVersion, Gpa};

use super::super::{Place, Vdev, VdevKind};
use super::{Facts, Merged, Names, Tree, generate, phandle_of, read, reserved};

/// Lays users' trees, one after the other in `bytes`, over a generated one, and checks [`keeps_promises`].
///
/// # Panics
/// If a promise is broken.
#[cfg(feature = "fuzzing")]
pub fn trees_keep_promises(bytes: &[u8]) {
    let (mut rest, mut over) = (bytes, Vec::new());
    while over.len() < 4 {
        // A tree says how long it is (Devicetree Specification 0.4, section 5.2, totalsize).
        let size = rest.get(4..8).and_then(|size| size.first_chunk()).map_or(0, |size| u32::from_be_bytes(*size));
        let Some((tree, after)) = rest.split_at_checked(size as usize).filter(|(tree, _)| !tree.is_empty()) else {
            break;
        };
        let Ok(tree) = read(tree) else { return };
        over.push(tree);
        rest = after;
    }
    keeps_promises(over);
}

/// A tree that can be written and read, with each phandle once.
///
/// # Panics
/// If a promise is broken.
pub(super) fn keeps_promises(over: Vec<Tree>) {
    let mut merged = generated();
    for (file, tree) in over.into_iter().enumerate() {
        if !merged.lay(file, tree).is_empty() {
            return;
        }
        let mut phandles = HashSet::new();
        merged.tree.root.walk(&mut |node| assert!(phandle_of(node).is_none_or(|phandle| phandles.insert(phandle))));
        reserved(&merged, &mut Vec::new());
    }
    if let Ok((blob, _)) = merged.tree.write() {
        let back = read(&blob).expect("a tree that was written can be read");
        assert_eq!(back.root.children.len(), merged.tree.root.children.len());
    }
}

/// The tree that a VM with one UART has.
fn generated() -> Merged {
    let gic = Gic { version: GicVersion::V3, distributor: Gpa(0x2f00_0000), cpus: Gpa(0x2f10_0000) };
    let kind = VdevKind::Pl011 { console: Console::Nowhere };
    let vdevs = [Vdev {
        name: "con".into(),
        place: Place::Memory { gpa: Gpa(0x1c09_0000), size_bytes: 0x1000 },
        lines: vec![37],
        kind,
    }];
    let facts = Facts { memory: &[], vcpus: 2, gic: &gic, vdevs: &vdevs, cmdline: None, phandles: [1, 2, 3, 4] };
    let tree = generate(&facts);
    let names = Names::new(&tree.root, "gic", &vdevs);
    Merged::new(tree, names)
}

//! Trees alone, without an assembly around them: written and read, damaged, and laid over one another.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::promises::keeps_promises;
use super::*;

/// Where the compiled trees are.
pub(in super::super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/assemble/tests/overlays")
}

pub(in super::super) fn compiled(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.dtb"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compiled trees that damage is done to.
pub(in super::super) const TREES: [&str; 10] = [
    "labels",
    "labels-second",
    "stub",
    "clash",
    "clash-second",
    "clash-unknown",
    "cells",
    "reserved",
    "nothing",
    "chain",
];

/// A tree with one node of these properties under the root.
pub(in super::super) fn with_node(name: &str, properties: &[(&str, Vec<u8>)]) -> Tree {
    let mut tree = Tree::default();
    for (property, value) in properties {
        tree.root.child(name).set(property, value.clone());
    }
    tree
}

#[test]
fn damaged_trees_are_called_by_their_damage() {
    let blob = with_node("node", &[("property", vec![1; 9])]).write().unwrap().0;
    let patched = |offset: usize, value: u32| {
        let mut blob = blob.clone();
        blob[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
        read(&blob).unwrap_err()
    };
    assert_eq!(
        read(b"/dts-v1/;").unwrap_err(),
        "it is no flattened device tree (source files are compiled by `dtc` first)"
    );
    assert_eq!(read(&blob[..blob.len() - 1]).unwrap_err(), "it is truncated");
    assert_eq!(read(&blob[..20]).unwrap_err(), "it is truncated");
    assert_eq!(patched(20, 1), "it is of version 1, and only 17 is known");
    assert_eq!(patched(8, u32::MAX), "its header points outside of it");
    assert_eq!(patched(36, 8), "its structure ends too early");
    assert_eq!(patched(16, u32::MAX), "its list of reservations has no end");
}

/// Trees of up to three levels.
fn any_node() -> impl Strategy<Value = Node> {
    let properties = || prop::collection::btree_map("[a-z]{1,5}", prop::collection::vec(any::<u8>(), 0..9), 0..3);
    let node =
        |(properties, children): (std::collections::BTreeMap<_, _>, std::collections::BTreeMap<String, Node>)| {
            let children = children.into_iter().map(|(name, child)| Node { name, ..child }).collect();
            Node { name: String::new(), properties: properties.into_iter().collect(), children }
        };
    let leaf = (properties(), Just(Default::default())).prop_map(node);
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (properties(), prop::collection::btree_map("[a-z]{1,5}@[0-9]", inner, 0..3)).prop_map(node)
    })
}

proptest! {
    #[test]
    fn a_tree_survives_writing_and_reading(root in any_node(), reserve in prop::option::of((1_u64..1 << 40, 1_u64..1 << 20))) {
        let tree = Tree { root, reservations: reserve.into_iter().collect() };
        prop_assert_eq!(read(&tree.write().unwrap().0), Ok(tree));
    }

    #[test]
    fn damage_never_panics(damage in prop::collection::vec((0_usize..400, any::<u8>()), 1..9), length in 0_usize..2000) {
        let mut blob = with_node("node", &[("a", vec![1; 200]), ("b", vec![]), ("c", cells(&[1, 2, 9]))]).write().unwrap().0;
        for (offset, value) in damage {
            let last = blob.len() - 1;
            blob[offset.min(last)] = value;
        }
        blob.truncate(length);
        let _ = read(&blob);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2000 }))]

    #[test]
    fn damaged_trees_are_merged_soundly_or_refused(
        names in prop::collection::vec(prop::sample::select(TREES.to_vec()), 1..4),
        damage in prop::collection::vec((0_usize..1200, prop_oneof![any::<u8>(), Just(0), Just(1), Just(b'/')]), 0..6),
    ) {
        let damaged = |name: &&str| {
            let mut bytes = compiled(name);
            for (offset, value) in &damage {
                // The header decides whether the rest is read at all.
                let offset = 56 + offset % (bytes.len() - 56);
                bytes[offset] = *value;
            }
            read(&bytes).ok()
        };
        keeps_promises(names.iter().filter_map(damaged).collect());
    }
}

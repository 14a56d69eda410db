//! The rules by which a user's tree is merged into the generated one: one tree of `overlays/` for each, and a test.
//!
//! The trees are kept compiled, so that tests run without `dtc`:
//! `for f in *.dts; do dtc -q -@ -I dts -O dtb -o ${f%.dts}.dtb $f; done` makes them anew.

use std::process::Command;

use proptest::prelude::*;

use super::super::tree::tests::{TREES, compiled, folder};
use super::super::tree::{Node, Tree, cells, phandle_of, read, strings, wide};
use super::{Outcome, Project};

/// A VM with all that the trees refer to.
pub(super) const VM: &str = "system vm ram 0x40000000,64M cpu cpu load Image initrd load ramdisk
    vdev pl011 name con loc 0x1c090000 intr gic:37 hostdev -
    vdev wdt-sp805 intr gic:39 vdev pl061 loc 0x1c1d0000 intr gic:40";

/// What comes of [`VM`] with these trees.
pub(super) fn with_trees(names: &[&str]) -> Outcome {
    with_lines(names, "")
}

/// The same with more `lines` in the qvm file.
pub(super) fn with_lines(names: &[&str], lines: &str) -> Outcome {
    let project = Project::new();
    let mut text = format!("{VM}\n{lines}");
    for name in names {
        project.file(&format!("{name}.dtb"), &compiled(name));
        text += &format!("\nfdt load {name}.dtb");
    }
    project.run(&[&text])
}

/// The root of the tree of [`VM`] with these, about which nothing is said.
fn merged(names: &[&str]) -> Node {
    let outcome = with_trees(names);
    assert_eq!(outcome.text, "");
    read(&outcome.assembly.unwrap().trees[0].1).unwrap().root
}

/// The cell of a property.
fn cell(root: &Node, path: &str, property: &str, index: usize) -> u32 {
    let value = root.at(path).unwrap_or_else(|| panic!("no {path}")).get(property).unwrap();
    u32::from_be_bytes(value[index * 4..index * 4 + 4].try_into().unwrap())
}

fn phandle(root: &Node, path: &str) -> u32 {
    root.at(path).and_then(phandle_of).unwrap_or_else(|| panic!("{path} has no phandle"))
}

const GIC: &str = "/interrupt-controller@2f000000";
const UART: &str = "/pl011@1c090000";

#[test]
#[cfg_attr(miri, ignore = "Miri starts no processes")]
fn the_compiled_trees_are_those_beside_them() {
    for source in std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        if source.extension().is_none_or(|extension| extension != "dts") {
            continue;
        }
        let dtc = Command::new("dtc").args(["-q", "-@", "-I", "dts", "-O", "dtb"]).arg(&source).output();
        // `dtc` is part of the set-up for the whole test run but not needed to work on this crate.
        let Ok(dtc) = dtc else { return };
        let kept = std::fs::read(source.with_extension("dtb")).unwrap();
        assert_eq!(read(&dtc.stdout), read(&kept), "{}", source.display());
    }
}

#[test]
fn an_overlay_refers_to_generated_nodes_by_label() {
    let root = merged(&["labels"]);
    assert_eq!(root.at("/chosen").unwrap().text("bootargs"), Some("mine"));
    assert_eq!(
        root.at(UART).unwrap().get("compatible").unwrap(),
        strings(&["mine,uart", "arm,pl011", "arm,primecell"])
    );
    assert_eq!(root.at(UART).unwrap().get("reg").unwrap(), wide(&[0x1c09_0000, 0x1000]), "what is not said stays");
    assert_eq!(cell(&root, "/sensor", "interrupt-parent", 0), phandle(&root, GIC));
    assert_eq!(cell(&root, "/sensor", "clocks", 0), phandle(&root, "/oscillator"));
    assert_eq!(cell(&root, "/sensor", "clocks", 1), phandle(&root, "/apb-pclk"));
    assert_eq!(cell(&root, "/sensor", "cpu", 0), phandle(&root, "/cpus/cpu@1"), "a node gets a phandle if it has to");
    assert_eq!(cell(&root, "/cpus/cpu@0", "capacity-dmips-mhz", 0), 512);
    assert!(root.children.iter().all(|node| !node.name.starts_with('_') && !node.name.starts_with("fragment")));
}

#[test]
fn overlays_with_the_same_phandles_are_told_apart_and_know_each_others_labels() {
    let root = merged(&["labels", "labels-second"]);
    assert_ne!(phandle(&root, "/oscillator"), phandle(&root, "/second-oscillator"));
    assert_eq!(cell(&root, "/sensor", "clocks", 0), phandle(&root, "/oscillator"));
    assert_eq!(cell(&root, "/second-sensor", "clocks", 0), phandle(&root, "/oscillator"));
    assert_eq!(cell(&root, "/second-sensor", "clocks", 1), phandle(&root, "/second-oscillator"));
    assert_eq!(root.at("/oscillator").unwrap().text("clock-output-names"), Some("osc"));
}

#[test]
fn fragments_lie_over_what_those_before_them_bring() {
    let root = merged(&["chain"]);
    assert_eq!(cell(&root, "/soc/first", "number", 0), 2);
    assert_eq!(root.at(UART).unwrap().text("status"), Some("okay"), "an alias is a path, too");
}

#[test]
fn a_later_tree_wins() {
    let project = Project::new();
    for (name, bootargs) in [("1.dtb", "first"), ("2.dtb", "second")] {
        let mut tree = Tree::default();
        tree.root.child("chosen").set("bootargs", strings(&[bootargs]));
        project.file(name, &tree.write().unwrap().0);
    }
    let tree = project.good(&[&format!("{VM} fdt load 1.dtb fdt load 2.dtb")]).trees.remove(0).1;
    assert_eq!(read(&tree).unwrap().root.at("/chosen").unwrap().text("bootargs"), Some("second"));
}

#[test]
fn a_stub_stands_for_a_vdev() {
    let root = merged(&["stub"]);
    assert_eq!(root.get("interrupt-parent").unwrap(), cells(&[phandle(&root, GIC)]));
    assert_eq!(cell(&root, "/monitor", "mine,uart", 0), phandle(&root, UART), "in a property that nobody knows, too");
    assert_eq!(cell(&root, "/monitor", "mine,pic", 0), phandle(&root, GIC), "the GIC's own phandle gives way");
    assert_eq!(cell(&root, "/monitor", "interrupts-extended", 0), phandle(&root, GIC));
    assert_eq!(
        root.at(UART).unwrap().get("compatible").unwrap(),
        strings(&["mine,uart", "arm,pl011", "arm,primecell"])
    );
    assert_eq!(root.at(UART).unwrap().get("qvm,vdev"), None);
    assert!(root.at("/board").unwrap().children.is_empty() && root.at("/pic-stub").is_none());
}

#[test]
fn phandles_of_plain_trees_that_clash_are_changed_where_bindings_have_them() {
    let root = merged(&["clash", "clash-second"]);
    let (first, second) = (phandle(&root, "/pll"), phandle(&root, "/other-pll"));
    assert_ne!(first, second);
    assert_eq!(root.at("/consumer").unwrap().get("clocks").unwrap(), cells(&[first, 7, first, 9]));
    assert_eq!(root.at("/other-consumer").unwrap().get("clocks").unwrap(), cells(&[second, 7, second, 9]));
    assert_eq!(cell(&root, "/other-consumer", "vdd-supply", 0), second);
    assert_eq!(cell(&root, "/other-consumer", "id", 0), 1, "what is no phandle stays");
}

#[test]
fn addresses_are_written_in_the_cells_of_the_tree() {
    let root = merged(&["cells"]);
    assert_eq!(root.get("#address-cells").unwrap(), cells(&[2]));
    assert_eq!(root.at(UART).unwrap().get("reg").unwrap(), wide(&[0x1c09_0000, 0x1000]), "matched by its number");
    assert!(root.at("/pl011@1C090000").is_none());
    let bus = root.at("/bus").unwrap();
    assert_eq!(bus.get("ranges").unwrap(), cells(&[0, 0, 0x4000_0000, 0x100_0000]), "the bus keeps its own cells");
    assert_eq!(root.at("/bus/device@100000").unwrap().get("reg").unwrap(), cells(&[0x10_0000, 0x1000]));
}

#[test]
fn what_is_reserved_stays_reserved_and_images_keep_off() {
    let outcome = with_trees(&["reserved"]);
    assert_eq!(outcome.text, "");
    let assembly = outcome.assembly.unwrap();
    let tree = read(&assembly.trees[0].1).unwrap();
    assert_eq!(tree.reservations, [(0x4000_0000, 0x1000)]);
    let reserved = tree.root.at("/reserved-memory").unwrap();
    assert_eq!(reserved.get("#address-cells"), tree.root.get("#address-cells"), "as Linux wants it");
    assert_eq!((reserved.get("ranges"), reserved.children.len()), (Some([].as_slice()), 2));
    assert_eq!(reserved.children[0].get("reg").unwrap(), wide(&[0x4020_0000, 0x10_0000]));
    let places: Vec<_> = assembly.vms[0].loads.iter().map(|load| load.gpa.0).collect();
    assert_eq!(places, [0x4040_0000, 0x4050_0000, 0x4050_2000]);
}

#[test]
fn a_users_ram_disk_is_not_overridden() {
    let project = Project::new();
    let mut tree = Tree::default();
    tree.root.child("chosen").set("linux,initrd-start", wide(&[1])).set("linux,initrd-end", wide(&[2]));
    project.file("over.dtb", &tree.write().unwrap().0);
    let tree = project.good(&[&format!("{VM} fdt load over.dtb")]).trees.remove(0).1;
    assert_eq!(read(&tree).unwrap().root.at("/chosen").unwrap().get("linux,initrd-start").unwrap(), wide(&[1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 100 }))]

    #[test]
    fn damaged_trees_are_checked_without_harm(
        name in prop::sample::select([TREES.as_slice(), &["good", "differs", "twice"]].concat()),
        damage in prop::collection::vec((0_usize..1200, any::<u8>()), 1..6),
    ) {
        let mut bytes = compiled(name);
        for (offset, value) in damage {
            let offset = 56 + offset % (bytes.len() - 56);
            bytes[offset] = value;
        }
        let project = Project::new();
        project.file("damaged.dtb", &bytes);
        let outcome = project.run(&[&format!("{VM} fdt load damaged.dtb")]);
        prop_assert!(outcome.assembly.is_some() || !outcome.text.is_empty());
    }
}

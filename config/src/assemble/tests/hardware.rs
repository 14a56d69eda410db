//! What a board's device tree says: addresses through buses, interrupts by way of each property, and who does DMA.

use model::Trigger;
use proptest::prelude::*;

use super::super::claims::Range;
use super::super::hardware::{DMA_DEVICES, DMA_PROPERTIES, Hardware, HostInterrupt};
use super::super::tree::{Node, Tree, cells, strings};
use super::super::{Board, portable_tree};
use super::Project;

const GIC: u32 = 7;

fn board() -> Board {
    Board::load(&Project::new().request.root, "qemu-aarch64").unwrap()
}

fn device(node: &mut Node, name: &str, properties: &[(&str, Vec<u8>)]) {
    properties.iter().for_each(|(property, value)| {
        node.child(name).set(property, value.clone());
    });
}

/// A board as boards have it: a GIC at the root, a bus with addresses of its own, and a bus below that.
fn tree() -> Tree {
    let mut tree = Tree { reservations: vec![(0x100_0000, 0x1000)], ..Tree::default() };
    let root = &mut tree.root;
    root.set("#address-cells", cells(&[2])).set("#size-cells", cells(&[2])).set("interrupt-parent", cells(&[GIC]));
    device(
        root,
        "gic@8000000",
        &[
            ("compatible", strings(&["arm,gic-v3"])),
            ("reg", cells(&[0, 0x800_0000, 0, 0x1_0000])),
            ("phandle", cells(&[GIC])),
        ],
    );
    let soc = root.child("soc");
    soc.set("#address-cells", cells(&[1])).set("#size-cells", cells(&[1]));
    soc.set("ranges", cells(&[0x1000_0000, 0xf, 0x4000_0000, 0x100_0000, 0, 1, 0, 0x1000]));
    device(
        soc,
        "timer@10002000",
        &[
            ("reg", cells(&[0x1000_2000, 0x100, 0x1fff_0000, 0x100])),
            ("interrupts", cells(&[0, 5, 1, 1, 13, 4, 0, 6, 4])),
        ],
    );
    device(
        soc,
        "gpio@10003000",
        &[
            ("reg", cells(&[0x1000_3000, 0x1000])),
            ("interrupts-extended", cells(&[GIC, 0, 9, 4, GIC, 0, 10, 1, 99, 1])),
            ("dmas", cells(&[1])),
        ],
    );
    let inner = soc.child("bus@10100000");
    inner.set("#address-cells", cells(&[1])).set("#size-cells", cells(&[1])).set("ranges", []);
    device(
        inner,
        "mac@10100000",
        &[("compatible", strings(&["vendor,chip-mac", "snps,dwmac-4.20a"])), ("reg", cells(&[0x1010_0000, 0x2000]))],
    );
    let hidden = soc.child("i2c@10200000");
    hidden.set("reg", cells(&[0x1020_0000, 0x1000])).set("#address-cells", cells(&[1])).set("#size-cells", cells(&[0]));
    device(hidden, "sensor@48", &[("reg", cells(&[0x48]))]);
    let reserved = root.child("reserved-memory");
    reserved.set("#address-cells", cells(&[2])).set("#size-cells", cells(&[2])).set("ranges", []);
    device(reserved, "firmware@50000000", &[("reg", cells(&[0, 0x5000_0000, 0, 0x1000]))]);
    tree
}

#[test]
fn addresses_go_through_buses_and_interrupts_to_the_gic() {
    let hardware = Hardware::read(&board(), &tree().write().unwrap().0).unwrap();
    let at = |start, size| Range::new(start, size).unwrap();
    let timer = hardware.device("/soc/timer@10002000").unwrap();
    assert_eq!(timer.registers, [at(0xf_4000_2000, 0x100)], "what the bus does not show is not there");
    let edge = HostInterrupt { intid: 37, trigger: Trigger::Edge };
    assert_eq!(timer.interrupts, [edge, HostInterrupt { intid: 38, trigger: Trigger::Level }], "and no private one");
    assert_eq!(timer.dma, None);
    let gpio = hardware.device("/soc/gpio@10003000").unwrap();
    assert_eq!(gpio.interrupts.iter().map(|interrupt| interrupt.intid).collect::<Vec<_>>(), [41, 42]);
    assert_eq!(gpio.dma.as_deref(), Some("its node has `dmas`"));
    let mac = hardware.device("/soc/bus@10100000/mac@10100000").unwrap();
    assert_eq!(mac.registers, [at(0xf_4010_0000, 0x2000)]);
    assert_eq!(mac.dma.as_deref(), Some("a `snps,dwmac-4.20a` does"));
    assert_eq!(hardware.device("/soc/i2c@10200000/sensor@48").unwrap().registers, []);
    assert_eq!(hardware.device("/gic@8000000").unwrap().own.as_deref(), Some("the board's interrupt controller"));
    assert_eq!(hardware.reserved, [at(0x5000_0000, 0x1000), at(0x100_0000, 0x1000)]);
    assert_eq!(hardware.interrupt(38).count(), 1);
    assert_eq!(hardware.at(at(0xf_4010_1000, 1)).count(), 1);
}

#[test]
fn the_document_lists_who_is_known_to_do_dma() {
    let document = include_str!("../../../../docs/qvm.md");
    for known in DMA_PROPERTIES.iter().chain(&DMA_DEVICES) {
        assert!(document.contains(&format!("`{known}`")), "docs/qvm.md does not name `{known}`");
    }
}

#[test]
fn a_portable_tree_lacks_what_variants_decide() {
    let mut tree = tree();
    tree.root.child("memory@40000000").set("reg", []);
    tree.root.child("cpus").child("cpu@0").set("reg", []);
    tree.root.child("chosen").set("rng-seed", [1, 2]).set("stdout-path", strings(&["/x"]));
    let bytes = portable_tree(&tree.write().unwrap().0).unwrap();
    let portable = super::super::tree::read(&bytes).unwrap();
    let names: Vec<_> = portable.root.children.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["gic@8000000", "soc", "reserved-memory", "chosen"]);
    assert_eq!(portable.root.children[3].properties.len(), 1);
}

proptest! {
    /// A board's tree is a file like another: whatever is wrong with it, that is said or passed over.
    #[test]
    fn a_damaged_tree_is_no_reason_to_panic(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = tree().write().unwrap().0;
        for (at, byte) in damage {
            *at.get_mut(&mut bytes) = byte;
        }
        let board = board();
        if let Ok(hardware) = Hardware::read(&board, &bytes) {
            let everywhere = Range { start: 0, end: u64::MAX };
            let _ = hardware.at(everywhere).count();
        }
    }
}

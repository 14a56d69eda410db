//! What the guest is told against what the VM has: what is let pass, and addresses of buses.

use super::super::tree::{Tree, cells, strings, wide};
use super::Project;
use super::merge::{VM, with_lines, with_trees};
use crate::codes::{NO_SUCH_UART, NODE_INTERRUPT, NODE_OF_NOTHING};

/// The codes of what is said of a plain tree over [`VM`].
fn codes(build: impl FnOnce(&mut Tree)) -> Vec<&'static str> {
    let project = Project::new();
    let mut tree = Tree::default();
    build(&mut tree);
    project.file("over.dtb", &tree.write().unwrap().0);
    project.run(&[&format!("{VM} fdt load over.dtb")]).codes
}

/// The codes of what is said of a command line of [`VM`].
fn of_cmdline(cmdline: &str) -> Vec<&'static str> {
    with_lines(&[], &format!("cmdline \"{cmdline}\"")).codes
}

#[test]
fn devices_that_are_there_are_let_pass() {
    assert_eq!(with_trees(&["good"]).text, "");
    let own = |tree: &mut Tree| {
        let uart = tree.root.child("pl011@1c090000");
        uart.set("reg", wide(&[0x1c09_0000, 0x1000])).set("interrupts", cells(&[0, 5, 4]));
        tree.root.child("cpus").child("cpu@1").set("reg", wide(&[1])).set("device_type", strings(&["cpu"]));
        tree.root.child("memory@40000000").set("reg", wide(&[0x4000_0000, 0x100_0000]));
        tree.root.child("interrupt-controller@2f000000").set("interrupts", cells(&[1, 9, 4]));
        tree.root.child("virtual-timer").set("interrupts", cells(&[1, 11, 4]));
    };
    assert_eq!(codes(own), [""; 0]);
}

#[test]
fn addresses_are_seen_through_buses() {
    let bus = |ranges: &[u32], reg: u32| {
        let ranges = cells(ranges);
        codes(move |tree| {
            let bus = tree.root.child("bus");
            bus.set("#address-cells", cells(&[1])).set("#size-cells", cells(&[1])).set("ranges", ranges);
            bus.child(&format!("device@{reg:x}")).set("reg", cells(&[reg, 0x1000]));
        })
    };
    assert_eq!(bus(&[0, 0, 0x4000_0000, 0x1000_0000], 0x3ff_f000), [""; 0], "the last page of RAM");
    assert_eq!(bus(&[0, 0, 0x4000_0000, 0x1000_0000], 0x400_0000), [NODE_OF_NOTHING], "the one after it");
    assert_eq!(bus(&[], 0x4000_0000), [""; 0]);
    assert_eq!(bus(&[], 0x8000_0000), [NODE_OF_NOTHING]);
    assert_eq!(bus(&[0, 0, 0x4000_0000, 0x1000], 0x2000), [""; 0], "the CPUs do not see it");
    let unmapped = |tree: &mut Tree| _ = tree.root.child("i2c").child("sensor@48").set("reg", cells(&[0, 0x48, 1]));
    assert_eq!(codes(unmapped), [""; 0], "a bus without `ranges` has no addresses of the CPUs");
}

#[test]
fn what_is_disabled_is_not_looked_at_and_nothing_in_it() {
    let device = |status: &'static str| {
        codes(move |tree| {
            let bus = tree.root.child("bus");
            bus.set("status", strings(&[status])).set("ranges", []);
            bus.child("device@90000000").set("reg", cells(&[0, 0x9000_0000, 0x1000]));
        })
    };
    assert_eq!(device("disabled"), [""; 0]);
    assert_eq!(device("fail"), [""; 0]);
    assert_eq!(device("okay"), [NODE_OF_NOTHING]);
}

#[test]
fn an_interrupt_goes_to_the_controller_that_is_nearest() {
    let nested = |interrupts: &'static [u32]| {
        codes(move |tree| {
            // The vdev's node is the controller of what is in it.
            let gpio = tree.root.child("gpio@1c1d0000");
            gpio.child("button").set("interrupts", cells(interrupts));
        })
    };
    assert_eq!(nested(&[3, 1]), [""; 0], "two cells, as a PL061 has them");
    assert_eq!(nested(&[0, 5, 4]), [NODE_INTERRUPT]);
}

#[test]
fn consoles_that_are_there_or_not_known_are_let_pass() {
    for good in [
        "console=ttyAMA0",
        "console=ttyAMA0,115200n8 console=tty0 console=ttynull console=pstore quiet",
        "earlycon",
        "earlycon=",
        "earlycon=pl011,0x1c090000",
        "earlycon=pl011,mmio32,0x1c090000,115200",
        "-- console=ttyS0",
        "noconsole=ttyS0 foo.console=ttyS0",
        "x=\\\"console=ttyS0 y\\\"",
    ] {
        assert_eq!(of_cmdline(good), [""; 0], "{good}");
    }
    for bad in
        ["console=ttyS0", "console=hvc0", "console=ttyAMA1", "earlycon=pl011,0x9000000", "console=pl011,0x9000000"]
    {
        assert_eq!(of_cmdline(bad), [NO_SUCH_UART], "{bad}");
    }
}

#[test]
fn uarts_are_numbered_by_aliases() {
    let text = "ram 0x40000000,64M load Image vdev pl011 loc 0x1c0a0000 intr gic:38 hostdev -
        vdev pl011 loc 0x1c090000 intr gic:37 hostdev >- fdt load over.dtb cmdline";
    let run = |cmdline: &str| {
        let project = Project::new();
        let mut tree = Tree::default();
        tree.root.child("aliases").set("serial0", strings(&["/none"])).set("serial7", strings(&["/pl011@1c090000"]));
        project.file("over.dtb", &tree.write().unwrap().0);
        project.run(&[&format!("{text} {cmdline}")]).codes
    };
    assert_eq!(run("console=ttyAMA7"), [""; 0]);
    assert_eq!(run("console=ttyAMA1"), [""; 0]);
    assert_eq!(run("console=ttyAMA0"), [NO_SUCH_UART]);
}

//! What of the board goes to a guest, and what does not. The complaints are in `complaints`.

use fdt::Fdt;
use model::{GicVersion, Gpa, Hpa, MemoryType, Pass, PassedInterrupt, Trigger};

use super::super::tree::{Tree, cells, read, strings};
use super::{Outcome, Project};

const REST: &str = "ram 0x40000000,64M\nload Image\n";

fn project() -> Project {
    Project::new()
}

/// A project whose board has two regions: `first`, and `second` directly behind it.
pub(super) fn with_regions() -> Project {
    let mut project = Project::new();
    let from = project.request.root.join("boards/qemu-aarch64");
    let to = project.path().join("boards/qemu-aarch64");
    std::fs::create_dir_all(&to).unwrap();
    for name in ["board.toml", "gicv2.dtb", "gicv3.dtb"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
    let page = std::fs::read_to_string(to.join("board.toml")).unwrap();
    let regions = "[regions.first]\nstart = 0x4400_0000\nlength = \"1M\"\n[regions.second]\nstart = 0x4410_0000\nlength = \"8K\"\n";
    std::fs::write(to.join("board.toml"), page + regions).unwrap();
    project.request.root = project.path().to_owned();
    project
}

/// What is said about a VM with these lines.
pub(super) fn said(project: &Project, lines: &str) -> Outcome {
    project.run(&[&format!("{lines}\n{REST}")])
}

const REGISTERS: Pass = Pass {
    gpa: Gpa(0x901_0000),
    hpa: Hpa(0x901_0000),
    size_bytes: 0x1000,
    write: true,
    execute: false,
    kind: MemoryType::Device,
};

#[test]
fn registers_and_an_interrupt_by_address() {
    let vm = project().vm(&format!("pass loc 0x9010000,0x1000,rw intr gic:34\n{REST}"));
    assert_eq!(vm.passes, [REGISTERS]);
    assert_eq!(vm.interrupts, [PassedInterrupt { host: 34, line: 34, trigger: Trigger::Level, unmasked: false }]);
    let vm = project().vm(&format!("pass loc mem:0x20000000,0x1000,+rwx-wx=0x9010000 intr gic:99=34\n{REST}"));
    assert_eq!(vm.passes, [Pass { gpa: Gpa(0x2000_0000), write: false, ..REGISTERS }]);
    assert_eq!(vm.interrupts, [PassedInterrupt { host: 34, line: 99, trigger: Trigger::Level, unmasked: false }]);
}

#[test]
fn the_controllers_hostvector_counts_from_line_zero() {
    let vm = project().vm(&format!("vdev gic hostvector 8\npass intr gic:40,u\npass intr :41=34\n{REST}"));
    let edge = PassedInterrupt { host: 48, line: 40, trigger: Trigger::Edge, unmasked: true };
    assert_eq!(vm.interrupts, [edge, PassedInterrupt { host: 34, line: 41, trigger: Trigger::Level, unmasked: false }]);
}

#[test]
fn a_node_brings_registers_interrupts_and_itself() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let mut project = project();
        project.request.gic = Some(gic);
        let lines = "pass loc dt:/pl031@9010000\npass loc dt:/pl061@9030000,rw=0x1c000000 intr gic:100=39\npass loc dt:/gpio-keys";
        let assembly = project.good(&[&format!("{lines}\n{REST}")]);
        let (vm, blob) = (&assembly.vms[0], &assembly.trees[0].1);
        assert_eq!(vm.passes, [REGISTERS, Pass { gpa: Gpa(0x1c00_0000), hpa: Hpa(0x903_0000), ..REGISTERS }]);
        assert_eq!(vm.interrupts.iter().map(|i| (i.host, i.line)).collect::<Vec<_>>(), [(34, 34), (39, 100)]);

        let mut tree = read(blob).unwrap();
        let clock = tree.root.child("apb-pclk").get("phandle").unwrap().to_vec();
        let rtc = tree.root.child("pl031@9010000");
        assert_eq!(rtc.get("interrupts"), Some(cells(&[0, 2, 4]).as_slice()));
        assert_eq!(rtc.get("clocks"), Some(clock.as_slice()));
        assert_eq!(rtc.get("interrupt-parent"), None);
        let gpio = tree.root.child("pl061@1c000000");
        assert_eq!(gpio.get("interrupts"), Some(cells(&[0, 68, 4]).as_slice()));
        assert_eq!(gpio.get("reg"), Some(cells(&[0, 0x1c00_0000, 0, 0x1000]).as_slice()));
        let own = gpio.get("phandle").unwrap().to_vec();
        let key = tree.root.child("gpio-keys").child("poweroff").get("gpios").unwrap();
        assert_eq!(key, [own.as_slice(), &cells(&[3, 0])].concat());
        assert!(Fdt::new(blob).unwrap().find_node("/pl031@9010000").is_some());
    }
}

#[test]
fn a_clock_comes_along_and_takes_nobodys_phandle() {
    let project = project();
    let mut over = Tree::default();
    over.root.child("own").set("phandle", cells(&[0x0100_0000]));
    project.file("over.dtb", &over.write().unwrap().0);
    let assembly = project.good(&[&format!("pass loc dt:/pl031@9010000\n{REST}fdt load over.dtb")]);
    let mut tree = read(&assembly.trees[0].1).unwrap();
    // Without a vdev the generated tree has no clock: this one is the board's.
    let clock = tree.root.child("apb-pclk");
    assert_eq!(clock.get("compatible"), Some(strings(&["fixed-clock"]).as_slice()));
    assert_eq!(clock.get("phandle"), Some(cells(&[0x0100_0001]).as_slice()));
}

/// A tree of the user's may describe what is passed, at its address and on its line, and no more.
#[test]
fn a_users_tree_describes_what_is_passed() {
    let project = project();
    let described = |address: u32, line: u32| {
        let mut over = Tree::default();
        over.root.set("#address-cells", cells(&[2])).set("#size-cells", cells(&[2]));
        let rtc = over.root.child(&format!("rtc@{address:x}"));
        rtc.set("compatible", strings(&["arm,pl031"])).set("reg", cells(&[0, address, 0, 0x1000]));
        rtc.set("interrupts", cells(&[0, line - 32, 4]));
        project.file("over.dtb", &over.write().unwrap().0);
        let lines = "pass loc 0x20000000,4K,rw=0x9010000 intr gic:98=34";
        project.run(&[&format!("{lines}\n{REST}fdt load over.dtb")]).codes
    };
    assert_eq!(described(0x2000_0000, 98), [""; 0]);
    assert_eq!(described(0x2000_1000, 98), [crate::codes::NODE_OF_NOTHING]);
    assert_eq!(described(0x2000_0000, 99), [crate::codes::NODE_INTERRUPT]);
}

#[test]
fn regions_are_memory_of_three_kinds() {
    let project = with_regions();
    let lines = "pass loc 0x80000000,0x100000,m=0x44000000\ninitrd pass loc 0x90000000,4K,rc=0x44100000\ndata pass loc 0xa0000000,4K,r=0x44101000";
    let assembly = project.good(&[&format!("{lines}\n{REST}")]);
    let kinds: Vec<_> = assembly.vms[0].passes.iter().map(|pass| (pass.kind, pass.write, pass.execute)).collect();
    let (cached, uncached) = (MemoryType::Cached, MemoryType::Uncached);
    assert_eq!(kinds, [(cached, true, true), (cached, false, false), (uncached, false, false)]);
    assert_eq!(assembly.board.regions.len(), 2);
    let mut tree = read(&assembly.trees[0].1).unwrap();
    assert!(tree.root.children.iter().any(|node| node.name == "memory@80000000"));
    assert_eq!(tree.root.child("chosen").get("linux,initrd-end"), Some(cells(&[0, 0x9000_1000]).as_slice()));
    let seen = assembly.vms[0].memory.iter().map(|memory| memory.gpa).collect::<Vec<_>>();
    assert_eq!(seen, [Gpa(0x4000_0000)], "Ostler neither scrubs nor allocates what is passed");
}

#[test]
fn dma_is_accepted_knowingly_with_a_warning() {
    let outcome = said(&project(), "pass loc dt:/fw-cfg@9020000,rwd");
    assert!(outcome.assembly.is_some());
    assert_eq!(outcome.codes, [crate::codes::PASSED_DMA]);
}

/// The complaints, for `complaints`.
pub(super) fn cases() -> Vec<(&'static str, Outcome)> {
    let of = |lines: &str| said(&project(), lines);
    let two = |first: &str, second: &str| {
        project().run(&[&format!("system one\n{first}\n{REST}"), &format!("system two\n{second}\n{REST}")])
    };
    vec![
        (
            "pass-nothing-there",
            of("pass loc 0x9050000,0x1000,rw\npass loc 0x9030000,0x2000,rw\npass intr gic:200=90 intr gic:2=2"),
        ),
        ("pass-no-node", of("pass loc dt:/pl031@9020000 loc dt:/nothing/at/all")),
        (
            "pass-own",
            of(
                "pass loc 0x9000000,4K,rw intr gic:33\npass loc dt:/intc@8000000 loc dt:/timer loc 0x8080000,0x1000,rw=0x8090000",
            ),
        ),
        ("pass-ram", of("pass loc 0x80000000,1M,rw=0x44000000")),
        (
            "pass-ram-regions",
            said(&with_regions(), "pass loc 0x80000000,1M,rw=0x44200000\npass loc 0x81000000,2M,rwc=0x44000000"),
        ),
        (
            "pass-twice",
            two(
                "pass loc 0x9010000,4K,rw intr gic:34",
                "pass loc dt:/pl031@9010000\npass loc 0x20000000,4K,rw=0x9010000 intr gic:99=34",
            ),
        ),
        ("pass-dma", of("pass loc dt:/fw-cfg@9020000\npass loc 0xa003000,4K,rwn")),
        ("pass-dma-known", of("pass loc dt:/fw-cfg@9020000,rwd")),
        ("pass-shared-page", of("pass loc dt:/virtio_mmio@a000200,rwd")),
        ("pass-attributes", of("pass loc 0x9010000,4K,wx loc 0x9030000,4K,mdn")),
        ("pass-bus", of("pass loc dt:/gpio-keys\npass loc dt:/pcie@10000000,rwd")),
        (
            "pass-overlaps",
            of("pass loc 0x40000000,4K,rw=0x9010000\npass loc 0x1c000000,4K,rw=0x9030000 loc 0x1c000000,64M,r=0x0"),
        ),
        (
            "pass-line-taken",
            of(
                "vdev pl011 loc 0x1c090000 intr gic:34 hostdev -\npass loc dt:/pl031@9010000\npass intr gic:600=39 intr gic:34=35",
            ),
        ),
        ("pass-unmasked-level", of("pass intr gic:34,u")),
        (
            "pass-no-ramdisk",
            of("initrd pass loc dt:/pl031@9010000\ninitrd pass loc 0x9030000,4K,r\nram 16M\ninitrd load ramdisk"),
        ),
        ("pass-node-there", of("vdev pl061 loc 0x1c1d0000 intr gic:38\npass loc dt:/pl061@9030000 loc dt:/gpio-keys")),
    ]
}

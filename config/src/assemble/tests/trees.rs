//! Device trees: the generated one as others read it, and a user's tree over it.

use std::io::Write;
use std::process::{Command, Stdio};

use fdt::Fdt;

use super::super::tree::tests::with_node;
use super::super::tree::{Tree, cells, read, strings};
use super::Project;

const VM: &str = "system guest ram 0x40000000,64M ram 0x80000000,1M rom 0xc0000000,4K cpu cpu cpu
    load Image initrd load ramdisk cmdline \"console=ttyAMA0 quiet\"
    vdev pl011 loc 0x1c090000 intr gic:37 hostdev - vdev pl011 loc 0x1c0a0000 intr gic:38 hostdev >-
    vdev wdt-sp805 intr gic:39 frequency 1000000 vdev pl061 loc 0x1c1d0000 intr gic:40";

/// A tree in source form, as far as tests need it: written by hand so that they run without `dtc`.
pub(super) fn compiled(source: &str) -> Vec<u8> {
    assert_eq!(source, "/ { };", "only the empty tree is known");
    Tree::default().write().unwrap().0
}

fn tree_of(project: &Project, text: &str) -> Vec<u8> {
    project.good(&[text]).trees.remove(0).1
}

#[test]
fn the_generated_tree_as_another_reader_sees_it() {
    let project = Project::new();
    let blob = tree_of(&project, VM);
    let tree = Fdt::new(&blob).unwrap();
    assert_eq!(tree.root().model(), "QVM-v8A");
    assert_eq!(tree.chosen().bootargs(), Some("console=ttyAMA0 quiet"));
    let stdout = tree.find_node("/chosen").unwrap().property("stdout-path").unwrap();
    assert_eq!(stdout.as_str(), Some("serial0:115200n8"));
    let uart = tree.find_node(tree.aliases().unwrap().resolve("serial0").unwrap()).unwrap();
    assert_eq!(uart.reg().unwrap().next().unwrap().starting_address as u64, 0x1c09_0000);

    let memory: Vec<_> = tree
        .find_all_nodes("/memory")
        .flat_map(|node| node.reg().unwrap())
        .map(|range| (range.starting_address as usize, range.size.unwrap()))
        .collect();
    assert_eq!(memory, [(0x4000_0000, 64 << 20), (0x8000_0000, 1 << 20)], "rom is not memory");
    let cpus: Vec<_> = tree.cpus().map(|cpu| cpu.ids().first()).collect();
    assert_eq!(cpus, [0, 1, 2]);
    assert!(tree.cpus().all(|cpu| cpu.property("enable-method").unwrap().as_str() == Some("psci")));

    let gic = tree.find_compatible(&["arm,gic-v3"]).unwrap();
    let frames: Vec<_> = gic.reg().unwrap().map(|frame| (frame.starting_address as usize, frame.size)).collect();
    assert_eq!(frames, [(0x2f00_0000, Some(0x1_0000)), (0x2f10_0000, Some(0x6_0000))]);
    assert_eq!(gic.property("phandle").unwrap().value, tree.root().property("interrupt-parent").unwrap().value);
    let uart = tree.find_node("/pl011@1c0a0000").unwrap();
    assert_eq!(uart.property("interrupts").unwrap().value, cells(&[0, 6, 4]));
    let psci = tree.find_node("/psci").unwrap();
    assert_eq!(psci.property("method").unwrap().as_str(), Some("hvc"));
    let timer = tree.find_compatible(&["arm,armv8-timer"]).unwrap();
    assert_eq!(timer.property("interrupts").unwrap().value, cells(&[1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]));

    let chosen = tree.find_node("/chosen").unwrap();
    let initrd = |end: &str| chosen.property(&format!("linux,initrd-{end}")).unwrap().as_usize().unwrap();
    assert_eq!((initrd("start"), initrd("end") - initrd("start")), (0x4010_0000, 0x1808));
}

#[test]
fn a_watchdog_and_a_power_key_are_what_their_bindings_want() {
    let project = Project::new();
    let blob = tree_of(&project, VM);
    let tree = Fdt::new(&blob).unwrap();
    let property = |path: &str, name: &str| tree.find_node(path).unwrap().property(name).unwrap().value.to_vec();
    let watchdog = "/watchdog@1c0f0000";
    assert_eq!(property(watchdog, "compatible"), strings(&["arm,sp805", "arm,primecell"]));
    assert_eq!(property(watchdog, "clock-names"), strings(&["wdog_clk", "apb_pclk"]));
    assert_eq!(property(watchdog, "interrupts"), cells(&[0, 7, 4]));
    let clocks = [property("/watchdog-clk", "phandle"), property("/apb-pclk", "phandle")].concat();
    assert_eq!(property(watchdog, "clocks"), clocks);
    assert_eq!(property("/watchdog-clk", "clock-frequency"), cells(&[1_000_000]));
    let gpio = "/gpio@1c1d0000";
    assert_eq!(property(gpio, "compatible"), strings(&["arm,pl061", "arm,primecell"]));
    assert_eq!((property(gpio, "#gpio-cells"), property(gpio, "#interrupt-cells")), (cells(&[2]), cells(&[2])));
    let key = "/gpio-keys/key-poweroff";
    assert_eq!(property(key, "linux,code"), cells(&[116]));
    assert_eq!(property(key, "gpios"), [property(gpio, "phandle"), cells(&[3, 0])].concat());
    assert_eq!(property(key, "label"), strings(&["GPIO Key Poweroff"]));
    let uarts: Vec<_> = tree.aliases().unwrap().all().map(|(name, _)| name).collect();
    assert_eq!(uarts, ["serial0", "serial1"], "only UARTs are serial");
}

#[test]
fn the_tree_of_a_guest_with_a_gicv2() {
    let mut project = Project::new();
    project.request.gic = Some(model::GicVersion::V2);
    let blob = tree_of(&project, VM);
    let tree = Fdt::new(&blob).unwrap();
    let gic = tree.find_compatible(&["arm,gic-400"]).unwrap();
    assert_eq!(gic.name, "interrupt-controller@2f000000");
    let frames: Vec<_> = gic.reg().unwrap().map(|frame| (frame.starting_address as usize, frame.size)).collect();
    assert_eq!(frames, [(0x2f00_0000, Some(0x1000)), (0x2f01_0000, Some(0x2000))]);
    assert_eq!(gic.property("#interrupt-cells").unwrap().as_usize(), Some(3));
    assert!(tree.find_compatible(&["arm,gic-v3"]).is_none());
    let timers = |blob: &[u8]| {
        let tree = Fdt::new(blob).unwrap();
        tree.find_compatible(&["arm,armv8-timer"]).unwrap().property("interrupts").unwrap().value.to_vec()
    };
    assert_eq!(timers(&blob), cells(&[1, 13, 0x704, 1, 14, 0x704, 1, 11, 0x704, 1, 10, 0x704]), "wired to three CPUs");
    let eight = tree_of(&project, &format!("{VM} cpu cpu cpu cpu cpu"));
    assert_eq!(timers(&eight)[8..12], cells(&[0xff04]));
    let uart = tree.find_node("/pl011@1c0a0000").unwrap();
    assert_eq!(uart.property("interrupts").unwrap().value, cells(&[0, 6, 4]), "a shared line is wired to no CPU");
}

#[test]
fn seeds_are_zero_and_their_places_are_known() {
    let assembly = Project::new().good(&[VM]);
    let blob = &assembly.trees[0].1;
    let tree = Fdt::new(blob).unwrap();
    let seeds = &assembly.vms[0].loads.last().unwrap().seeds;
    for (name, seed) in ["kaslr-seed", "rng-seed"].iter().zip(seeds) {
        let value = tree.find_node("/chosen").unwrap().property(name).unwrap().value;
        let offset = value.as_ptr() as usize - blob.as_ptr() as usize;
        assert_eq!((offset as u64, value.len() as u64), (seed.offset, seed.size_bytes), "{name}");
        assert!(value.iter().all(|&byte| byte == 0));
    }
    assert_eq!(seeds.len(), 2);
}

#[test]
fn a_vm_without_console_and_ram_disk_has_neither_in_its_tree() {
    let project = Project::new();
    let blob = tree_of(&project, "ram 64M load Image");
    let tree = Fdt::new(&blob).unwrap();
    let chosen = tree.find_node("/chosen").unwrap();
    for absent in ["bootargs", "stdout-path", "linux,initrd-start"] {
        assert!(chosen.property(absent).is_none(), "{absent}");
    }
    assert!(tree.find_node("/apb-pclk").is_none() && tree.aliases().is_none());
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts no processes")]
fn what_dtc_thinks_of_the_generated_tree() {
    let project = Project::new();
    let blob = tree_of(&project, VM);
    let dtc = Command::new("dtc")
        .args(["-I", "dtb", "-O", "dts"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    // `dtc` is part of the set-up for the whole test run but not needed to work on this crate.
    let Ok(mut dtc) = dtc else { return };
    dtc.stdin.take().unwrap().write_all(&blob).unwrap();
    let output = dtc.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success() && !output.stdout.is_empty());
}

#[test]
fn a_users_tree_adds_and_overrides() {
    let project = Project::new();
    let mut over = with_node("chosen", &[("bootargs", strings(&["mine"])), ("rng-seed", vec![7; 8])]);
    over.root.child("reserved-memory").child("buffer@41000000").set("reg", cells(&[0, 0x4100_0000, 0, 0x1000]));
    over.root.child("gpio").set("phandle", cells(&[1]));
    over.reservations.push((0x4200_0000, 0x1000));
    project.file("over.dtb", &over.write().unwrap().0);
    let assembly = project.good(&[&format!("{VM} fdt load over.dtb")]);
    let merged = read(&assembly.trees[0].1).unwrap();
    let at = |path: &str| merged.clone().root.at_path(path).cloned().unwrap();
    assert_eq!(at("/chosen").get("bootargs").unwrap(), b"mine\0");
    assert_eq!(at("/chosen").get("rng-seed").unwrap(), [7; 8]);
    assert_eq!(at("/reserved-memory/buffer@41000000").get("reg").unwrap().len(), 16);
    assert_eq!(merged.reservations, [(0x4200_0000, 0x1000)]);
    let gic = at("/interrupt-controller@2f000000");
    assert_ne!(gic.get("phandle").unwrap(), cells(&[1]), "generated phandles keep off the user's");
    assert_eq!(Some(gic.get("phandle").unwrap()), merged.root.get("interrupt-parent"));
    let seeds = &assembly.vms[0].loads.last().unwrap().seeds;
    assert_eq!(seeds.len(), 1, "a seed of the user's is not overwritten");
}

//! The device tree of a VM: what an arm64 guest needs to find everything that its qvm file gave it.

use model::{Access, Gic, GicVersion, Memory, POWER_KEY_LINE, affinity};
use sha2::{Digest, Sha512};

use super::super::claims::Range;
use super::super::{Vdev, VdevKind};
use super::{Node, Tree, cells, strings, wide};

/// What the tree describes.
pub(in super::super) struct Facts<'a> {
    pub(in super::super) memory: &'a [Memory],
    pub(in super::super) vcpus: u32,
    pub(in super::super) gic: &'a Gic,
    pub(in super::super) vdevs: &'a [Vdev],
    pub(in super::super) cmdline: Option<&'a str>,
    /// Phandles that no other tree uses.
    pub(in super::super) phandles: [u32; 4],
}

/// Interrupt types and flags of the GIC's bindings (bindings/interrupt-controller/arm,gic.yaml and arm,gic-v3.yaml).
const SPI: u32 = 0;
const PPI: u32 = 1;
const LEVEL_HIGH: u32 = 4;
/// PPIs of the timers: secure, non-secure physical, virtual, hypervisor (DEN 0094, Base System Architecture, 3.7).
const TIMERS: [u32; 4] = [13, 14, 11, 10];
/// The bus clock of PrimeCells, which the PL011's driver divides too; no vdev cares.
const BUS_CLOCK_HZ: u32 = 24_000_000;
/// KEY_POWER of Linux's `input-event-codes.h`.
const KEY_POWER: u32 = 116;

/// Values that cannot occur by chance, at places that boot fills with random bytes: kaslr-seed and rng-seed.
pub(super) fn seed_patterns() -> [Vec<u8>; 2] {
    let noise = |what: &str| Sha512::digest(what).to_vec();
    [noise("Ostler: kaslr-seed")[..8].to_vec(), noise("Ostler: rng-seed")]
}

/// The tree of one VM.
pub(in super::super) fn generate(facts: &Facts) -> Tree {
    let [gic_phandle, ..] = facts.phandles;
    let mut root = Node::default();
    root.set("#address-cells", cells(&[2]))
        .set("#size-cells", cells(&[2]))
        // By this model a guest knows qvm's machine; by this compatible string Linux knows a machine without quirks.
        .set("model", strings(&["QVM-v8A"]))
        .set("compatible", strings(&["linux,dummy-virt"]))
        .set("interrupt-parent", cells(&[gic_phandle]));
    let uarts = facts.vdevs.iter().filter(|vdev| matches!(vdev.kind, VdevKind::Pl011 { .. }));
    let uarts: Vec<String> = uarts.map(|vdev| format!("/{}", node_name(vdev))).collect();
    for (index, path) in uarts.iter().enumerate() {
        root.child("aliases").set(&format!("serial{index}"), strings(&[path]));
    }
    chosen(root.child("chosen"), facts, !uarts.is_empty());
    for memory in facts.memory.iter().filter(|memory| memory.access == Access::ReadWrite) {
        root.child(&unit("memory", memory.gpa.0))
            .set("device_type", strings(&["memory"]))
            .set("reg", wide(&[memory.gpa.0, memory.size_bytes]));
    }
    cpus(root.child("cpus"), facts.vcpus);
    root.child("psci").set("compatible", strings(&["arm,psci-1.0", "arm,psci-0.2"])).set("method", strings(&["hvc"]));
    let timers = TIMERS.iter().flat_map(|&timer| [PPI, timer, private_level_high(facts)]).collect::<Vec<_>>();
    root.child("timer").set("compatible", strings(&["arm,armv8-timer"])).set("interrupts", cells(&timers));
    gic(root.child(&unit("interrupt-controller", facts.gic.distributor.0)), facts, gic_phandle);
    primecells(&mut root, facts);
    Tree { root, reservations: vec![] }
}

/// Says where the RAM disk is, unless a user's tree does.
pub(in super::super) fn tell_initrd(tree: &mut Tree, initrd: Range) {
    let chosen = tree.root.child("chosen");
    if chosen.get("linux,initrd-start").is_none() && chosen.get("linux,initrd-end").is_none() {
        chosen.set("linux,initrd-start", wide(&[initrd.start])).set("linux,initrd-end", wide(&[initrd.end]));
    }
}

/// The name of a vdev's node, which is below the root.
pub(in super::super) fn node_name(vdev: &Vdev) -> String {
    let name = match vdev.kind {
        VdevKind::Pl011 { .. } => "pl011",
        VdevKind::Pl061 => "gpio",
        VdevKind::Sp805 { .. } => "watchdog",
        _ => "device",
    };
    unit(name, vdev.address())
}

/// The vdevs, all of which are PrimeCells, and their clocks.
fn primecells(root: &mut Node, facts: &Facts) {
    let [_, bus, watchdog, gpio] = facts.phandles;
    if !facts.vdevs.is_empty() {
        clock(root.child("apb-pclk"), BUS_CLOCK_HZ, "clk24mhz", bus);
    }
    for vdev in facts.vdevs {
        let (compatible, clocks, names) = match vdev.kind {
            VdevKind::Pl011 { .. } => ("arm,pl011", vec![bus, bus], vec!["uartclk", "apb_pclk"]),
            VdevKind::Pl061 => ("arm,pl061", vec![bus], vec!["apb_pclk"]),
            VdevKind::Sp805 { .. } => ("arm,sp805", vec![watchdog, bus], vec!["wdog_clk", "apb_pclk"]),
            // A PC's, which ACPI describes.
            _ => continue,
        };
        let node = root.child(&node_name(vdev));
        node.set("compatible", strings(&[compatible, "arm,primecell"]))
            .set("reg", wide(&vdev.frame().map_or([0; 2], |(gpa, size)| [gpa.0, size])))
            .set("clocks", cells(&clocks))
            .set("clock-names", strings(&names));
        if let Some(line) = vdev.line().and_then(|line| line.checked_sub(32)) {
            node.set("interrupts", cells(&[SPI, line, LEVEL_HIGH]));
        }
        match vdev.kind {
            VdevKind::Pl061 => {
                node.set("gpio-controller", [])
                    .set("#gpio-cells", cells(&[2]))
                    .set("interrupt-controller", [])
                    .set("#interrupt-cells", cells(&[2]))
                    .set("#address-cells", cells(&[0]))
                    .set("phandle", cells(&[gpio]));
                power_key(root.child("gpio-keys"), gpio);
            }
            VdevKind::Sp805 { frequency_hz } => {
                clock(root.child("watchdog-clk"), frequency_hz, "wdog_clk", watchdog);
            }
            _ => {}
        }
    }
}

/// A clock that always runs (bindings/clock/fixed-clock.yaml).
fn clock(node: &mut Node, hz: u32, name: &str, phandle: u32) {
    node.set("compatible", strings(&["fixed-clock"]))
        .set("#clock-cells", cells(&[0]))
        .set("clock-frequency", cells(&[hz]))
        .set("clock-output-names", strings(&[name]))
        .set("phandle", cells(&[phandle]));
}

/// The key on the GPIO's line, high when it is down (bindings/input/gpio-keys.yaml): what QEMU's `virt` machine has, too.
fn power_key(node: &mut Node, gpio: u32) {
    node.set("compatible", strings(&["gpio-keys"]));
    node.child("key-poweroff")
        .set("label", strings(&["GPIO Key Poweroff"]))
        .set("linux,code", cells(&[KEY_POWER]))
        .set("gpios", cells(&[gpio, POWER_KEY_LINE, 0]));
}

fn chosen(node: &mut Node, facts: &Facts, has_uart: bool) {
    if let Some(cmdline) = facts.cmdline {
        node.set("bootargs", strings(&[cmdline]));
    }
    if has_uart {
        node.set("stdout-path", strings(&["serial0:115200n8"]));
    }
    let [kaslr, rng] = seed_patterns();
    node.set("kaslr-seed", kaslr).set("rng-seed", rng);
}

fn cpus(node: &mut Node, vcpus: u32) {
    node.set("#address-cells", cells(&[2])).set("#size-cells", cells(&[0]));
    for affinity in (0..vcpus).map(affinity) {
        node.child(&unit("cpu", affinity))
            .set("device_type", strings(&["cpu"]))
            .set("compatible", strings(&["arm,armv8"]))
            .set("reg", wide(&[affinity]))
            .set("enable-method", strings(&["psci"]));
    }
}

fn gic(node: &mut Node, facts: &Facts, phandle: u32) {
    let gic = facts.gic;
    let compatible = match gic.version {
        GicVersion::V2 => "arm,gic-400",
        GicVersion::V3 => "arm,gic-v3",
    };
    let frames = [gic.distributor.0, gic.distributor_bytes(), gic.cpus.0, gic.cpus_bytes(facts.vcpus)];
    node.set("compatible", strings(&[compatible]))
        .set("#interrupt-cells", cells(&[3]))
        .set("interrupt-controller", [])
        .set("#address-cells", cells(&[2]))
        .set("#size-cells", cells(&[2]))
        .set("ranges", [])
        .set("reg", wide(&frames))
        .set("phandle", cells(&[phandle]));
}

/// The flags of a level-triggered PPI. GICv2's binding wants the CPUs that it is wired to in bits 8 to 15.
fn private_level_high(facts: &Facts) -> u32 {
    match facts.gic.version {
        GicVersion::V2 => (0xff >> 8_u32.saturating_sub(facts.vcpus)) << 8 | LEVEL_HIGH,
        GicVersion::V3 => LEVEL_HIGH,
    }
}

/// A node's name with its unit address.
fn unit(name: &str, address: u64) -> String {
    format!("{name}@{address:x}")
}

//! The device tree of a VM: what an arm64 guest needs to find everything that its qvm file gave it.

use model::{Access, Gic, GicVersion, Memory, VdevKind, affinity};
use sha2::{Digest, Sha512};

use super::super::Vdev;
use super::super::claims::Range;
use super::{Node, Tree, cells, strings, wide};

/// What the tree describes.
pub(in super::super) struct Facts<'a> {
    pub(in super::super) memory: &'a [Memory],
    pub(in super::super) vcpus: u32,
    pub(in super::super) gic: &'a Gic,
    pub(in super::super) vdevs: &'a [Vdev],
    pub(in super::super) cmdline: Option<&'a str>,
    pub(in super::super) initrd: Option<Range>,
    /// Two phandles that no other tree uses.
    pub(in super::super) phandles: [u32; 2],
}

/// Interrupt types and flags of the GIC's bindings (bindings/interrupt-controller/arm,gic.yaml and arm,gic-v3.yaml).
const SPI: u32 = 0;
const PPI: u32 = 1;
const LEVEL_HIGH: u32 = 4;
/// PPIs of the timers: secure, non-secure physical, virtual, hypervisor (DEN 0094, Base System Architecture, 3.7).
const TIMERS: [u32; 4] = [13, 14, 11, 10];
/// The clock that the PL011's driver divides; the vdev does not care.
const UART_CLOCK_HZ: u32 = 24_000_000;

/// Values that cannot occur by chance, at places that boot fills with random bytes: kaslr-seed and rng-seed.
pub(super) fn seed_patterns() -> [Vec<u8>; 2] {
    let noise = |what: &str| Sha512::digest(what).to_vec();
    [noise("Ostler: kaslr-seed")[..8].to_vec(), noise("Ostler: rng-seed")]
}

/// The tree of one VM.
pub(in super::super) fn generate(facts: &Facts) -> Tree {
    let [gic_phandle, clock_phandle] = facts.phandles;
    let mut root = Node::default();
    root.set("#address-cells", cells(&[2]))
        .set("#size-cells", cells(&[2]))
        // By this model a guest knows qvm's machine; by this compatible string Linux knows a machine without quirks.
        .set("model", strings(&["QVM-v8A"]))
        .set("compatible", strings(&["linux,dummy-virt"]))
        .set("interrupt-parent", cells(&[gic_phandle]));
    let uarts: Vec<String> = facts.vdevs.iter().map(|vdev| format!("/{}", unit("pl011", vdev.gpa.0))).collect();
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
    if !uarts.is_empty() {
        root.child("apb-pclk")
            .set("compatible", strings(&["fixed-clock"]))
            .set("#clock-cells", cells(&[0]))
            .set("clock-frequency", cells(&[UART_CLOCK_HZ]))
            .set("clock-output-names", strings(&["clk24mhz"]))
            .set("phandle", cells(&[clock_phandle]));
    }
    for vdev in facts.vdevs {
        let VdevKind::Pl011 { .. } = vdev.kind;
        let node = root.child(&unit("pl011", vdev.gpa.0));
        node.set("compatible", strings(&["arm,pl011", "arm,primecell"]))
            .set("reg", wide(&[vdev.gpa.0, vdev.size_bytes]))
            .set("clocks", cells(&[clock_phandle, clock_phandle]))
            .set("clock-names", strings(&["uartclk", "apb_pclk"]));
        if let Some(line) = vdev.intid.and_then(|intid| intid.checked_sub(32)) {
            node.set("interrupts", cells(&[SPI, line, LEVEL_HIGH]));
        }
    }
    Tree { root, reservations: vec![] }
}

fn chosen(node: &mut Node, facts: &Facts, has_uart: bool) {
    if let Some(cmdline) = facts.cmdline {
        node.set("bootargs", strings(&[cmdline]));
    }
    if has_uart {
        node.set("stdout-path", strings(&["serial0:115200n8"]));
    }
    if let Some(initrd) = facts.initrd {
        node.set("linux,initrd-start", wide(&[initrd.start])).set("linux,initrd-end", wide(&[initrd.end]));
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

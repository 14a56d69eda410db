//! What devices a Linux guest found, by its own word: the driver core tells of each that it adds to a bus and of each that it
//! binds to a driver, if asked by the kernel's dynamic debug. Which interrupts they have is in the guest's device tree; of ACPI's
//! devices, which a PC has instead, the kernel tells that, too.

use std::collections::{BTreeMap, BTreeSet};

use fdt::Fdt;

use super::log;

/// What makes the kernel tell of its devices (Linux, Documentation/admin-guide/dynamic-debug-howto.rst).
pub(super) const WORDS: &str =
    r#"ignore_loglevel dyndbg="file drivers/base/bus.c +p; file drivers/base/dd.c +p; file drivers/pnp/* +p""#;

/// The buses on which hardware is found; on the others are the kernel's own ideas.
const BUSES: [&str; 5] = ["platform", "amba", "pci", "pnp", "virtio"];

/// A device by what it is, so that the same one at another address is the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) bus: String,
    /// The device's name without its address.
    pub(super) name: String,
}

/// The devices of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Devices {
    /// Full names, as `9000000.pl011`.
    pub(super) names: Vec<String>,
    /// Drivers that were bound to them.
    pub(super) drivers: BTreeSet<String>,
    /// Their interrupts: raw INTIDs, or lines of a PC.
    pub(super) interrupts: BTreeSet<u32>,
}

/// All devices of a log; their interrupts come from the device tree `tree`.
pub(super) fn devices(console: &str, tree: &[u8]) -> BTreeMap<Kind, Devices> {
    let mut interrupts = interrupts(tree);
    let ids = plug_and_play(console, &mut interrupts);
    let mut found: BTreeMap<Kind, Devices> = BTreeMap::new();
    for line in log::lines(console) {
        let Some((bus, event)) = line.text.strip_prefix("bus: '").and_then(|rest| rest.split_once("': ")) else {
            continue;
        };
        let (name, driver) = match event.strip_prefix("add device ") {
            Some(name) => (name, None),
            None => {
                match event.strip_prefix("really_probe: bound device ").and_then(|rest| rest.split_once(" to driver "))
                {
                    Some((name, driver)) => (name, Some(driver)),
                    None => continue,
                }
            }
        };
        if !BUSES.contains(&bus) {
            continue;
        }
        let kind = Kind { bus: bus.into(), name: ids.get(name).copied().unwrap_or(without_address(name)).into() };
        let devices = found.entry(kind).or_default();
        if !devices.names.iter().any(|known| known == name) {
            devices.names.push(name.into());
        }
        devices.drivers.extend(driver.map(String::from));
        devices.interrupts.extend(interrupts.get(name).into_iter().flatten());
    }
    found
}

/// What ACPI's devices are, by their names, as `00:02`, which are numbers in the order of their finding. Adds their interrupts.
///
/// ```text
/// pnp 00:02: [irq 4]
/// pnp 00:02: Plug and Play ACPI device, IDs PNP0501 (active)
/// ```
fn plug_and_play<'a>(console: &'a str, interrupts: &mut BTreeMap<String, Vec<u32>>) -> BTreeMap<&'a str, &'a str> {
    let mut ids = BTreeMap::new();
    for line in log::lines(console) {
        // Once it is bound, the driver's name is in the place of the bus's.
        let Some((name, told)) = line.text.split_once(' ').and_then(|(_, rest)| rest.split_once(": ")) else {
            continue;
        };
        if let Some(id) = told.strip_prefix("Plug and Play ACPI device, IDs ") {
            ids.insert(name, id.split(' ').next().unwrap_or(id));
        } else if let Some(irq) = told.strip_prefix("[irq ").and_then(|rest| rest.strip_suffix(']')?.parse().ok()) {
            interrupts.entry(name.into()).or_default().push(irq);
        }
    }
    ids
}

/// `pl011` of `9000000.pl011`. What has no address, or is one (as a PCI function's), stays whole.
fn without_address(name: &str) -> &str {
    match name.split_once('.') {
        Some((address, rest)) if u64::from_str_radix(address, 16).is_ok() => rest,
        _ => name.split_once('@').map_or(name, |(rest, _)| rest),
    }
}

/// The interrupts of each node, under the name that Linux gives the device: `9000000.pl011` for `pl011@9000000`.
fn interrupts(tree: &[u8]) -> BTreeMap<String, Vec<u32>> {
    let mut all = BTreeMap::new();
    let Ok(tree) = Fdt::new(tree) else { return all };
    for node in tree.all_nodes() {
        let Some(interrupts) = node.property("interrupts") else { continue };
        let cells: Vec<u32> = interrupts
            .value
            .chunks_exact(4)
            .map(|cell| cell.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
            .collect();
        // Three cells for a GIC: SPI or PPI, number, flags (Linux, bindings/interrupt-controller/arm,gic-v3.yaml).
        let intids = cells.chunks_exact(3).filter_map(|cells| match cells {
            [0, line, _] => line.checked_add(32),
            [1, line, _] => line.checked_add(16),
            _ => None,
        });
        let name = match node.name.split_once('@') {
            Some((name, address)) => format!("{address}.{name}"),
            None => node.name.to_owned(),
        };
        all.insert(name, intids.collect());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_what_it_is() {
        assert_eq!(without_address("9000000.pl011"), "pl011");
        assert_eq!(without_address("platform-bus@c000000"), "platform-bus");
        assert_eq!(without_address("0000:00:00.0"), "0000:00:00.0");
        assert_eq!(without_address("alarmtimer.0.auto"), "alarmtimer.0.auto");
        assert_eq!(without_address("gpio-keys"), "gpio-keys");
    }

    #[test]
    fn devices_drivers_and_interrupts_come_together() {
        let console = "\
[    0.019660] bus: 'platform': add device a000000.virtio_mmio\r
[    0.019802] bus: 'platform': add device a000200.virtio_mmio\r
[    0.024764] bus: 'amba': add device 9000000.pl011\r
[    0.024765] bus: 'cpu': add device cpu0\r
[    0.138000] bus: 'amba': really_probe: probing driver uart-pl011 with device 9000000.pl011\r
[    0.138100] bus: 'amba': really_probe: bound device 9000000.pl011 to driver uart-pl011\r
";
        let mut writer = vm_fdt::FdtWriter::new().unwrap();
        let root = writer.begin_node("").unwrap();
        let uart = writer.begin_node("pl011@9000000").unwrap();
        writer.property_array_u32("interrupts", &[0, 1, 4]).unwrap();
        writer.end_node(uart).unwrap();
        writer.end_node(root).unwrap();
        let found = devices(console, &writer.finish().unwrap());
        let all: Vec<_> = found.iter().map(|(kind, devices)| (kind.name.as_str(), devices.names.len())).collect();
        assert_eq!(all, [("pl011", 1), ("virtio_mmio", 2)]);
        let uart = &found[&Kind { bus: "amba".into(), name: "pl011".into() }];
        assert_eq!(uart.drivers, BTreeSet::from(["uart-pl011".into()]));
        assert_eq!(uart.interrupts, BTreeSet::from([33]));
    }

    #[test]
    fn devices_of_acpi_are_known_by_their_ids() {
        let console = "\
[    0.537517] pnp 00:02: [io  0x03f8-0x03ff]\r
[    0.537532] pnp 00:02: [irq 4]\r
[    0.537558] bus: 'pnp': add device 00:02\r
[    0.537597] pnp 00:02: Plug and Play ACPI device, IDs PNP0501 (active)\r
[    0.537778] bus: 'pnp': add device 00:04\r
[    0.537902] bus: 'pnp': really_probe: bound device 00:04 to driver system\r
[    0.537921] system 00:04: Plug and Play ACPI device, IDs PNP0c01 PNP0c02 (active)\r
[    0.637400] bus: 'pnp': really_probe: bound device 00:02 to driver serial\r
";
        let found = devices(console, &[]);
        let all: Vec<_> = found.keys().map(|kind| kind.name.as_str()).collect();
        assert_eq!(all, ["PNP0501", "PNP0c01"]);
        let uart = &found[&Kind { bus: "pnp".into(), name: "PNP0501".into() }];
        assert_eq!(uart.names, ["00:02"]);
        assert_eq!((&uart.drivers, &uart.interrupts), (&BTreeSet::from(["serial".into()]), &BTreeSet::from([4])));
    }
}

//! The DSDT: the PCI bus, and the devices that no bus tells of, the guest's own ones of the board among them. Virtio devices in memory will be here too, as `LNRO0005`.

use acpi_tables::Aml;
use acpi_tables::aml::{
    AddressSpace, AddressSpaceCacheable, Device, EISAName, IO, Interrupt, Memory32Fixed, Name, Package, Path,
    ResourceTemplate, Scope,
};
use model::{Ports, Trigger};

use super::{Facts, aml, fixed};
use crate::assemble::passing::Told;
use crate::assemble::{Place, Vdev, VdevKind};

/// SLP_TYP of S5, for both PM1 control registers.
const SOFT_OFF: u8 = 5;

pub(super) fn table(facts: &Facts) -> Vec<u8> {
    let mut devices = vec![pci(facts), motherboard(facts)];
    let mut uarts = 0_u8;
    for vdev in facts.vdevs {
        let (name, id) = match vdev.kind {
            VdevKind::Ser8250 { .. } => {
                uarts += 1;
                (format!("COM{uarts:X}"), "PNP0501")
            }
            VdevKind::Timer8254 => ("TMR0".to_owned(), "PNP0100"),
            VdevKind::Mc146818 { .. } => ("RTC0".to_owned(), "PNP0B00"),
            VdevKind::Hpet => ("HPET".to_owned(), "PNP0103"),
            VdevKind::PcKeyboard => ("KBD0".to_owned(), "PNP0303"),
            _ => continue,
        };
        devices.push(device(vdev, &name, id, uarts.saturating_sub(1)));
    }
    devices.extend((0_u8..16).zip(facts.passed).map(|(index, told)| passed(told, index)));
    if facts.machine.has_pic {
        let ports = model::Pc::PIC_PORTS.iter().map(io).collect();
        devices.push(plain("PIC0", "PNP0000", 0, ports));
    }
    let scope = Scope::raw(Path::new("\\_SB_"), devices.concat());
    let off: Vec<&dyn Aml> = vec![&SOFT_OFF, &SOFT_OFF, &0_u8, &0_u8];
    let off = aml(&Name::new(Path::new("\\_S5_"), &Package::new(off)));
    fixed::table(*b"DSDT", 2, &[scope, off].concat())
}

/// A device of a known kind with its place and its line.
fn device(vdev: &Vdev, name: &str, id: &str, number: u8) -> Vec<u8> {
    let mut resources: Vec<Box<dyn Aml>> = match &vdev.place {
        Place::Ports(ranges) => ranges.iter().map(io).collect(),
        Place::Memory { gpa, size_bytes } => {
            let [base, length] = [gpa.0, *size_bytes].map(|value| u32::try_from(value).unwrap_or(0));
            vec![Box::new(Memory32Fixed::new(false, base, length))]
        }
    };
    // Which lines a HPET has says it itself, timer by timer.
    if let (Some(line), false) = (vdev.line(), matches!(vdev.kind, VdevKind::Hpet)) {
        // Of its own, an edge, high: as on the ISA bus.
        resources.push(Box::new(Interrupt::new(true, true, false, false, line)));
    }
    plain(name, id, number, resources)
}

/// A device of the board. Their numbers are behind those of vdevs of the same kind.
fn passed(told: &Told, index: u8) -> Vec<u8> {
    let mut resources: Vec<Box<dyn Aml>> = told.ports.iter().map(io).collect();
    for range in &told.memory {
        let [base, length] = [range.start, range.size()].map(|value| u32::try_from(value).unwrap_or(0));
        resources.push(Box::new(Memory32Fixed::new(true, base, length)));
    }
    for &(line, trigger) in &told.lines {
        // A line of the guest's own controllers is asserted or not: high.
        resources.push(Box::new(Interrupt::new(true, trigger == Trigger::Edge, false, false, line)));
    }
    plain(&format!("BRD{index:X}"), &told.id, 0x10 + index, resources)
}

fn plain(name: &str, id: &str, number: u8, resources: Vec<Box<dyn Aml>>) -> Vec<u8> {
    let resources = ResourceTemplate::new(resources.iter().map(Box::as_ref).collect());
    let (id, number) = (Name::new("_HID".into(), &EISAName::new(id)), Name::new("_UID".into(), &number));
    let resources = Name::new("_CRS".into(), &resources);
    aml(&Device::new(Path::new(name), vec![&id, &number, &resources]))
}

/// The host bridge and what it lets through to bus 0, the only one.
fn pci(facts: &Facts) -> Vec<u8> {
    let mut resources: Vec<Box<dyn Aml>> = vec![
        Box::new(AddressSpace::new_bus_number(0_u16, 0)),
        Box::new(IO::new(0xcf8, 0xcf8, 1, 8)),
        Box::new(AddressSpace::new_io(0_u16, 0xcf7, None)),
        Box::new(AddressSpace::new_io(0xd00_u16, 0xffff, None)),
    ];
    if let Some(window) = facts.window {
        let [start, last] = [window.start, window.end - 1].map(|address| u32::try_from(address).unwrap_or(0));
        let kind = AddressSpaceCacheable::NotCacheable;
        resources.push(Box::new(AddressSpace::new_memory(kind, true, start, last, None)));
    }
    let resources = ResourceTemplate::new(resources.iter().map(Box::as_ref).collect());
    let id = Name::new("_HID".into(), &EISAName::new("PNP0A03"));
    let (number, bus) = (Name::new("_UID".into(), &0_u8), Name::new("_BBN".into(), &0_u8));
    let resources = Name::new("_CRS".into(), &resources);
    aml(&Device::new(Path::new("PCI0"), vec![&id, &number, &bus, &resources]))
}

/// Ports that are nobody's to give away: those of ACPI and of port 0x92.
fn motherboard(facts: &Facts) -> Vec<u8> {
    let mine = |vdev: &&Vdev| matches!(vdev.kind, VdevKind::AcpiPower | VdevKind::Port92);
    let ranges = facts.vdevs.iter().filter(mine).flat_map(|vdev| match &vdev.place {
        Place::Ports(ranges) => ranges.as_slice(),
        Place::Memory { .. } => &[],
    });
    plain("MBRD", "PNP0C02", 0, ranges.map(io).collect())
}

fn io(range: &Ports) -> Box<dyn Aml> {
    Box::new(IO::new(range.first, range.first, 1, u8::try_from(range.count).unwrap_or(u8::MAX)))
}

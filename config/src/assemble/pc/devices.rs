//! The interrupt controllers and the vdevs of a PC, those of its file and those that are there unasked: local APICs, the PCI
//! host bridge, ACPI's power management, the reset control and port 0x92.

use std::collections::HashMap;

use model::{Gpa, PAGE_BYTES, Pc, PciFunction, Ports};

use crate::assemble::claims::Claims;
use crate::assemble::lines::Lines;
use crate::assemble::ports::PortClaims;
use crate::assemble::vdevs::console;
use crate::assemble::{Place, Vdev, VdevKind, home, only_one};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{Loc, ReserveSpec, Spanned, VdevSpec, VdevSpecKind, VmSpec};

/// Most vCPUs: an APIC ID has eight bits, of which 255 is everybody; more than this many nobody has tried.
const MAX_VCPUS: u32 = 32;
/// The I/O APIC and the HPET without `loc`, as in qvm's files.
const IO_APIC: u64 = 0xf800_0000;
const HPET: u64 = 0xf800_8000;
/// ACPI's interrupt, the keyboard's and the clock's.
const SCI: u32 = 9;
const KEYBOARD_LINE: u32 = 1;
const CLOCK_LINE: u32 = 8;
/// Where the watchdog of the IB700 board is stopped and where it is started.
const WATCHDOG_PORTS: [Ports; 2] = [Ports::new(0x441, 1), Ports::new(0x443, 1)];
/// Where the fixed hardware of ACPI is.
const ACPI_PORTS: Ports = Ports::new(0x600, 12);
/// The configuration registers of PCI; the byte at 0xcf9 is the reset control's.
const PCI_PORTS: Ports = Ports::new(0xcf8, 8);
const RESET_PORTS: Ports = Ports::new(0xcf9, 1);
const PORT_92: Ports = Ports::new(0x92, 1);
/// What an inert function is: nobody's device, of the vendor that qvm's own devices are of.
const DUMMY: PciFunction = PciFunction { device: 0, function: 0, vendor_id: 0x1c05, device_id: 0, class: 0xff00_0000 };

/// The machine, its vdevs in order, its lines and its ports. Reports all that is wrong with them; `None` if there is no telling.
pub(super) fn make(
    spec: &VmSpec,
    vcpus: u32,
    claims: &mut Claims,
    diagnostics: &mut Diagnostics,
) -> Option<(Pc, Vec<Vdev>, Lines, PortClaims)> {
    check_vcpus(spec, vcpus, diagnostics);
    only_one(spec, &["ioapic", "8259", "timer8254", "hpet", "mc146818", "pckeyboard", "wdt-ib700"], diagnostics);
    let mut ports = PortClaims::default();
    claims.claim((Pc::LOCAL_APIC.0, PAGE_BYTES), "the local APICs", None, diagnostics);
    let (pc, mut lines) = controllers(spec, claims, &mut ports, diagnostics);
    let mut vdevs = Vec::new();
    let bridge = VdevKind::PciHost { functions: functions(spec, diagnostics) };
    for (kind, what, place, line) in [
        (VdevKind::AcpiPower, "ACPI", ACPI_PORTS, Some(SCI)),
        (VdevKind::Port92, "the chip set", PORT_92, None),
        (VdevKind::ResetControl, "the chip set", RESET_PORTS, None),
        (bridge, "the PCI host bridge", PCI_PORTS, None),
    ] {
        // The reset control lies within the host bridge's registers.
        if !matches!(kind, VdevKind::ResetControl) {
            ports.take(&[place], what, None, diagnostics);
        }
        let line = line.filter(|&line| lines.take_if_free(line, what, None));
        let (name, place) = (kind.word().to_owned(), Place::Ports(vec![place]));
        vdevs.push(Vdev { name, place, lines: line.into_iter().collect(), kind });
    }
    // Lines that somebody wrote come before those that are usual.
    let written = |vdev: &&VdevSpec| vdev.intr.is_some();
    let (first, second): (Vec<_>, Vec<_>) = spec.vdevs.iter().partition(written);
    let mut names: HashMap<String, crate::spec::Span> = HashMap::new();
    for vdev in first.into_iter().chain(second) {
        let made = device(spec, vdev, (claims, &mut ports, &mut lines), diagnostics);
        let span = vdev.name.as_ref().map_or(vdev.span, |name| name.span);
        let name = match (&vdev.name, &made) {
            (Some(name), _) => name.value.clone(),
            (None, Some(made)) => made.name.clone(),
            (None, None) => continue,
        };
        if let Some(first) = names.insert(name.clone(), span) {
            let error = Diagnostic::error(codes::DUPLICATE_VDEV, format!("two vdevs are called `{name}`"));
            let error = error.at(span).label(first, "first used here");
            diagnostics.push(error.hint("give one of them another `name`"));
        }
        vdevs.extend(made);
    }
    vdevs.sort_by_key(order);
    Some((pc, vdevs, lines, ports))
}

/// Memory by address, then ports. Who looks for a port takes the first that has it, so the reset control stands before the host
/// bridge, whose registers are on both sides of it.
fn order(vdev: &Vdev) -> (bool, u64, u16) {
    let port = match vdev.kind {
        VdevKind::PciHost { .. } => RESET_PORTS.first + 1,
        _ => vdev.port().unwrap_or(0),
    };
    (vdev.frame().is_none(), vdev.address(), port)
}

fn check_vcpus(spec: &VmSpec, vcpus: u32, diagnostics: &mut Diagnostics) {
    if vcpus <= MAX_VCPUS {
        return;
    }
    let message = format!("this VM has {vcpus} vCPUs, but an x86 guest has {MAX_VCPUS} at most");
    let hint = format!("leave out this `cpu` and those after it: {MAX_VCPUS} are before it");
    let span = spec.cpus.get(MAX_VCPUS as usize).map_or(home(spec), |cpu| cpu.span);
    diagnostics.push(Diagnostic::error(codes::TOO_MANY_VCPUS, message).at(span).hint(hint));
}

/// The interrupt controllers of a VM, and the lines that they have together: line N of one is line N of the other.
fn controllers(
    spec: &VmSpec,
    claims: &mut Claims,
    ports: &mut PortClaims,
    diagnostics: &mut Diagnostics,
) -> (Pc, Lines) {
    let of = |wanted: fn(&VdevSpecKind) -> bool| spec.vdevs.iter().find(|vdev| wanted(&vdev.kind));
    let io_apic = of(|kind| matches!(kind, VdevSpecKind::Ioapic { .. }));
    let pic = of(|kind| matches!(kind, VdevSpecKind::Pic8259));
    let gpa = io_apic.map(|vdev| {
        let loc = vdev.address();
        let (start, span) = loc.map_or((IO_APIC, vdev.span), |loc| (loc.value, loc.span));
        claims.claim((start, PAGE_BYTES), "the I/O APIC", Some(span), diagnostics);
        Gpa(start)
    });
    if let Some(pic) = pic {
        ports.take(Pc::PIC_PORTS, "the 8259s", Some(pic.span), diagnostics);
    }
    let range = match (io_apic, pic) {
        (Some(_), _) => 0..Pc::LINES,
        (None, Some(_)) => 0..16,
        (None, None) => 0..0,
    };
    let name = |vdev: &VdevSpec| vdev.name.as_ref().map_or(vdev.kind.word().to_owned(), |name| name.value.clone());
    let name = io_apic.or(pic).map_or("ioapic".to_owned(), name);
    (Pc { io_apic: gpa, has_pic: pic.is_some() }, Lines::new(spec, &name, range, diagnostics))
}

/// The vdev that `vdev` asks for; `None` for a controller, an inert PCI function, and what was reported.
fn device(
    spec: &VmSpec,
    vdev: &VdevSpec,
    (claims, ports, lines): (&mut Claims, &mut PortClaims, &mut Lines),
    diagnostics: &mut Diagnostics,
) -> Option<Vdev> {
    let word = vdev.kind.word();
    let (kind, usual_ports, usual_line): (_, &[Ports], _) = match &vdev.kind {
        VdevSpecKind::Timer8254 => (VdevKind::Timer8254, &[Ports::new(0x40, 4), Ports::new(0x61, 1)], Some(0)),
        VdevSpecKind::Mc146818 { presets } => {
            (VdevKind::Mc146818 { presets: presets.clone() }, &[Ports::new(0x70, 2)], Some(CLOCK_LINE))
        }
        VdevSpecKind::PcKeyboard => {
            (VdevKind::PcKeyboard, &[Ports::new(0x60, 1), Ports::new(0x64, 1)], Some(KEYBOARD_LINE))
        }
        VdevSpecKind::Ser8250 { hostdev } => {
            (VdevKind::Ser8250 { console: console(vdev, hostdev, diagnostics) }, &[Ports::new(0x3f8, 8)], None)
        }
        VdevSpecKind::WdtIb700 { .. } => (VdevKind::Ib700, &WATCHDOG_PORTS, None),
        VdevSpecKind::Hpet => (VdevKind::Hpet, &[], None),
        _ => return None,
    };
    let what = match &vdev.name {
        Some(name) => format!("vdev `{}`", name.value),
        None => format!("vdev `{word}`"),
    };
    let (name, place, usual_line) = match (&vdev.loc, &vdev.kind) {
        (loc, VdevSpecKind::Ser8250 { .. }) => {
            let (first, span) = match loc {
                Some(Spanned { value: Loc::Port(port), span }) => (*port, *span),
                _ => (0x3f8, vdev.span),
            };
            if first > 0xfff8 {
                let error = Diagnostic::error(codes::BAD_RANGE, format!("{what} ends beyond the last port"));
                diagnostics.push(error.at(span).hint("it has 8 ports, and the last one is 0xffff"));
                return None;
            }
            let range = Ports::new(first, 8);
            ports.take(&[range], &what, Some(span), diagnostics).then_some(())?;
            (format!("{word}@{first:x}"), Place::Ports(vec![range]), uart_line(first))
        }
        (_, VdevSpecKind::Hpet) => {
            let (start, span) = vdev.address().map_or((HPET, vdev.span), |loc| (loc.value, loc.span));
            claims.claim((start, PAGE_BYTES), &what, Some(span), diagnostics)?;
            (word.to_owned(), Place::Memory { gpa: Gpa(start), size_bytes: PAGE_BYTES }, None)
        }
        _ => {
            ports.take(usual_ports, &what, Some(vdev.span), diagnostics).then_some(())?;
            (word.to_owned(), Place::Ports(usual_ports.to_vec()), usual_line)
        }
    };
    let mut own = Vec::new();
    match (&vdev.intr, usual_line) {
        (Some(intr), _) => {
            for line in &intr.value {
                let good = check_pic(spec, line, diagnostics);
                own.extend(lines.take(line.line, &what, diagnostics).filter(|_| good));
            }
        }
        (None, Some(line)) => own.extend(lines.take_if_free(line, &what, Some(vdev.span)).then_some(line)),
        (None, None) => {}
    }
    let name = vdev.name.as_ref().map_or(name, |name| name.value.clone());
    Some(Vdev { name, place, lines: own, kind })
}

/// The line that the UART at `port` has on every PC.
fn uart_line(port: u16) -> Option<u32> {
    match port {
        0x3f8 | 0x3e8 => Some(4),
        0x2f8 | 0x2e8 => Some(3),
        _ => None,
    }
}

/// Reports lines of passed interrupts that the controller which is named does not have.
pub(super) fn check_passed_lines(spec: &VmSpec, diagnostics: &mut Diagnostics) {
    for intr in spec.passes.iter().flat_map(|pass| &pass.intrs) {
        let line = crate::spec::Line { controller: intr.controller.clone(), line: intr.line };
        check_pic(spec, &line, diagnostics);
    }
}

/// Whether the controller that is named has the line: the 8259s have 16.
fn check_pic(spec: &VmSpec, line: &crate::spec::Line, diagnostics: &mut Diagnostics) -> bool {
    let is_named = |vdev: &&VdevSpec| match &vdev.name {
        Some(name) => name.value == line.controller,
        None => vdev.kind.word() == line.controller,
    };
    let named = spec.vdevs.iter().filter(|vdev| vdev.kind.is_controller()).find(is_named);
    if line.line.value < 16 || !named.is_some_and(|vdev| matches!(vdev.kind, VdevSpecKind::Pic8259)) {
        return true;
    }
    let message = format!("`{}` has no line {}", line.controller, line.line.value);
    let error = Diagnostic::error(codes::INTERRUPT, message).at(line.line.span);
    diagnostics.push(error.hint("its lines are 0 to 15; an `ioapic` has 24"));
    false
}

/// The inert functions of the PCI bus, by their place. Device 0 is the host bridge.
fn functions(spec: &VmSpec, diagnostics: &mut Diagnostics) -> Vec<PciFunction> {
    let mut functions: Vec<(PciFunction, crate::spec::Span)> = Vec::new();
    let dummies = || spec.vdevs.iter().filter(|vdev| matches!(vdev.kind, VdevSpecKind::PciDummy));
    let place = |vdev: &VdevSpec| match vdev.loc {
        Some(Spanned { value: Loc::Pci { device, function }, span }) => Some((device, function, span)),
        _ => None,
    };
    let given: Vec<u8> = dummies().filter_map(place).map(|(device, ..)| device).collect();
    let reserved =
        |device: u8| spec.reserves.iter().any(|it| matches!(it, ReserveSpec::Pci(other) if *other == device));
    for vdev in dummies() {
        let taken = |device: u8| given.contains(&device) || functions.iter().any(|(it, _)| it.device == device);
        let free = || (1..32).find(|&device| !taken(device) && !reserved(device));
        let Some((device, function, span)) = place(vdev).or_else(|| Some((free()?, 0, vdev.span))) else {
            let error = Diagnostic::error(codes::PCI_PLACE, "PCI bus 0 has no free device for this").at(vdev.span);
            diagnostics.push(error.hint("it has 32, of which the host bridge is one"));
            continue;
        };
        let function = PciFunction { device, function, ..DUMMY };
        let at = format!("pci:0:{device}.{}", function.function);
        let error = |message: String| Diagnostic::error(codes::PCI_PLACE, message).at(span);
        if device == 0 && function.function == 0 {
            diagnostics.push(error(format!("{at} is the host bridge")).hint("devices from 1 on are free"));
        } else if let Some((_, first)) =
            functions.iter().find(|(other, _)| (other.device, other.function) == (device, function.function))
        {
            diagnostics.push(error(format!("{at} is taken")).label(*first, "first claimed here"));
        } else {
            functions.push((function, span));
        }
    }
    functions.sort_by_key(|(it, _)| (it.device, it.function));
    for (function, span) in functions.iter().filter(|(it, _)| it.function != 0 && it.device != 0) {
        if !functions.iter().any(|(other, _)| (other.device, other.function) == (function.device, 0)) {
            let message = format!("guests do not find pci:0:{}.{}", function.device, function.function);
            let hint =
                format!("they look behind a function 0 only: add `vdev pci-dummy loc pci:0:{}.0`", function.device);
            diagnostics.push(Diagnostic::warning(codes::PCI_PLACE, message).at(*span).hint(hint));
        }
    }
    functions.into_iter().map(|(function, _)| function).collect()
}

//! The virtual interrupt controller and the vdevs of one VM.

use std::collections::HashMap;

use model::{Console, Direction, Gic, GicVersion, Gpa};

use super::claims::Claims;
use super::lines::Lines;
use super::{Place, Vdev, VdevKind};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{Span, Spanned, VdevSpec, VdevSpecKind, VmSpec};

/// The distributor's address without `loc`, as in qvm: that of Arm's Foundation Model.
const DISTRIBUTOR: u64 = 0x2f00_0000;
/// How far above the distributor a GICv3's redistributors are.
const REDISTRIBUTORS_OFFSET: u64 = 0x10_0000;
/// How far above the distributor a GICv2's CPU interface is: on a page of its own for guests with 64 KiB pages too.
const CPU_INTERFACE_OFFSET: u64 = 0x1_0000;
/// Size of a register frame: the PL011's (DDI 0183, section 3.2), the PL061's (DDI 0190, 3.2), the SP805's (DDI 0270, 3.2).
const FRAME_BYTES: u64 = 0x1000;
/// A watchdog's address and frequency without `loc` and `frequency`, as in qvm.
const WATCHDOG: u64 = 0x1c0f_0000;
const WATCHDOG_HZ: u32 = 25_000_000;

/// The virtual GIC and the name that `intr` calls it by.
pub(super) struct Controller {
    pub(super) gic: Gic,
    pub(super) name: String,
}

/// The virtual GIC of a VM with `vcpus` vCPUs. It is there unasked; `vdev gic` changes its options.
pub(super) fn gic(
    spec: &VmSpec,
    board: GicVersion,
    vcpus: u32,
    claims: &mut Claims,
    diagnostics: &mut Diagnostics,
) -> Controller {
    let line = spec.vdevs.iter().find(|vdev| matches!(vdev.kind, VdevSpecKind::Gic { .. }));
    if let Some(VdevSpec { kind: VdevSpecKind::Gic { version: Some(version), .. }, .. }) = line {
        check_version(version, board, diagnostics);
    }
    check_vcpus(spec, board, diagnostics);
    let loc = line.and_then(VdevSpec::address);
    let name = line.and_then(|line| line.name.as_ref()).map_or_else(|| "gic".to_owned(), |name| name.value.clone());
    let start = loc.map_or(DISTRIBUTOR, |loc| loc.value);
    let span = loc.map(|loc| loc.span).or(line.map(|line| line.span));
    let (offset, cpus) = match board {
        GicVersion::V2 => (CPU_INTERFACE_OFFSET, "CPU interface"),
        GicVersion::V3 => (REDISTRIBUTORS_OFFSET, "redistributors"),
    };
    let gic = Gic { version: board, distributor: Gpa(start), cpus: Gpa(start.saturating_add(offset)) };
    let frames = [(start, gic.distributor_bytes(), "distributor"), (gic.cpus.0, gic.cpus_bytes(vcpus), cpus)];
    // One complaint is enough: what is in the way of one frame is mostly in the way of the other.
    frames.iter().all(|&(start, size, frame)| {
        claims.claim((start, size), &format!("the GIC's {frame}"), span, diagnostics).is_some()
    });
    Controller { gic, name }
}

fn check_version(version: &Spanned<u32>, board: GicVersion, diagnostics: &mut Diagnostics) {
    let number = board.number();
    if version.value != number {
        let message = format!("a guest on this board cannot have a GICv{}: the board has a {board}", version.value);
        let asked = version.value;
        let hint = format!(
            "write `version {number}` or leave it out, or build for a board with a GICv{asked} (`--gic {asked}`)"
        );
        diagnostics.push(Diagnostic::error(codes::GIC_VERSION, message).at(version.span).hint(hint));
    }
}

/// A GIC names CPUs in its registers, and has so many bits for them.
fn check_vcpus(spec: &VmSpec, version: GicVersion, diagnostics: &mut Diagnostics) {
    let most = version.max_vcpus();
    if let Some(first_too_many) = spec.cpus.get(most as usize) {
        let message = format!("this VM has {} vCPUs, but a guest's {version} serves {most} at most", spec.cpus.len());
        let hint = format!("leave out this `cpu` and those after it: {most} are before it");
        diagnostics.push(Diagnostic::error(codes::TOO_MANY_VCPUS, message).at(first_too_many.span).hint(hint));
    }
}

/// Every vdev but the interrupt controller, sorted by address.
pub(super) fn vdevs(
    spec: &VmSpec,
    controller: &Controller,
    claims: &mut Claims,
    lines: &mut Lines,
    diagnostics: &mut Diagnostics,
) -> Vec<Vdev> {
    let mut vdevs = Vec::new();
    let mut names = HashMap::from([(controller.name.clone(), super::home(spec))]);
    for vdev in &spec.vdevs {
        let Some(kind) = kind(vdev, diagnostics) else { continue };
        let word = vdev.kind.word();
        let (address, example) = usual(&kind);
        let place = place(vdev);
        let name = vdev.name.as_ref().map(|name| name.value.clone());
        let name = name.unwrap_or_else(|| place.map_or(word.to_owned(), |(start, _)| format!("{word}@{start:x}")));
        let what = format!("vdev `{name}`");
        let intid = line(vdev, example, controller, (lines, &what), diagnostics);
        let Some((start, loc)) = place else {
            let error = Diagnostic::error(codes::VDEV_OPTION, format!("this {word} has no `loc`")).at(vdev.span);
            diagnostics.push(error.hint(format!("say where its registers are, for example `loc {address:#x}`")));
            continue;
        };
        let span = vdev.name.as_ref().map_or(vdev.span, |name| name.span);
        if let Some(first) = names.insert(name.clone(), span) {
            let error = Diagnostic::error(codes::DUPLICATE_VDEV, format!("two vdevs are called `{name}`"));
            let error = error.at(span).label(first, "first used here");
            diagnostics.push(error.hint("give one of them another `name`"));
        }
        if claims.claim((start, FRAME_BYTES), &what, Some(loc), diagnostics).is_some() {
            let place = Place::Memory { gpa: Gpa(start), size_bytes: FRAME_BYTES };
            vdevs.push(Vdev { name, place, lines: intid.into_iter().collect(), kind });
        }
    }
    only_one(spec, diagnostics);
    vdevs.sort_by_key(Vdev::address);
    vdevs
}

/// What `vdev` is; `None` for the interrupt controller.
fn kind(vdev: &VdevSpec, diagnostics: &mut Diagnostics) -> Option<VdevKind> {
    Some(match &vdev.kind {
        VdevSpecKind::Gic { .. } => return None,
        VdevSpecKind::Pl011 { hostdev } => VdevKind::Pl011 { console: console(vdev, hostdev, diagnostics) },
        VdevSpecKind::Pl061 => VdevKind::Pl061,
        VdevSpecKind::WdtSp805 { frequency, .. } => {
            let given = frequency.and_then(|frequency| u32::try_from(frequency.value).ok());
            VdevKind::Sp805 { frequency_hz: given.unwrap_or(WATCHDOG_HZ) }
        }
        // A PC's, which the parser lets no arm64 guest have.
        _ => return None,
    })
}

/// Where the registers of `vdev` are, and where that is said.
fn place(vdev: &VdevSpec) -> Option<(u64, Span)> {
    match (vdev.address(), &vdev.kind) {
        (Some(loc), _) => Some((loc.value, loc.span)),
        (None, VdevSpecKind::WdtSp805 { .. }) => Some((WATCHDOG, vdev.span)),
        (None, _) => None,
    }
}

/// Address and line that a vdev of this kind mostly has, for hints.
fn usual(kind: &VdevKind) -> (u64, u32) {
    match kind {
        VdevKind::Pl011 { .. } => (0x1c09_0000, 37),
        VdevKind::Pl061 => (0x1c1d_0000, 38),
        VdevKind::Sp805 { .. } => (WATCHDOG, 39),
        _ => (0, 0),
    }
}

/// A VM has one power key and one watchdog: who presses, and who bites, is then no question.
fn only_one(spec: &VmSpec, diagnostics: &mut Diagnostics) {
    super::only_one(spec, &["pl061", "wdt-sp805"], diagnostics);
}

/// The INTID of `intr`, if it is good and free; `example` is for a hint.
fn line(
    vdev: &VdevSpec,
    example: u32,
    controller: &Controller,
    (lines, what): (&mut Lines, &str),
    diagnostics: &mut Diagnostics,
) -> Option<u32> {
    let Some(line) = vdev.intr.as_ref().and_then(|intr| intr.value.first()) else {
        let error = Diagnostic::error(codes::VDEV_OPTION, format!("this {} has no `intr`", vdev.kind.word()));
        let hint = format!("say which line it interrupts by, for example `intr {}:{example}`", controller.name);
        diagnostics.push(error.at(vdev.span).hint(hint));
        return None;
    };
    lines.take(line.line, what, diagnostics)
}

/// What `hostdev` leads to. Several accumulate: `>-` and `<-` together are `-`.
pub(super) fn console(vdev: &VdevSpec, hostdev: &[Spanned<String>], diagnostics: &mut Diagnostics) -> Console {
    let (mut output, mut input) = (false, false);
    for host in hostdev {
        // The parser lets nothing else through.
        output |= host.value != "<-";
        input |= host.value != ">-";
    }
    if hostdev.is_empty() {
        let message = format!("this {} leads nowhere: it has no `hostdev`", vdev.kind.word());
        let warning = Diagnostic::warning(codes::NO_HOSTDEV, message);
        diagnostics.push(warning.at(vdev.span).hint("`hostdev -` leads to the board's console"));
    }
    match (output, input) {
        (true, true) => Console::Board(Direction::Both),
        (true, false) => Console::Board(Direction::Output),
        (false, true) => Console::Board(Direction::Input),
        (false, false) => Console::Nowhere,
    }
}

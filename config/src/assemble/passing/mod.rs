//! What of the board goes to which VM: `pass`.
//!
//! The board's memory, registers and interrupts have one owner each, over all VMs, and none that is Ostler's own has another. Each
//! VM's claims are checked here one after the other against the board (`super::hardware`) and against those before them.
//!
//! | what | here |
//! |---|---|
//! | ranges of addresses, and their attributes | `ranges` |
//! | ports | `ports` |
//! | interrupts | `interrupts` |
//! | nodes of the board's device tree, for the guest's | `nodes` |
//! | devices of a board without one, for the guest's ACPI tables | `told` |

mod interrupts;
mod nodes;
mod ports;
mod ranges;
mod told;

use std::collections::HashMap;

use model::{Pass, PassedInterrupt, Ports};

use super::Board;
use super::claims::{Claims, Range};
use super::hardware::Hardware;
use super::lines::Lines;
use super::ports::PortClaims;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{PassLoc, PassPlace, PassSpec, Span, VdevSpecKind, VmSpec};
use nodes::TakenNode;

pub(super) use told::Told;

/// The board, and what of it is passed so far.
pub(super) struct Passing<'a> {
    board: &'a Board,
    /// All RAM of the variant.
    ram: Vec<Range>,
    /// What its tree or its page says; `None` if it has neither.
    hardware: Option<Hardware>,
    /// Host-physical ranges with an owner.
    ranges: Vec<(Range, Span)>,
    /// Ports with an owner.
    ports: Vec<(Ports, Span)>,
    /// Interrupts of the board with an owner, by their numbers.
    interrupts: HashMap<u32, Span>,
}

/// What one VM has of the board.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Sorted by guest-physical address.
    pub(super) ranges: Vec<Pass>,
    /// Sorted.
    pub(super) ports: Vec<Ports>,
    /// Sorted by the guest's line.
    pub(super) interrupts: Vec<PassedInterrupt>,
    /// What of it is the guest's ordinary memory (`m`).
    pub(super) memory: Vec<Range>,
    /// The RAM disk, if it lies there (`initrd pass`).
    pub(super) initrd: Option<(Range, Span)>,
    nodes: Vec<TakenNode>,
}

/// Where the checks of one VM write to.
struct Desk<'a> {
    claims: &'a mut Claims,
    lines: &'a mut Lines,
    ports: &'a mut PortClaims,
    diagnostics: &'a mut Diagnostics,
    /// The board's interrupt that line 0 stands for.
    hostvector: u32,
}

impl Passing<'_> {
    /// The board with `ram_bytes` of RAM, of which nothing is passed yet; `tree` is its device tree. The error says what is wrong
    /// with that.
    pub(super) fn new<'a>(board: &'a Board, ram_bytes: u64, tree: Option<&[u8]>) -> Result<Passing<'a>, String> {
        let pieces = board.memory.pieces(ram_bytes);
        let ram = pieces.into_iter().filter_map(|(start, bytes)| Range::new(start, bytes)).collect();
        let hardware = tree.map(|tree| Hardware::read(board, tree)).transpose()?;
        let hardware = hardware.or_else(|| Hardware::of_page(board));
        Ok(Passing { board, ram, hardware, ranges: Vec::new(), ports: Vec::new(), interrupts: HashMap::new() })
    }

    /// What `spec` asks for. All that is wrong with it is reported.
    pub(super) fn vm(
        &mut self,
        spec: &VmSpec,
        claims: &mut Claims,
        lines: &mut Lines,
        ports: &mut PortClaims,
        diagnostics: &mut Diagnostics,
    ) -> Passed {
        let hostvector = spec.vdevs.iter().find_map(|vdev| match vdev.kind {
            VdevSpecKind::Gic { hostvector, .. } | VdevSpecKind::Ioapic { hostvector } => hostvector,
            _ => None,
        });
        let hostvector = hostvector.map_or(0, |vector| vector.value);
        let mut desk = Desk { claims, lines, ports, diagnostics, hostvector };
        let mut passed = Passed::default();
        for pass in &spec.passes {
            self.context(pass, &mut passed, &mut desk);
        }
        passed.ranges.sort_by_key(|range| range.gpa);
        passed.ports.sort_by_key(|ports| ports.first);
        passed.interrupts.sort_by_key(|interrupt| interrupt.line);
        passed
    }

    fn context(&mut self, pass: &PassSpec, passed: &mut Passed, desk: &mut Desk) {
        // Interrupts that a node of this context has, whose lines its `intr` may choose.
        let mut of_nodes = Vec::new();
        for loc in &pass.locs {
            match &loc.place {
                PassPlace::Memory { gpa, size_bytes, hpa } => {
                    let start = hpa.map_or(gpa.value, |hpa| hpa.value);
                    let Some(host) = Range::new(start, size_bytes.value) else { continue };
                    self.range(loc, (gpa.value, host), None, passed, desk);
                    if pass.initrd {
                        self.initrd(loc, Range::new(gpa.value, host.size()), passed, desk);
                    }
                }
                PassPlace::Node { .. } | PassPlace::Ports(_) if pass.initrd => {
                    let error = Diagnostic::error(codes::PASS_ATTRIBUTES, "a device is no RAM disk").at(loc.span);
                    desk.diagnostics.push(error.hint("write `initrd pass loc GPA,LENGTH,rc=HPA`"));
                }
                PassPlace::Ports(ports) => self.ports(loc, *ports, passed, desk),
                PassPlace::Node { path, gpa } => {
                    let place = (path.value.as_str(), gpa.map(|gpa| gpa.value));
                    self.node(loc, place, &pass.intrs, &mut of_nodes, passed, desk);
                }
            }
        }
        for intr in &pass.intrs {
            let host = interrupts::host(intr, desk.hostvector);
            if !of_nodes.contains(&host) {
                self.interrupt((host, intr.line.value), intr.span, intr.unmasked, passed, desk);
            }
        }
    }

    fn initrd(&self, loc: &PassLoc, range: Option<Range>, passed: &mut Passed, desk: &mut Desk) {
        let Some(range) = range else { return };
        if let Some((_, first)) = passed.initrd.replace((range, loc.span)) {
            let error = Diagnostic::error(codes::NOT_BUILT, "a VM has one RAM disk").at(loc.span);
            desk.diagnostics.push(error.label(first, "this is the RAM disk already"));
        }
    }
}

//! Checks of a VM's images without the images (`check --no-images`): what their `load`s say, and no more.

use super::claims::Range;
use super::floor::Floor;
use super::pc::How;
use super::place::{self, Placed};
use super::protocol::Program;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{LoadKind, VmSpec};

/// Nothing in its place, if nothing was reported: one program, one RAM disk at most, and every given address in memory.
pub(super) fn place(spec: &VmSpec, floor: &Floor, diagnostics: &mut Diagnostics) -> Option<Placed> {
    let program = place::program(spec, diagnostics);
    place::one_initrd(spec, diagnostics);
    for load in &spec.loads {
        let Some(address) = load.address else { continue };
        let name = super::files::file_name(&load.path.value);
        // Where an ELF file goes is its own to say; an address only confirms it.
        let what = match load.kind {
            LoadKind::Fdt => "the device tree".to_owned(),
            _ => format!("`{name}`"),
        };
        floor.may_begin(address.value, &what, load.path.span, diagnostics);
    }
    let pc = program?.address.map_or(0, |address| address.value);
    let program = Program { pc, range: Range { start: pc, end: pc }, linux: None, how: How::Raw };
    Some(Placed { loads: Vec::new(), program, initrd: None, data: Vec::new() })
}

/// The one note about it.
pub(super) fn note(specs: &[VmSpec], diagnostics: &mut Diagnostics) {
    let mut loads = specs.iter().flat_map(|spec| &spec.loads);
    let Some(first) = loads.next() else { return };
    let message = match loads.count() {
        0 => "the file of one `load` was not read".to_owned(),
        more => format!("the files of {} `load`s were not read", more + 1),
    };
    let hint = "not checked: what they are, where they go, whether they and the device tree fit, device trees of your own; \
        check without `--no-images` where the files are";
    diagnostics.push(Diagnostic::note(codes::NOT_CHECKED, message).at(first.path.span).hint(hint));
}

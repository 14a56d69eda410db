//! What an arm64 guest has: a GIC, vdevs in memory, and a device tree that tells of them.

use std::collections::HashSet;

use model::{Access, GicVersion, Gpa, Machine, Memory, Start};

use super::agree::World;
use super::claims::Claims;
use super::device_tree::{self, DeviceTree};
use super::files::Images;
use super::floor::Floor;
use super::guest::{Body, Job, initrd};
use super::lines::{self, Lines};
use super::ports::PortClaims;
use super::tree::{self, Facts, Names};
use super::{memory, place, stolen, unread, vdevs};
use crate::spec::LoadKind;

/// The VM of `job` on a board with a GIC of this version. Reports all that is wrong with it.
pub(super) fn body(job: &mut Job, version: GicVersion) -> Option<Body> {
    let Job { name, spec, vcpus, shared, given, .. } = *job;
    let (passing, files, diagnostics) = (&mut *job.passing, &mut *job.files, &mut *job.diagnostics);
    let before = diagnostics.errors();
    let mut claims = Claims::default();
    let regions = memory::place(spec, &mut claims, diagnostics);
    memory::warn_of_small_pages(&regions, 0, diagnostics);
    let controller = vdevs::gic(spec, version, vcpus, &mut claims, diagnostics);
    let mut lines = Lines::new(spec, &controller.name, lines::SHARED, diagnostics);
    let vdevs = vdevs::vdevs(spec, &controller, &mut claims, &mut lines, diagnostics);
    let passed = passing.vm(spec, &mut claims, &mut lines, &mut PortClaims::default(), diagnostics);
    let stolen = if shared { stolen::place(spec, &mut claims, diagnostics) } else { None };
    let mut memory: Vec<Memory> = memory::joined(&regions).iter().map(Memory::from).collect();
    memory.extend(stolen);
    memory.sort_by_key(|memory| memory.gpa);
    // What the guest is told of: of it, Ostler gives and scrubs only `memory`.
    let passed_memory = passed.memory.iter().map(|range| Memory {
        gpa: Gpa(range.start),
        size_bytes: range.size(),
        access: Access::ReadWrite,
    });
    let all_memory: Vec<Memory> = memory.iter().copied().chain(passed_memory).collect();
    let machine = diagnostics.errors() == before;
    let read = files.images == Images::Read;
    let over = if read { device_tree::user_trees(spec, files, diagnostics) } else { Vec::new() };
    let mut used = HashSet::new();
    over.iter().for_each(|(_, tree)| tree.root.walk(&mut |node| used.extend(tree::phandle_of(node))));
    let facts = Facts {
        memory: &all_memory,
        vcpus,
        gic: &controller.gic,
        vdevs: &vdevs,
        cmdline: spec.cmdline.as_ref().map(|cmdline| cmdline.value.as_str()),
        phandles: tree::free_phandles(over.iter().map(|(_, tree)| tree)),
    };
    let mut floor = Floor::new(spec, &regions);
    // A machine with something missing would only be the cause of complaints about a tree that is right.
    let tree = machine.then(|| {
        let before = diagnostics.errors();
        let mut generated = tree::generate(&facts);
        passing.graft(&mut generated, &passed, used, diagnostics);
        let names = Names::new(&generated.root, &controller.name, &vdevs);
        let tree = DeviceTree::new(spec, generated, names, over, diagnostics);
        tree.reserve(&mut floor, diagnostics);
        // Without a tree of the user's that there is, half of the guest's is not known.
        let known = read || spec.loads.iter().all(|load| load.kind != LoadKind::Fdt);
        if diagnostics.errors() == before && known {
            let world = World { claims: &claims, lines: &lines, memory: &all_memory, vdevs: &vdevs, vcpus };
            tree.check(&world, given.sources, diagnostics);
        }
        tree
    });
    let placed = match read {
        true => place::place(spec, given, &mut floor, files, diagnostics),
        false => unread::place(spec, &floor, diagnostics),
    };
    let initrd = initrd(spec, &passed, placed.as_ref().and_then(|placed| placed.initrd), diagnostics);
    if diagnostics.errors() > before {
        return None;
    }
    let mut placed = placed?;
    let tree = tree?.finish(name, initrd, diagnostics)?;
    let bytes = tree.bytes.clone();
    let argument = if read { placed.place_tree(spec, tree, &mut floor, files, diagnostics)? } else { 0 };
    Some(Body {
        machine: Machine::Arm(controller.gic),
        memory,
        vdevs,
        loads: placed.loads,
        entry: Start::Arm { pc: Gpa(placed.program.pc), x0: argument },
        passed,
        stolen_time: stolen.map(|memory| memory.gpa),
        tree: Some(bytes),
        acpi: Vec::new(),
    })
}

//! Assembly of one VM: its address space, its devices, its images, its device tree.

use std::collections::HashSet;

use model::{Access, Counter, Entry, GicVersion, Gpa, Memory, Unsupported};

use super::claims::{Claims, Range};
use super::cpus::Places;
use super::files::Files;
use super::floor::Floor;
use super::passing::{Lines, Passed, Passing};
use super::place::TreeBlob;
use super::tree::{self, Facts, Tree};
use super::{Vm, home, memory, place, stolen, vdevs};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{LoadKind, LoadSpec, VmSpec};

/// Without `set ostler-poweroff-timeout`.
const POWEROFF_TIMEOUT_S: u32 = 60;

/// One assembled VM.
pub(super) struct Guest {
    pub(super) vm: Vm,
    /// Its device tree, which is also among the blobs.
    pub(super) tree: Vec<u8>,
}

/// Assembles one VM that is called `name` and whose vCPUs are at `places`. Reports all that is wrong with it.
pub(super) fn assemble(
    name: &str,
    spec: &VmSpec,
    places: Places,
    board: GicVersion,
    passing: &mut Passing,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Option<Guest> {
    let before = diagnostics.errors();
    let vcpus = u32::try_from(spec.cpus.len()).unwrap_or(u32::MAX).max(1);
    let mut claims = Claims::default();
    let regions = memory::place(spec, &mut claims, diagnostics);
    let controller = vdevs::gic(spec, board, vcpus, &mut claims, diagnostics);
    let mut lines = Lines::new();
    let vdevs = vdevs::vdevs(spec, &controller, &mut claims, &mut lines, diagnostics);
    let passed = passing.vm(spec, &mut claims, &mut lines, diagnostics);
    let stolen = if places.shared { stolen::place(spec, &mut claims, diagnostics) } else { None };
    let over = user_trees(spec, files, diagnostics);
    let mut floor = Floor::new(spec, &regions);
    let placed = place::place(spec, &mut floor, files, diagnostics);
    let initrd = initrd(spec, &passed, placed.as_ref().and_then(|placed| placed.initrd), diagnostics);
    if diagnostics.errors() > before {
        return None;
    }
    let mut placed = placed?;
    let mut memory: Vec<Memory> = memory::joined(&regions).iter().map(Memory::from).collect();
    memory.extend(stolen);
    memory.sort_by_key(|memory| memory.gpa);
    let passed_memory = passed.memory.iter().map(|range| Memory {
        gpa: Gpa(range.start),
        size_bytes: range.size(),
        access: Access::ReadWrite,
    });
    let facts = Facts {
        memory: &memory.iter().copied().chain(passed_memory).collect::<Vec<_>>(),
        vcpus,
        gic: &controller.gic,
        vdevs: &vdevs,
        cmdline: spec.cmdline.as_ref().map(|cmdline| cmdline.value.as_str()),
        initrd,
        phandles: tree::free_phandles(over.iter().map(|(_, tree)| tree)),
    };
    let tree = device_tree(name, spec, &facts, (passing, &passed), over, diagnostics)?;
    let bytes = tree.bytes.clone();
    let argument = placed.place_tree(spec, tree, &mut floor, files, diagnostics)?;
    let unsupported = Unsupported::default();
    let vm = Vm {
        name: name.to_owned(),
        memory,
        cpus: places.cpus,
        loads: placed.loads,
        entry: Entry { pc: Gpa(placed.program.pc), argument },
        cmdline: spec.cmdline.as_ref().map(|cmdline| cmdline.value.clone()),
        gic: controller.gic,
        vdevs,
        passes: passed.ranges,
        interrupts: passed.interrupts,
        unsupported: Unsupported {
            instruction: spec.unsupported_instruction.map_or(unsupported.instruction, |action| action.value),
            reference: spec.unsupported_reference.map_or(unsupported.reference, |action| action.value),
            register: spec.unsupported_register.map_or(unsupported.register, |action| action.value),
        },
        counter: match spec.counter_offset {
            Some(offset) if offset.value != u64::MAX => Counter::Offset(offset.value),
            _ => Counter::StartsAtZero,
        },
        exit_on_halt: spec.exit_on_halt.is_none_or(|on| on.value),
        exit_budget: spec.exit_budget.map(|budget| budget.value),
        stolen_time: stolen.map(|memory| memory.gpa),
        poweroff_timeout_s: spec
            .poweroff_timeout
            .and_then(|time| u32::try_from(time.value).ok())
            .unwrap_or(POWEROFF_TIMEOUT_S),
        restart: super::life::restart(&spec.life),
        progress_timeout_ms: spec.life.progress_timeout.map(|time| time.value),
    };
    Some(Guest { vm, tree: bytes })
}

/// Where the RAM disk is: one that is loaded, or one that is passed.
fn initrd(spec: &VmSpec, passed: &Passed, loaded: Option<Range>, diagnostics: &mut Diagnostics) -> Option<Range> {
    let load = spec.loads.iter().find(|load| load.kind == LoadKind::Initrd);
    if let (Some((_, first)), Some(load)) = (passed.initrd, load) {
        let error = Diagnostic::error(codes::NOT_BUILT, "a VM has one RAM disk").at(load.span);
        diagnostics.push(error.label(first, "this is the RAM disk already").hint("leave one of them out"));
    }
    passed.initrd.map(|(range, _)| range).or(loaded)
}

/// The trees that `fdt load` names, in order.
fn user_trees<'a>(spec: &'a VmSpec, files: &mut Files, diagnostics: &mut Diagnostics) -> Vec<(&'a LoadSpec, Tree)> {
    let mut trees = Vec::new();
    for load in spec.loads.iter().filter(|load| load.kind == LoadKind::Fdt) {
        let Some(bytes) = files.read(load, diagnostics) else { continue };
        match tree::read(&bytes) {
            Ok(tree) => trees.push((load, tree)),
            Err(message) => diagnostics.push(bad_tree(load, &message)),
        }
    }
    trees
}

/// The generated tree with the nodes that are passed, and the user's over it, as a blob.
fn device_tree<'a>(
    name: &'a str,
    spec: &VmSpec,
    facts: &Facts,
    (passing, passed): (&Passing, &Passed),
    over: Vec<(&LoadSpec, Tree)>,
    diagnostics: &mut Diagnostics,
) -> Option<TreeBlob<'a>> {
    let mut tree = tree::generate(facts);
    let mut used = HashSet::new();
    over.iter().for_each(|(_, tree)| tree.root.walk(&mut |node| used.extend(tree::phandle(node))));
    passing.graft(&mut tree, passed, used, diagnostics).then_some(())?;
    let mut span = home(spec);
    for (load, over) in over {
        span = load.path.span;
        if let Err(message) = tree::merge(&mut tree, over) {
            diagnostics.push(bad_tree(load, &message));
            return None;
        }
    }
    match tree.write() {
        Ok((bytes, seeds)) => Some(TreeBlob { vm: name, bytes, seeds, span }),
        Err(error) => {
            let message = format!("the device tree cannot be written: {error}");
            diagnostics.push(Diagnostic::error(codes::BAD_TREE, message).at(span));
            None
        }
    }
}

fn bad_tree(load: &LoadSpec, message: &str) -> Diagnostic {
    let name = super::files::file_name(&load.path.value);
    Diagnostic::error(codes::BAD_TREE, format!("`{name}`: {message}")).at(load.path.span)
}

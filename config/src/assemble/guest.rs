//! Assembly of one VM: its address space, its devices, its images, its device tree.

use std::collections::HashSet;

use model::{Access, Counter, GicVersion, Gpa, Memory, Start, Unsupported};

use super::agree::World;
use super::claims::{Claims, Range};
use super::cpus::Places;
use super::device_tree::{self, DeviceTree};
use super::files::{Files, Images};
use super::floor::Floor;
use super::lines::Lines;
use super::passing::{Passed, Passing};
use super::tree::{self, Facts, Names};
use super::{Vm, memory, place, stolen, unread, vdevs};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::{LoadKind, VmSpec};

/// Without `set ostler-poweroff-timeout`.
const POWEROFF_TIMEOUT_S: u32 = 60;

/// One assembled VM.
pub(super) struct Guest {
    pub(super) vm: Vm,
    /// Its device tree, which is also among the blobs.
    pub(super) tree: Vec<u8>,
}

/// What is the same for all VMs.
pub(super) struct Given<'a> {
    /// The board's interrupt controller.
    pub(super) gic: GicVersion,
    /// Sizes of pages, in KiB, that the board's CPUs translate by; empty if that is not known.
    pub(super) pages_kib: &'a [u32],
    /// The texts of the qvm files.
    pub(super) sources: &'a Sources,
}

/// Assembles one VM that is called `name` and whose vCPUs are at `places`. Reports all that is wrong with it.
pub(super) fn assemble(
    name: &str,
    spec: &VmSpec,
    places: Places,
    given: &Given,
    passing: &mut Passing,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Option<Guest> {
    let before = diagnostics.errors();
    let vcpus = u32::try_from(spec.cpus.len()).unwrap_or(u32::MAX).max(1);
    let mut claims = Claims::default();
    let regions = memory::place(spec, &mut claims, diagnostics);
    memory::warn_of_small_pages(&regions, diagnostics);
    let controller = vdevs::gic(spec, given.gic, vcpus, &mut claims, diagnostics);
    let mut lines = Lines::new(spec, &controller.name, diagnostics);
    let vdevs = vdevs::vdevs(spec, &controller, &mut claims, &mut lines, diagnostics);
    let passed = passing.vm(spec, &mut claims, &mut lines, diagnostics);
    let stolen = if places.shared { stolen::place(spec, &mut claims, diagnostics) } else { None };
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
        true => place::place(spec, given.pages_kib, &mut floor, files, diagnostics),
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
    let unsupported = Unsupported::default();
    let vm = Vm {
        name: name.to_owned(),
        memory,
        cpus: places.cpus,
        loads: placed.loads,
        entry: Start::Arm { pc: Gpa(placed.program.pc), x0: argument },
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

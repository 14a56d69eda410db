//! Assembly of one VM: what its CPU decides (`arm`, `pc`), and what is the same for all.

use model::{Controller, Counter, Gpa, Machine, Memory, Start, Unsupported};

use super::claims::Range;
use super::cpus::Places;
use super::files::Files;
use super::passing::{Passed, Passing};
use super::{Load, Table, Vdev, Vm, arm, pc};
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
    pub(super) tree: Option<Vec<u8>>,
    /// Its ACPI tables, which are in a blob too.
    pub(super) acpi: Vec<Table>,
}

/// What is the same for all VMs.
pub(super) struct Given<'a> {
    /// The board's interrupt controller.
    pub(super) controller: Controller,
    /// Whose programs guests run.
    pub(super) cpu: loader::Cpu,
    /// Sizes of pages, in KiB, that the board's CPUs translate by; empty if that is not known.
    pub(super) pages_kib: &'a [u32],
    /// The texts of the qvm files.
    pub(super) sources: &'a Sources,
}

/// One VM on its way, and what its parts need at hand.
pub(super) struct Job<'a, 'b> {
    pub(super) name: &'a str,
    pub(super) spec: &'a VmSpec,
    pub(super) vcpus: u32,
    /// Whether any of its vCPUs has its pCPU in common with another one.
    pub(super) shared: bool,
    pub(super) given: &'a Given<'a>,
    pub(super) passing: &'a mut Passing<'b>,
    pub(super) files: &'a mut Files,
    pub(super) diagnostics: &'a mut Diagnostics,
}

/// What of a VM depends on the CPU.
pub(super) struct Body {
    pub(super) machine: Machine,
    /// RAM and ROM, and what else takes memory of the board's.
    pub(super) memory: Vec<Memory>,
    pub(super) vdevs: Vec<Vdev>,
    pub(super) loads: Vec<Load>,
    pub(super) entry: Start,
    pub(super) passed: Passed,
    pub(super) stolen_time: Option<Gpa>,
    pub(super) tree: Option<Vec<u8>>,
    pub(super) acpi: Vec<Table>,
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
    let shared = places.shared;
    let mut job = Job { name, spec, vcpus, shared, given, passing, files, diagnostics };
    let body = match given.controller {
        Controller::Gic(version) => arm::body(&mut job, version),
        Controller::Apic => pc::body(&mut job),
    };
    if diagnostics.errors() > before {
        return None;
    }
    let body = body?;
    let unsupported = Unsupported::default();
    let vm = Vm {
        name: name.to_owned(),
        memory: body.memory,
        cpus: places.cpus,
        loads: body.loads,
        entry: body.entry,
        cmdline: spec.cmdline.as_ref().map(|cmdline| cmdline.value.clone()),
        machine: body.machine,
        vdevs: body.vdevs,
        passes: body.passed.ranges,
        ports: body.passed.ports,
        interrupts: body.passed.interrupts,
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
        stolen_time: body.stolen_time,
        poweroff_timeout_s: spec
            .poweroff_timeout
            .and_then(|time| u32::try_from(time.value).ok())
            .unwrap_or(POWEROFF_TIMEOUT_S),
        restart: super::life::restart(&spec.life),
        progress_timeout_ms: spec.life.progress_timeout.map(|time| time.value),
    };
    Some(Guest { vm, tree: body.tree, acpi: body.acpi })
}

/// Where the RAM disk is: one that is loaded, or one that is passed.
pub(super) fn initrd(
    spec: &VmSpec,
    passed: &Passed,
    loaded: Option<Range>,
    diagnostics: &mut Diagnostics,
) -> Option<Range> {
    let load = spec.loads.iter().find(|load| load.kind == LoadKind::Initrd);
    if let (Some((_, first)), Some(load)) = (passed.initrd, load) {
        let error = Diagnostic::error(codes::NOT_BUILT, "a VM has one RAM disk").at(load.span);
        diagnostics.push(error.label(first, "this is the RAM disk already").hint("leave one of them out"));
    }
    passed.initrd.map(|(range, _)| range).or(loaded)
}

//! Which pCPU each vCPU runs on. qvm lets vCPUs float; here each has its place for good, chosen once, so that the caches it
//! warms stay its own and no pCPU ever has to look at another's queue.

use model::{Cpu, Policy, VCPUS_PER_PCPU};

use super::sharing;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{CpuSpec, Span, VmSpec};

/// What `cpu` without `sched` means: qvm's default is that of a process started from a shell.
const DEFAULT_SCHED: (u8, Policy) = (10, Policy::RoundRobin);

/// The vCPUs of one VM.
pub(super) struct Places {
    /// One entry a vCPU, fewer only if something was reported.
    pub(super) cpus: Vec<Cpu>,
    /// Whether any of them has its pCPU in common with any other vCPU, of this VM or of another.
    pub(super) shared: bool,
}

/// Places the vCPUs of all VMs, those with the fewest pCPUs in their `runmask` first, those without one last. Each gets, of
/// the pCPUs it may have, one without a vCPU of its own VM, then the one with the fewest, then one that no `runmask` names,
/// then the lowest.
pub(super) fn assign(vms: &[(String, &VmSpec)], pcpus: u32, diagnostics: &mut Diagnostics) -> Vec<Places> {
    let errors = diagnostics.errors();
    let mut vcpus: Vec<Vcpu> = vms.iter().enumerate().flat_map(|(index, (_, spec))| vcpus(index, spec)).collect();
    let named: Vec<u32> = vcpus.iter().flat_map(|vcpu| vcpu.mask()).copied().collect();
    let mut order: Vec<usize> = (0..vcpus.len()).collect();
    order.sort_by_key(|&index| match vcpus[index].mask().len() {
        0 => usize::MAX,
        length => length,
    });
    for index in order {
        let vcpu = &vcpus[index];
        if let Some(missing) = vcpu.mask().iter().find(|&&pcpu| pcpu >= pcpus) {
            diagnostics.push(no_such_pcpu(vcpu, *missing, pcpus));
            continue;
        }
        let on = |pcpu| vcpus.iter().filter(move |other| other.place == Some(pcpu));
        let rank = |&pcpu: &u32| {
            let sibling = on(pcpu).any(|other| other.vm == vcpu.vm);
            (sibling, on(pcpu).count(), named.contains(&pcpu), pcpu)
        };
        let allowed = (0..pcpus).filter(|pcpu| vcpu.mask().is_empty() || vcpu.mask().contains(pcpu));
        let choice = allowed.filter(|&pcpu| on(pcpu).count() < VCPUS_PER_PCPU).min_by_key(rank);
        match choice {
            Some(_) => vcpus[index].place = choice,
            None => diagnostics.push(full(vcpu)),
        }
    }
    if diagnostics.errors() == errors {
        sharing::warn(vms, &vcpus, diagnostics);
    }

    let shared =
        |vcpu: &Vcpu| vcpu.place.is_some() && vcpus.iter().filter(|other| other.place == vcpu.place).count() > 1;
    let of = |vm| vcpus.iter().filter(move |vcpu| vcpu.vm == vm);
    let places = |vm| Places { cpus: of(vm).filter_map(Vcpu::cpu).collect(), shared: of(vm).any(shared) };
    (0..vms.len()).map(places).collect()
}

/// One vCPU on its way to a place.
pub(super) struct Vcpu<'a> {
    /// Index of its VM.
    pub(super) vm: usize,
    /// `None` for the one that a VM without `cpu` has.
    spec: Option<&'a CpuSpec>,
    home: Span,
    /// Its pCPU, once it has one.
    pub(super) place: Option<u32>,
}

impl Vcpu<'_> {
    /// The pCPUs it may run on; empty means any.
    fn mask(&self) -> &[u32] {
        self.spec.and_then(|spec| spec.runmask.as_ref()).map_or(&[], |runmask| &runmask.value)
    }

    /// `sched`, or what it means to leave it out.
    pub(super) fn sched(&self) -> (u8, Policy) {
        self.spec.and_then(|spec| spec.sched.as_ref()).map_or(DEFAULT_SCHED, |sched| sched.value)
    }

    /// Where to point when its place is meant.
    pub(super) fn span(&self) -> Span {
        let Some(spec) = self.spec else { return self.home };
        spec.runmask.as_ref().map_or(spec.span, |runmask| runmask.span)
    }

    fn cpu(&self) -> Option<Cpu> {
        let (priority, policy) = self.sched();
        Some(Cpu { pcpu: self.place?, priority, policy })
    }
}

fn vcpus(vm: usize, spec: &VmSpec) -> Vec<Vcpu<'_>> {
    let vcpu = |cpu| Vcpu { vm, spec: cpu, home: super::home(spec), place: None };
    match spec.cpus.as_slice() {
        [] => vec![vcpu(None)],
        cpus => cpus.iter().map(|cpu| vcpu(Some(cpu))).collect(),
    }
}

fn no_such_pcpu(vcpu: &Vcpu, missing: u32, pcpus: u32) -> Diagnostic {
    let message = format!("the board has no pCPU {missing}: it has {pcpus}, counted from 0");
    let hint = format!("name one from 0 to {}, or start the board with more (`--smp`)", pcpus.saturating_sub(1));
    Diagnostic::error(codes::NO_SUCH_PCPU, message).at(vcpu.span()).hint(hint)
}

fn full(vcpu: &Vcpu) -> Diagnostic {
    let names: Vec<String> = vcpu.mask().iter().map(u32::to_string).collect();
    let message = match names.as_slice() {
        [] => format!("no pCPU has room for this vCPU: each has {VCPUS_PER_PCPU} already"),
        [name] => format!("pCPU {name} has no room for this vCPU: it has {VCPUS_PER_PCPU} already"),
        names => format!("pCPUs {} have no room for this vCPU: each has {VCPUS_PER_PCPU} already", names.join(", ")),
    };
    let hint = "leave vCPUs out, name more pCPUs in `runmask`, or start the board with more (`--smp`)";
    Diagnostic::error(codes::PCPU_FULL, message).at(vcpu.span()).hint(hint)
}

//! Which pCPU each vCPU runs on. In this version every vCPU has one of its own.

use model::{Cpu, Policy};

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::{CpuSpec, Span, VmSpec};

/// What `cpu` without `sched` means: qvm's default is that of a process started from a shell.
const DEFAULT_SCHED: (u8, Policy) = (10, Policy::RoundRobin);

/// Who has a pCPU.
struct Owner {
    vm: String,
    span: Span,
}

/// One list of vCPUs for each VM. Those with one pCPU in their `runmask` come first, then those with a choice, then
/// the rest, which take the lowest free pCPU that no `runmask` names, or else the lowest free one.
pub(super) fn assign(vms: &[(String, &VmSpec)], pcpus: u32, diagnostics: &mut Diagnostics) -> Vec<Vec<Cpu>> {
    let wishes: Vec<Wish> = vms.iter().enumerate().flat_map(|(index, (_, spec))| wishes(index, spec)).collect();
    let named: Vec<u32> = wishes.iter().flat_map(|wish| wish.mask()).copied().collect();
    let mut owners: Vec<Option<Owner>> = (0..pcpus).map(|_| None).collect();
    let mut places: Vec<Option<u32>> = vec![None; wishes.len()];

    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by_key(|&index| match wishes[index].mask().len() {
        0 => usize::MAX,
        length => length,
    });
    for index in order {
        let wish = &wishes[index];
        let free = |pcpu: &u32| owners[*pcpu as usize].is_none();
        let choice = match wish.mask() {
            [] => (0..pcpus).filter(free).min_by_key(|pcpu| named.contains(pcpu)),
            mask => {
                if let Some(missing) = mask.iter().find(|&&pcpu| pcpu >= pcpus) {
                    diagnostics.push(no_such_pcpu(wish, *missing, pcpus));
                    continue;
                }
                mask.iter().copied().find(free)
            }
        };
        let Some(pcpu) = choice else {
            diagnostics.push(none_free(wish, &owners, wishes.len()));
            continue;
        };
        owners[pcpu as usize] = Some(Owner { vm: vms[wish.vm].0.clone(), span: wish.span() });
        places[index] = Some(pcpu);
    }

    let mut cpus = vec![Vec::new(); vms.len()];
    for (wish, pcpu) in wishes.iter().zip(places) {
        let sched = wish.spec.and_then(|spec| spec.sched.as_ref());
        let (priority, policy) = sched.map_or(DEFAULT_SCHED, |sched| sched.value);
        cpus[wish.vm].extend(pcpu.map(|pcpu| Cpu { pcpu, priority, policy }));
    }
    cpus
}

/// One vCPU: `None` for the one that a VM without `cpu` has.
struct Wish<'a> {
    vm: usize,
    spec: Option<&'a CpuSpec>,
    home: Span,
}

impl Wish<'_> {
    /// The pCPUs it may run on; empty means any.
    fn mask(&self) -> &[u32] {
        self.spec.and_then(|spec| spec.runmask.as_ref()).map_or(&[], |runmask| &runmask.value)
    }

    fn span(&self) -> Span {
        let Some(spec) = self.spec else { return self.home };
        spec.runmask.as_ref().map_or(spec.span, |runmask| runmask.span)
    }
}

fn wishes(vm: usize, spec: &VmSpec) -> Vec<Wish<'_>> {
    let home = super::home(spec);
    match spec.cpus.as_slice() {
        [] => vec![Wish { vm, spec: None, home }],
        cpus => cpus.iter().map(|cpu| Wish { vm, spec: Some(cpu), home }).collect(),
    }
}

fn no_such_pcpu(wish: &Wish, missing: u32, pcpus: u32) -> Diagnostic {
    let message = format!("the board has no pCPU {missing}: it has {pcpus}, counted from 0");
    let hint = format!("name one from 0 to {}, or start the board with more (`--smp`)", pcpus.saturating_sub(1));
    Diagnostic::error(codes::NO_SUCH_PCPU, message).at(wish.span()).hint(hint)
}

fn none_free(wish: &Wish, owners: &[Option<Owner>], vcpus: usize) -> Diagnostic {
    match wish.mask() {
        [] => {
            let message = format!("no pCPU is left for this vCPU: there are {vcpus} vCPUs and {} pCPUs", owners.len());
            let hint = "every vCPU has a pCPU of its own in this version: start the board with more (`--smp`)";
            Diagnostic::error(codes::TOO_MANY_VCPUS, message).at(wish.span()).hint(hint)
        }
        mask => {
            let names: Vec<String> = mask.iter().map(u32::to_string).collect();
            let message = match names.as_slice() {
                [name] => format!("pCPU {name} is taken"),
                names => format!("pCPUs {} are taken", names.join(", ")),
            };
            let hint = "pCPUs shared between vCPUs are not built yet: every vCPU has a pCPU of its own";
            let error = Diagnostic::error(codes::PCPU_TAKEN, message).at(wish.span()).hint(hint);
            let taken = mask.iter().filter_map(|&pcpu| Some((pcpu, owners.get(pcpu as usize)?.as_ref()?)));
            taken.fold(error, |error, (pcpu, owner)| {
                error.label(owner.span, format!("VM `{}` has pCPU {pcpu}", owner.vm))
            })
        }
    }
}

//! What is worth a warning when vCPUs share a pCPU: all of it works, but hardly anybody means it.

use std::collections::BTreeSet;

use model::Policy;

use super::cpus::Vcpu;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::VmSpec;

/// Warns of VMs that stand in their own way and of those that shut others out.
pub(super) fn warn(vms: &[(String, &VmSpec)], vcpus: &[Vcpu], diagnostics: &mut Diagnostics) {
    for (vm, (name, spec)) in vms.iter().enumerate() {
        siblings(vm, name, vcpus).into_iter().for_each(|warning| diagnostics.push(warning));
        if let Some(never) = spec.exit_on_halt.filter(|on| !on.value) {
            let warning = shut_out(vm, name, vms, vcpus).map(|warning| warning.at(never.span));
            warning.into_iter().for_each(|warning| diagnostics.push(warning));
        }
    }
}

/// vCPUs of one VM on one pCPU: never two at a time, so the guest's own locks cost more than they should.
fn siblings(vm: usize, name: &str, vcpus: &[Vcpu]) -> Option<Diagnostic> {
    let own: Vec<&Vcpu> = vcpus.iter().filter(|vcpu| vcpu.vm == vm).collect();
    let pcpus: BTreeSet<u32> = own.iter().filter_map(|vcpu| vcpu.place).collect();
    let on = |pcpu| own.iter().filter(move |vcpu| vcpu.place == Some(pcpu));
    let crowded: Vec<u32> = pcpus.into_iter().filter(|&pcpu| on(pcpu).count() > 1).collect();
    let message = match crowded.as_slice() {
        [] => return None,
        [pcpu] => format!("{} vCPUs of VM `{name}` share pCPU {pcpu}", on(*pcpu).count()),
        pcpus => {
            let names: Vec<String> = pcpus.iter().map(u32::to_string).collect();
            format!("vCPUs of VM `{name}` share pCPUs {} with each other", names.join(", "))
        }
    };
    let hint = "of those on one pCPU only one runs at a time: leave the others out, let `runmask` name other pCPUs, or \
        start the board with more (`--smp`)";
    let mut warning = Diagnostic::warning(codes::SIBLINGS, message).hint(hint);
    for pcpu in crowded {
        let mut on = on(pcpu);
        let (Some(first), Some(second)) = (on.next(), on.next()) else { continue };
        // Pointing at one pair is enough; the first of every other pair tells the rest.
        warning = if warning.span.is_none() { warning.at(second.span()) } else { warning };
        warning = warning.label(first.span(), format!("pCPU {pcpu} has this one already"));
    }
    Some(warning)
}

/// vCPUs of other VMs that never run, because this VM's never wait (`set exit-on-halt off`).
fn shut_out(vm: usize, name: &str, vms: &[(String, &VmSpec)], vcpus: &[Vcpu]) -> Option<Diagnostic> {
    let keeps_out = |own: &Vcpu, other: &Vcpu| {
        let ((own_priority, policy), (priority, _)) = (own.sched(), other.sched());
        let first = own_priority > priority || own_priority == priority && policy == Policy::Fifo;
        own.vm == vm && own.place == other.place && first
    };
    let mut losers = vcpus
        .iter()
        .filter(|other| other.vm != vm && other.place.is_some() && vcpus.iter().any(|own| keeps_out(own, other)))
        .peekable();
    losers.peek()?;
    let message = format!("VM `{name}` never gives up pCPUs that others need");
    let hint = "leave `exit-on-halt off` out, give the others pCPUs of their own, or give all the same priority in turn: \
        `sched PRIORITYr`";
    let warning = Diagnostic::warning(codes::SHUT_OUT, message).hint(hint);
    let label = |other: &Vcpu| (other.span(), format!("this vCPU of VM `{}` may never run", vms[other.vm].0));
    Some(losers.map(label).fold(warning, |warning, (span, text)| warning.label(span, text)))
}

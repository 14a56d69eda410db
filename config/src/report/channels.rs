//! Which ways are left for one VM to slow another down or to learn something about it, one honest line each.
//!
//! Isolation of memory and devices is proved; time is only bounded where priorities, budgets and placement bound it.

use super::{Channel, Pcpu, Report};
use crate::assemble::Assembly;

/// The channels of a system; none if there is only one VM.
pub(super) fn of(assembly: &Assembly, report: &Report) -> Vec<Channel> {
    if report.vms.len() < 2 {
        return Vec::new();
    }
    let mut channels: Vec<Channel> = report.board.cpus.iter().filter(|cpu| cpu.vms().len() > 1).map(pcpu).collect();
    let is_shared = !channels.is_empty();
    let mut add = |what: &str, effect: String| channels.push(Channel { what: what.into(), effect });
    add(
        "caches",
        match is_shared {
            true => "the last level is shared by all pCPUs, and a shared pCPU's own caches and TLB by its VMs: nothing divides them",
            false => "the last level is shared by all pCPUs: nothing divides it; each pCPU's own caches have one VM",
        }
        .into(),
    );
    add(
        "memory bandwidth",
        "shared by all pCPUs without a limit: a VM that streams through memory slows the others' misses".into(),
    );
    if report.shared.iter().any(|shared| shared.what == "the board's console") {
        let effect = "one UART: a VM that prints without end delays the others' text, and never their vCPUs";
        add("console", effect.into());
    }
    let unlimited: Vec<&str> =
        assembly.vms.iter().filter(|vm| vm.exit_budget.is_none()).map(|vm| vm.name.as_str()).collect();
    if is_shared && !unlimited.is_empty() {
        let effect = format!(
            "{} may exit without limit (`set ostler-exit-budget` sets one): on a shared pCPU the next vCPU waits for the exit at hand",
            unlimited.join(", ")
        );
        add("exits", effect);
    }
    channels
}

/// A pCPU with several VMs.
fn pcpu(cpu: &Pcpu) -> Channel {
    let highest = cpu.vcpus.iter().map(|seat| seat.priority).max();
    let seat = |seat: &super::Seat| format!("{} vCPU {} ({}, {})", seat.vm, seat.vcpu, seat.priority, seat.policy);
    let (first, rest): (Vec<_>, Vec<_>) = cpu.vcpus.iter().partition(|seat| Some(seat.priority) == highest);
    let join = |seats: Vec<&super::Seat>| seats.into_iter().map(seat).collect::<Vec<_>>().join(", ");
    let fifo = first.iter().any(|seat| seat.policy == "FIFO");
    let among = match (first.len(), fifo) {
        (1, _) => "",
        (_, false) => " in turns of 4 ms",
        (_, true) => " until each waits (FIFO)",
    };
    let first = join(first);
    let effect = match rest.is_empty() {
        true => format!("{first}{among}: each is delayed by the others"),
        false => format!("first {first}{among}, for as long as there is something to do; only then {}", join(rest)),
    };
    Channel { what: format!("pCPU {}", cpu.pcpu), effect }
}

//! SGIs in every form: to lists in the own and in the other cluster, to all others, to oneself, to nobody. Each form is sent
//! by the first and by the last vCPU, and each vCPU counts what it gets.

use super::{FENCE, FORM};
use crate::guest::counters::Counters;
use crate::guest::crew::{self, Task};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use guest_runtime::gic::{self, Targets};
use guest_runtime::machine::own_index;
use guest_runtime::wait::wait_unaided;
use guest_runtime::{Machine, Verdict, say};

/// Forms and their names.
const FORMS: [(&str, Form); 8] = [
    ("an SGI to one vCPU", |cpus, _| (Targets::Cpu(affinity(cpus / 2)), 1 << (cpus / 2))),
    ("an SGI to the first cluster", |cpus, _| list(cpus, 0, 0xffff)),
    ("an SGI to every other vCPU of the first cluster", |cpus, _| list(cpus, 0, 0x5555)),
    ("an SGI to the second cluster", |cpus, _| list(cpus, 1, 0xffff)),
    ("an SGI to two vCPUs of the second cluster", |cpus, _| list(cpus, 1, 0x8001)),
    ("an SGI to all others", |cpus, sender| (Targets::Others, all(cpus) & !(1 << sender))),
    ("an SGI to oneself", |_, sender| (Targets::Cpu(affinity(sender)), 1 << sender)),
    ("an SGI to nobody", |cpus, _| list(cpus, 0, 0)),
];

/// By number of vCPUs and sender: what is sent, and a bit for each vCPU that gets it.
type Form = fn(usize, usize) -> (Targets, u64);

const fn affinity(index: usize) -> u64 {
    ((index as u64 / 16) << 8) | (index as u64 % 16)
}

const fn all(cpus: usize) -> u64 {
    (1 << cpus) - 1
}

/// vCPUs of a cluster; who is named and does not exist gets nothing.
const fn list(cpus: usize, cluster: usize, list: u16) -> (Targets, u64) {
    (Targets::List { cluster: affinity(16 * cluster), list }, (list as u64) << (16 * cluster) & all(cpus))
}

/// [`FORM`]s and [`FENCE`]s that came to each vCPU.
static FORMS_HEARD: Counters = Counters::new();
static FENCES_HEARD: Counters = Counters::new();
// The first vCPU stores these: number of vCPUs, and index of the form that is to be sent.
static CPUS: AtomicUsize = AtomicUsize::new(0);
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// Each form, by two senders.
pub(in crate::guest) fn test(machine: &Machine) -> Verdict {
    let cpus = machine.cpus.len();
    CPUS.store(cpus, Relaxed);
    let mut expected = [0; 64];
    let mut fences = 0;
    for sender in [0, cpus - 1] {
        for (chosen, (name, form)) in FORMS.into_iter().enumerate() {
            CHOSEN.store(chosen, Relaxed);
            if sender == 0 {
                send();
            } else {
                crew::order(machine, sender, Task::Own);
                crew::finish(sender)?;
            }
            let (_, receivers) = form(cpus, sender);
            (0..cpus).filter(|index| receivers & 1 << index != 0).for_each(|index| expected[index] += 1);
            wait_unaided(name, || (0..cpus).all(|index| FORMS_HEARD.get(index) >= expected[index]))?;
            fences += 1;
            machine.cpus.iter().for_each(|&cpu| gic::send(FENCE, cpu));
            wait_unaided("an SGI to one after the other", || FENCES_HEARD.values(cpus).all(|heard| heard == fences))?;
            if (0..cpus).any(|index| FORMS_HEARD.get(index) != expected[index]) {
                say!("{name}");
                return Err("an SGI came twice, or to somebody else");
            }
        }
    }
    say!("SGIs in {} forms, each to whom it was for", FORMS.len());
    Ok(())
}

/// Sends the chosen form.
pub(in crate::guest) fn send() {
    let (targets, _) = FORMS[CHOSEN.load(Relaxed)].1(CPUS.load(Relaxed), own_index());
    gic::send_to(FORM, targets);
}

/// Any vCPU: one came.
pub(in crate::guest) fn on_sgi(intid: u32) {
    if intid == FORM { &FORMS_HEARD } else { &FENCES_HEARD }.count();
    crew::report();
}

//! Interrupts in every form: to one, to oneself, to all others, to all, to nobody. Each form is sent by the first and by the last vCPU,
//! and each vCPU counts what it gets.

use super::{FENCE, FORM};
use crate::guest::counters::Counters;
use crate::guest::crew::{self, Task};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use guest_runtime::apic::{self, Target};
use guest_runtime::machine::own_index;
use guest_runtime::wait::wait_unaided;
use guest_runtime::{Machine, Verdict, say};

/// By number of vCPUs and sender: what is sent, and a bit for each vCPU that gets it.
type Form = fn(usize, usize) -> (Target, u64);

/// Forms and their names.
const FORMS: [(&str, Form); 5] = [
    ("an interrupt to one vCPU", |cpus, _| (Target::Cpu(cpus as u64 / 2), 1 << (cpus / 2))),
    ("an interrupt to oneself", |_, sender| (Target::Itself, 1 << sender)),
    ("an interrupt to all others", |cpus, sender| (Target::Others, all(cpus) & !(1 << sender))),
    ("an interrupt to all", |cpus, _| (Target::All, all(cpus))),
    ("an interrupt to nobody", |_, _| (Target::Cpu(0x7e), 0)),
];

const fn all(cpus: usize) -> u64 {
    (1 << cpus) - 1
}

/// [`FORM`]s and [`FENCE`]s that came to each vCPU.
static FORMS_HEARD: Counters = Counters::new();
static FENCES_HEARD: Counters = Counters::new();
// The first vCPU stores these: number of vCPUs, and index of the form that is to be sent.
static CPUS: AtomicUsize = AtomicUsize::new(0);
static CHOSEN: AtomicUsize = AtomicUsize::new(0);

/// Each form, by two senders.
pub(super) fn test(machine: &Machine) -> Verdict {
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
            machine.cpus.iter().for_each(|&cpu| apic::send(FENCE, Target::Cpu(cpu)));
            wait_unaided("an interrupt to one after the other", || {
                FENCES_HEARD.values(cpus).all(|heard| heard == fences)
            })?;
            if (0..cpus).any(|index| FORMS_HEARD.get(index) != expected[index]) {
                say!("{name}");
                return Err("an interrupt came twice, or to somebody else");
            }
        }
    }
    say!("interrupts in {} forms, each to whom it was for", FORMS.len());
    Ok(())
}

/// Sends the chosen form.
pub(super) fn send() {
    let (target, _) = FORMS[CHOSEN.load(Relaxed)].1(CPUS.load(Relaxed), own_index());
    apic::send(FORM, target);
}

/// Any vCPU: one came.
pub(super) fn on_ipi(vector: u32) {
    if vector == FORM { &FORMS_HEARD } else { &FENCES_HEARD }.count();
    crew::report();
}

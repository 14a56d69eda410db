//! Interrupts between vCPUs in every form that the CPU has. Each form is sent by the first and by the last vCPU, and each vCPU counts
//! what it gets.

use super::counters::Counters;
use super::cpu::forms::{self as cpu, FORMS, Targets};
use super::crew::{self, Task};
use super::{FENCE, FORM};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use guest_runtime::machine::{MAX_CPUS, own_index};
use guest_runtime::wait::wait_unaided;
use guest_runtime::{Machine, Verdict, ipi, say};

/// By number of vCPUs and sender: whom it is sent to, and a bit for each vCPU that gets it.
pub(super) type Form = fn(usize, usize) -> (Targets, u64);

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
    let mut expected = [0; MAX_CPUS];
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
            machine.cpus.iter().for_each(|&cpu| ipi::send(FENCE, cpu));
            wait_unaided("an interrupt to one after the other", || {
                FENCES_HEARD.values(cpus).all(|heard| heard == fences)
            })?;
            if (0..cpus).any(|index| FORMS_HEARD.get(index) != expected[index]) {
                say!("{name}");
                return Err("an interrupt came twice, or to somebody else");
            }
        }
    }
    say!("{} in {} forms, each to whom it was for", cpu::WORD, FORMS.len());
    Ok(())
}

/// Sends the chosen form.
pub(super) fn send() {
    let (targets, _) = FORMS[CHOSEN.load(Relaxed)].1(CPUS.load(Relaxed), own_index());
    cpu::send(FORM, targets);
}

/// All of so many vCPUs, a bit for each.
pub(super) const fn all(cpus: usize) -> u64 {
    (1 << cpus) - 1
}

/// Any vCPU: one came.
pub(super) fn on_ipi(number: u32) {
    if number == FORM { &FORMS_HEARD } else { &FENCES_HEARD }.count();
    crew::report();
}

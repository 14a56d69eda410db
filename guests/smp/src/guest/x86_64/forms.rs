//! The forms of a local APIC's interrupt: to one, to oneself, to all others, to all, to nobody.

use crate::guest::forms::{Form, all};
pub(in crate::guest) use guest_runtime::apic::{Target as Targets, send};

/// What is sent in all of them.
pub(in crate::guest) const WORD: &str = "interrupts";

/// Their names and what they are.
pub(in crate::guest) const FORMS: [(&str, Form); 5] = [
    ("an interrupt to one vCPU", |cpus, _| (Targets::Cpu(cpus as u64 / 2), 1 << (cpus / 2))),
    ("an interrupt to oneself", |_, sender| (Targets::Itself, 1 << sender)),
    ("an interrupt to all others", |cpus, sender| (Targets::Others, all(cpus) & !(1 << sender))),
    ("an interrupt to all", |cpus, _| (Targets::All, all(cpus))),
    ("an interrupt to nobody", |_, _| (Targets::Cpu(0x7e), 0)),
];

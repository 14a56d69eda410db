//! The forms of an SGI: to lists in the own and in the other cluster, to all others, to oneself, to nobody.

use crate::guest::forms::{Form, all};
pub(in crate::guest) use guest_runtime::gic::{Targets, send_to as send};

/// What is sent in all of them.
pub(in crate::guest) const WORD: &str = "SGIs";

/// Their names and what they are.
pub(in crate::guest) const FORMS: [(&str, Form); 8] = [
    ("an SGI to one vCPU", |cpus, _| (Targets::Cpu(affinity(cpus / 2)), 1 << (cpus / 2))),
    ("an SGI to the first cluster", |cpus, _| list(cpus, 0, 0xffff)),
    ("an SGI to every other vCPU of the first cluster", |cpus, _| list(cpus, 0, 0x5555)),
    ("an SGI to the second cluster", |cpus, _| list(cpus, 1, 0xffff)),
    ("an SGI to two vCPUs of the second cluster", |cpus, _| list(cpus, 1, 0x8001)),
    ("an SGI to all others", |cpus, sender| (Targets::Others, all(cpus) & !(1 << sender))),
    ("an SGI to oneself", |_, sender| (Targets::Cpu(affinity(sender)), 1 << sender)),
    ("an SGI to nobody", |cpus, _| list(cpus, 0, 0)),
];

const fn affinity(index: usize) -> u64 {
    ((index as u64 / 16) << 8) | (index as u64 % 16)
}

/// vCPUs of a cluster; who is named and does not exist gets nothing.
const fn list(cpus: usize, cluster: usize, list: u16) -> (Targets, u64) {
    (Targets::List { cluster: affinity(16 * cluster), list }, (list as u64) << (16 * cluster) & all(cpus))
}

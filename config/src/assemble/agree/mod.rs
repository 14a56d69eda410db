//! Whether the guest is told what is so: its device tree and its command line against what the VM has.
//!
//! The generated tree is right by its making, so only what users' trees say is looked at. A guest that looks for a device where
//! there is none hangs, mostly without a word.

mod interrupts;
mod nodes;
mod uarts;

use model::Memory;

use super::Vdev;
use super::claims::Claims;
use super::lines::Lines;

pub(super) use nodes::check as check_nodes;
pub(super) use uarts::{check as check_uarts, words};

/// What a VM has.
pub(super) struct World<'a> {
    pub(super) claims: &'a Claims,
    pub(super) lines: &'a Lines,
    pub(super) memory: &'a [Memory],
    pub(super) vdevs: &'a [Vdev],
    pub(super) vcpus: u32,
}

impl World<'_> {
    /// The vdev whose registers are at `address`.
    fn vdev_at(&self, address: u64) -> Option<&Vdev> {
        let has = |(gpa, size): (model::Gpa, u64)| address.checked_sub(gpa.0).is_some_and(|offset| offset < size);
        self.vdevs.iter().find(|vdev| vdev.frame().is_some_and(has))
    }

    /// What is nearest to `address`, for a hint.
    fn nearest(&self, address: u64) -> String {
        match self.claims.nearest(address) {
            Some(claim) => format!("the nearest thing that the VM has is {} ({})", claim.what, claim.range),
            None => "the VM has nothing at all".into(),
        }
    }
}

//! From `head`'s hand-over to [`Facts`]: what the boot loader left in the registers, read before anything is printed.

use core::fmt;

use arch::firmware;

use super::tree::{self, Conduit, Facts};
use crate::facts::{Region, Reserved};
use model::Hpa;

/// The boot protocol's limit for a device tree.
const TREE_BYTES: u64 = 2 << 20;
/// The exception level that Ostler needs.
const EL2: u64 = 2;

/// Why this CPU, as it was left, cannot run Ostler.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// The exception level that it was left in.
    level: u64,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "wrong exception level: expected EL2, found EL{}. The boot loader must enter at EL2 \
             (QEMU: -M virt,virtualization=on and -kernel)",
            self.level
        )
    }
}

/// Prepares the boot CPU, which was left in exception level `level`, and reads what the board says of itself, with the device tree
/// at `tree`. `None` without a tree or memory to work with: then there is no console to complain on, either.
pub fn begin(tree: u64, level: u64) -> Option<Facts> {
    if level == EL2 {
        arch::cpu::clear_local();
        arch::entry::install_vectors();
    }
    let mut facts = read_tree(tree)?;
    // From EL3 there is no firmware to call, it would be us; and HVC from EL2 comes back to EL2.
    let conduit = facts.hardware.psci.and_then(|psci| match (psci.conduit, level) {
        (Conduit::Smc, 1 | 2) => Some(firmware::Conduit::Smc),
        (Conduit::Hvc, 1) => Some(firmware::Conduit::Hvc),
        _ => None,
    });
    if let Some(conduit) = conduit {
        firmware::set(conduit);
    }
    // The seeds were copied out of the tree; nothing else of it is needed again, but it stays mapped until the switch of tables.
    let region = Region { start: Hpa(tree), size_bytes: TREE_BYTES };
    facts.reserved.try_push(Reserved { region, no_map: false }).ok()?;
    Some(facts)
}

/// Why Ostler cannot run here, if it cannot; the arguments are those of [`begin`].
pub fn refusal(_tree: u64, level: u64) -> Option<Refusal> {
    (level != EL2).then_some(Refusal { level })
}

fn read_tree(at: u64) -> Option<Facts> {
    // SAFETY: the boot protocol puts a tree there, at most 2 MiB long; `early_tables` mapped as much, and nobody
    // writes to it.
    let bytes = |size: u64| unsafe {
        core::slice::from_raw_parts(core::ptr::with_exposed_provenance::<u8>(at as usize), size as usize)
    };
    let size = tree::total_bytes(bytes(8)).map(u64::from).filter(|&size| size <= TREE_BYTES)?;
    tree::read(bytes(size)).ok()
}

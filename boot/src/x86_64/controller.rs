//! The board's interrupt controllers: from what its tables say of them to their driver.

use model::Hpa;

use super::Facts;
use crate::facts::Region;

/// All registers that the hypervisor itself uses, and the page in which other CPUs start.
pub fn regions(facts: &Facts) -> impl Iterator<Item = &Region> + Clone {
    facts.hardware.regions.iter()
}

/// Initialises what all CPUs share; on the boot CPU, whose APIC ID is `own`, with all [`regions`] mapped at their own address as device
/// memory for good. `None` if there is no controller.
pub fn init(_facts: &Facts, own: u64) -> Option<()> {
    arch_x86_64::controller::init(&arch_x86_64::board::get()?.controller, own)
}

/// What `arch::controller::init_cpu` takes of a CPU: its APIC ID.
pub type Private = u64;

/// That of the CPU with this APIC ID.
pub fn private(_facts: &Facts, id: u64) -> Option<u64> {
    Some(id)
}

/// A page that each guest finds in its own controller's frames: there is none, since local APICs are emulated.
pub fn guest_page(_facts: &Facts) -> Option<Hpa> {
    None
}

//! The board's interrupt controllers: from what its tables say of them to their driver.

use arch_x86_64::board::Board;
use model::{Hpa, Ports};

use super::{Facts, Hardware};
use crate::facts::Region;

/// All registers that the hypervisor itself uses, and the page in which other CPUs start.
pub fn regions(facts: &Facts) -> impl Iterator<Item = &Region> + Clone {
    facts.hardware.regions.iter()
}

/// All ports that the hypervisor itself uses, or by which the board is reset or its devices are configured.
pub fn ports(facts: &Facts) -> impl Iterator<Item = Ports> + Clone {
    let Hardware { board: Board { power, pm_timer, .. }, console, .. } = &facts.hardware;
    let one = |port: Option<u16>, count| port.map(|port| Ports::new(port, count));
    [
        one(console.map(|console| console.port), 8),
        one(power.pm1a_control, 2),
        one(power.pm1b_control, 2),
        one(power.enable.map(|(port, _)| port), 1),
        one(power.reset.map(|(port, _)| port), 1),
        one(pm_timer.map(|timer| timer.port), 4),
        // The 8259s that `init` masks, and PCI's configuration.
        one(Some(0x20), 2),
        one(Some(0xa0), 2),
        one(Some(0xcf8), 8),
    ]
    .into_iter()
    .flatten()
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

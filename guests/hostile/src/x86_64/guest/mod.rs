//! Executes what is made, and what is not made of instructions.

pub(crate) mod batch;
mod clocks;
mod floods;
mod state;
mod tables;
pub(crate) mod vectors;
mod world;

use super::attack::World;
use super::what::What;
use crate::options::Options;
use guest_runtime::{Machine, apic, cpus, mask_interrupts, uart};

/// A CPU that nobody turned on.
pub(crate) fn second(_context: u64) -> ! {
    cpus::rest()
}

/// What there is to attack, with a way back from everything.
pub(crate) fn open(machine: &Machine) -> Result<World, &'static str> {
    apic::open(machine)?;
    mask_interrupts();
    state::keep();
    let world = world::of(machine)?;
    world::map();
    vectors::open(&world);
    state::restore(true);
    Ok(world)
}

/// What is not made of instructions; how many operations it was.
pub(crate) fn do_other(options: &Options<What>, world: &World) -> Result<u64, &'static str> {
    let count = options.operations;
    match options.what {
        What::Made(_) => Ok(0),
        What::Tables => tables::walk(options, world),
        What::Exits => Ok(floods::exits(count, world)),
        What::Ipis => floods::ipis(count),
        What::Nmis => floods::nmis(count),
        What::Timer => floods::timer(count),
        What::Clocks => floods::clocks(count, world),
        What::Reset => floods::reset(),
        What::TripleFault => floods::triple_fault(options.seed.unwrap_or(0), world),
        What::Init => floods::init(),
        What::Spin => floods::spin(),
    }
}

/// The console as it was: an attack may have left the UART in any state.
pub(crate) fn restore_console(machine: &Machine) {
    uart::open(&machine.uart);
}

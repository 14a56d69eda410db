//! Executes what is made, and what is not made of instructions.

pub(crate) mod batch;
mod floods;
mod tables;
pub(crate) mod vectors;
mod world;

use super::What;
use super::attack::World;
use crate::options::Options;
use guest_runtime::system_register::mask_interrupts;
use guest_runtime::{Machine, gic, psci, timer, uart};

/// A CPU that an attack turned on.
pub(crate) fn second(_context: u64) -> ! {
    psci::cpu_off();
    guest_runtime::fail("a CPU went on after CPU_OFF")
}

/// What there is to attack, with a way back from everything.
pub(crate) fn open(machine: &Machine) -> Result<World, &'static str> {
    // A timer that has run out: whatever waits for an interrupt has one.
    gic::open(machine)?;
    mask_interrupts();
    timer::open(machine)?;
    timer::alarm(0);
    let world = world::of(machine)?;
    world::map();
    vectors::open();
    Ok(world)
}

/// What is not made of instructions; how many operations it was.
pub(crate) fn do_other(options: &Options<What>, world: &World) -> Result<u64, &'static str> {
    match options.what {
        What::Made(_) => Ok(0),
        What::Tables => tables::walk(options, world),
        What::Exits => Ok(floods::exits(options.operations)),
        What::Sgis => floods::sgis(options.operations),
        What::Timer => floods::timer(options.operations),
        What::Reset => psci::system_reset(),
        What::Spin => floods::spin(),
    }
}

/// The console as it was: an attack may have left the UART in any state.
pub(crate) fn restore_console(machine: &Machine) {
    uart::open(&machine.uart);
}

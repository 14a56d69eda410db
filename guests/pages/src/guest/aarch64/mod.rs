//! arm64's part: every page size in every range of memory.

mod area;
mod cache;
mod granule;
mod high;
mod mmu;
mod remap;
mod tables;

use area::Area;
use granule::Granule;
use guest_runtime::system_register::mask_interrupts;
use guest_runtime::{Machine, Program, Verdict, gic, say, timer};

pub(super) const PROGRAM: Program = Program::new("pages", main).with_interrupts(|_| ()).with_secondary(mmu::second);

fn main(machine: &Machine) -> Verdict {
    gic::open(machine)?;
    timer::open(machine)?;
    mask_interrupts();
    for granule in Granule::ALL {
        if !granule.is_implemented() {
            say!("this CPU has no pages of {} KiB", granule.kib());
            continue;
        }
        for range in machine.memory.iter() {
            let area = Area::within(range).ok_or("a range of memory is too small")?;
            let world = area.prepare(machine, granule)?;
            mmu::visit(&world, machine.second())?;
            say!("pages of {} KiB in memory at {:#x}", granule.kib(), range.base);
        }
    }
    say!("all passed");
    Ok(())
}

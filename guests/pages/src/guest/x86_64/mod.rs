//! x86_64's part: pages of every size in every range of memory.

mod tables;
mod world;

use guest_runtime::cpu::{cpuid, read_msr, write_msr};
use guest_runtime::{Machine, Program, Verdict, apic, say};
use tables::Size;
use world::World;

pub(super) const PROGRAM: Program = Program::new("pages", main);

/// EFER and its bit for pages that are not executed.
const EFER: u32 = 0xc000_0080;
const NO_EXECUTE: u64 = 1 << 11;
/// CPUID 0x8000_0001, EDX: pages of 1 GiB.
const HAS_GIBI: u32 = 1 << 26;
/// A range that is smaller is firmware's.
const LEAST_BYTES: u64 = 4 << 20;

fn main(machine: &Machine) -> Verdict {
    apic::open(machine)?;
    write_msr(EFER, read_msr(EFER) | NO_EXECUTE);
    for size in Size::ALL {
        if size == Size::Gibi && cpuid(0x8000_0001, 0).edx & HAS_GIBI == 0 {
            say!("this CPU has no pages of {size}");
            continue;
        }
        for range in machine.memory.iter().filter(|range| range.bytes >= LEAST_BYTES) {
            World::new(range, size)?.test()?;
            say!("pages of {size} in memory at {:#x}", range.base);
        }
    }
    say!("all passed");
    Ok(())
}

//! What is done in the upper half of the address space. Everything that is called by its name is there too.

use super::area::World;
use super::{cache, remap, tables::HIGH};
use core::arch::asm;
use guest_runtime::exceptions::attempt;
use guest_runtime::mmio::{read32, read64, write32, write64};
use guest_runtime::system_register::{mask_interrupts, unmask_interrupts};
use guest_runtime::{Verdict, fail, read_register, timer, write_register};

/// First of two pages that are neighbours here and none in memory.
const NEIGHBOURS: u64 = 0;
/// The page that code is written to.
const CODE: u64 = 4;
/// PL011's UARTPeriphID0 and its value (DDI 0183, 3.3.15).
const UART_ID: u64 = 0xfe0;
/// Timer interrupts to take.
const TICKS: u64 = 3;

/// The first vCPU, alone.
pub(super) extern "C" fn main(world: &World) {
    test(world).unwrap_or_else(|what| fail(what));
}

/// The first vCPU, while the second is in [`remap::follow`].
pub(super) extern "C" fn main_with_partner(world: &World) {
    test(world).and_then(|()| remap::lead(world)).unwrap_or_else(|what| fail(what));
}

fn test(world: &World) -> Verdict {
    let vectors = read_register!("vbar_el1");
    write_register!("vbar_el1", vectors | HIGH);
    let place: u64;
    // SAFETY: gives the instruction's own address.
    unsafe { asm!("adr {}, .", out(reg) place, options(nostack, nomem, preserves_flags)) };
    if place < HIGH {
        return Err("this is not the upper half of the address space");
    }
    across_a_boundary(world)?;
    if read32((world.uart + UART_ID) as usize) & 0xff != 0x11 {
        return Err("the UART is not where it was mapped");
    }
    faults()?;
    fresh_code(world)?;
    remap::alone(world)?;
    interrupts()?;
    write_register!("vbar_el1", vectors);
    Ok(())
}

/// A store whose halves go to two pages, seen in memory through the lower half.
fn across_a_boundary(world: &World) -> Verdict {
    const VALUE: u64 = 0x0123_4567_89ab_cdef;
    let boundary = world.page_high(NEIGHBOURS + 2);
    write64((boundary - 4) as usize, VALUE);
    let first = read32((world.page(NEIGHBOURS + 1) - 4) as usize);
    let second = read32(world.page(NEIGHBOURS + 2) as usize);
    if (first, second) != (VALUE as u32, (VALUE >> 32) as u32) || read64((boundary - 4) as usize) != VALUE {
        return Err("a store across the boundary of two pages went astray");
    }
    Ok(())
}

/// A load from where nothing is mapped: a data abort, with a translation fault and the address (DDI 0487, ESR_EL1).
fn faults() -> Verdict {
    match attempt(|| read32(World::NOTHING as usize)) {
        Err(exception) if exception.class() == 0x25 && exception.syndrome & 0x3c == 0x04 => {
            if exception.address == World::NOTHING { Ok(()) } else { Err("FAR_EL1 of a translation fault") }
        }
        Err(_) => Err("another exception than a translation fault"),
        Ok(_) => Err("a load from where nothing is mapped gave something"),
    }
}

/// Code that was just written, twice in the same place.
fn fresh_code(world: &World) -> Verdict {
    const RETURN: u32 = 0xd65f_03c0;
    let code = world.page_high(CODE);
    for number in [17, 4711] {
        // `mov x0, #number`
        write32(code as usize, 0xd280_0000 | number << 5);
        write32(code as usize + 4, RETURN);
        cache::publish_code(code);
        let result: u64;
        // SAFETY: the two instructions are a function that gives a number.
        unsafe { asm!("blr {}", in(reg) code, lateout("x0") result, clobber_abi("C")) };
        if result != number.into() {
            return Err("other code than was just written");
        }
    }
    Ok(())
}

fn interrupts() -> Verdict {
    timer::start(1);
    unmask_interrupts();
    let ticks = timer::tick_for(TICKS);
    timer::stop();
    mask_interrupts();
    ticks.map(|_| ())
}

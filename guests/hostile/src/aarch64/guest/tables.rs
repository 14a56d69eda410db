//! Page tables that are not what they should be: in the upper half of the address space, where nobody lives.
//!
//! A page of random descriptors is every level of the walk. They lead to devices, to ROM, to nothing and back to the page; and
//! the root itself may be anywhere but in memory. Loads, stores, translations and fetches go through it.

use crate::aarch64::What;
use crate::aarch64::attack::{Class, Random, World};
use crate::guest::PROGRESS;
use crate::options::Options;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::{say, write_register};

use super::{batch, world};

#[repr(C, align(65536))]
struct Table([AtomicU64; 512]);

static TABLE: Table = Table([const { AtomicU64::new(0) }; 512]);

/// TCR_EL1's fields of the upper half but T1SZ: EPD1, attributes of walks, TG1, TBI1, hardware's access flag and dirty state, HPD1.
const UPPER: u64 = 0xff80_0000 | 1 << 38 | 0b11 << 39 | 1 << 42;
/// As a last level, read-only and not executable; for a table these bits say nothing.
const ITSELF: u64 = 3 | 1 << 7 | 1 << 53;

/// Attacks through one table.
const PROBES: u64 = 16;

/// Walks tables at random.
pub(super) fn walk(options: &Options<What>, world: &World) -> Result<u64, &'static str> {
    let mut random = Random::new(options.seed.unwrap_or(1));
    let mut done = 0;
    while done < options.operations {
        prepare(&mut random, world);
        let code = batch::with(Class::Mmio, |code| {
            for _ in 0..PROBES {
                probe(&mut random, code);
                code.end_attack();
            }
        });
        if let Err(wrong) = batch::run(code) {
            say!("after {done} operations: {wrong}");
            return Err("a register is not what it has to be");
        }
        done += PROBES;
        if done & (PROGRESS - 1) < PROBES {
            say!("{done} operations");
        }
    }
    Ok(done)
}

/// Where descriptors lead: never into this program's memory, nor into other data that could be taken for a table.
fn output(random: &mut Random, world: &World) -> u64 {
    loop {
        let (base, size) = random.one_of(&world.regions[1..]);
        let address = (base + random.below(size)) & 0xffff_ffff_f000;
        // A block of a GiB would be all of this program's.
        if address >> 30 != 1 {
            return address;
        }
    }
}

fn prepare(random: &mut Random, world: &World) {
    let own = TABLE.0.as_ptr() as u64;
    for _ in 0..64 {
        let attributes = random.next() & 0xffff_0000_0000_0ffc;
        let descriptor = match random.below(4) {
            0 => own | ITSELF | attributes & 0xff00_0000_0000_0000,
            1 => output(random, world) | attributes | 3,
            2 => output(random, world) | attributes | 1,
            _ => output(random, world) | attributes & !0xc | 1 << 10 | 3,
        };
        // Mostly among the first, which addresses with few bits use.
        let index = if random.below(2) == 0 { random.below(8) } else { random.below(512) };
        TABLE.0[index as usize].store(descriptor, Relaxed);
    }
    let root = if random.below(3) == 0 { output(random, world) } else { own };
    let upper = random.next() & UPPER;
    let size = if random.below(8) == 0 { random.below(64) } else { 16 + random.below(24) };
    write_register!("ttbr1_el1", root);
    write_register!("tcr_el1", world::TCR & !0xffff_0000 | upper | size << 16);
    world::forget();
}

fn probe(random: &mut Random, code: &mut crate::aarch64::attack::Code) {
    let any = random.next();
    let address = match random.below(3) {
        0 => !0 << 39 | any & 0x1f_ffff,
        1 => !0 << 48 | any,
        _ => !0 << (16 + random.below(32)) | any & 0xfff,
    };
    code.constant(8, address);
    code.put(match random.below(8) {
        // ldr w0, str w0, ldp, ldxr, dc civac, at s1e1r, at s1e1w, blr
        0 | 1 => 0xb940_0100,
        2 => 0xb900_0100,
        3 => 0xa940_0500,
        4 => 0xc85f_7d00,
        5 => 0xd50b_7e28,
        6 => random.one_of(&[0xd508_7808, 0xd508_7828]),
        _ => 0xd63f_0100,
    });
}

//! A page of random entries is every level of the walk. They lead to devices, to ROM, to nothing and back to the page. Loads, stores and
//! fetches go through it.

use crate::guest::PROGRESS;
use crate::options::Options;
use crate::x86_64::attack::{Class, Code, Random, World};
use crate::x86_64::what::What;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::cpu::{read_msr, write_msr};
use guest_runtime::{read_control, say};

use super::{batch, state, world};

#[repr(C, align(4096))]
struct Table([AtomicU64; 512]);

static TABLE: Table = Table([const { AtomicU64::new(0) }; 512]);

/// The upper half of the addresses is the page's.
const UPPER: u64 = 0xffff_8000_0000_0000;
/// Of an entry: nothing behind it is executed; and of EFER: so it is (APM volume 2, 5.6.1).
const EXECUTE_DISABLE: u64 = 1 << 63;
const NXE: u64 = 1 << 11;
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

/// Where entries lead: never into this program's memory, nor to where a store is a command.
fn output(random: &mut Random, world: &World) -> u64 {
    loop {
        let (base, size) = random.one_of(&world.regions);
        let address = (base + random.below(size)) & 0xf_ffff_ffff_f000;
        if address >> 12 != world.local_apic >> 12 && address >> 12 != world.io_apic >> 12 {
            return address;
        }
    }
}

fn prepare(random: &mut Random, world: &World) {
    // The bit is reserved without.
    write_msr(state::EFER, read_msr(state::EFER) | NXE);
    let own = TABLE.0.as_ptr() as u64;
    for _ in 0..64 {
        // Accessed and dirty, cache attributes, what is ignored, what is reserved: anything but large pages, which would be of this
        // program's too, and execute-disable.
        let attributes = random.next() & 0x7ff0_0000_0000_0e7e;
        let reserved = if random.below(8) == 0 { 1 << (40 + random.below(12)) } else { 0 };
        let entry = match random.below(4) {
            // As a table; as a page it is read-only, and no code: at random that would do anything.
            0 => own | 1 | attributes & !2 | EXECUTE_DISABLE,
            1 | 2 => output(random, world) | attributes | reserved | 1,
            _ => output(random, world) | attributes,
        };
        // Mostly among the first, which addresses with few bits use.
        let index = if random.below(2) == 0 { random.below(8) } else { random.below(512) };
        TABLE.0[index as usize].store(entry, Relaxed);
    }
    let root = world::table(read_control!("cr3"));
    for (index, entry) in root[256..].iter().enumerate() {
        entry.store(TABLE.0[index & 255].load(Relaxed), Relaxed);
    }
    world::forget();
}

fn probe(random: &mut Random, code: &mut Code) {
    let any = random.next();
    let address = match random.below(3) {
        0 => UPPER | any & 0x1f_ffff,
        1 => UPPER | any & 0x7fff_ffff_ffff,
        _ => UPPER | any & 0x0000_001c_0e07_7fff,
    };
    code.constant(8, address);
    let probe: &[u8] = random.one_of(&[
        &[0x41, 0x8b, 0x00],       // mov eax, [r8]
        &[0x41, 0x89, 0x00],       // mov [r8], eax
        &[0x49, 0x8b, 0x00],       // mov rax, [r8]
        &[0xf0, 0x41, 0x21, 0x00], // lock and [r8], eax
        &[0x41, 0x0f, 0x10, 0x00], // movups xmm0, [r8]
        &[0x41, 0x0f, 0x01, 0x38], // invlpg [r8]
        &[0x41, 0xff, 0xd0],       // call r8
        &[0x41, 0x0f, 0xae, 0x38], // clflush [r8]
    ]);
    // A fetch may execute zeros, `add [rax], al`, to their end. And no store makes an entry that is present of the memory that may be
    // spoilt, which is a table, too: it would lead anywhere.
    code.constant(0, 0x40_0000);
    code.put(probe);
}

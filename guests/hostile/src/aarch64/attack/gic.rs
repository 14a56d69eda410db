//! The interrupt controller's registers: frames and system registers.

use super::code::BASE;
use super::registers::limit;
use super::{Code, Random, World};

/// Where the registers of distributor and redistributor are dense (IHI 0069, 12.8 and 12.10; IHI 0048, 4.1.2).
const BLOCKS: &[u64] = &[
    0x0, 0x40, 0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x600, 0x800, 0xc00, 0xd00, 0xe00, 0xf00, 0x6000,
    0x7f00, 0xffc0,
];
/// Loads of 1, 2, 4 and 8 bytes; a store is one bit away.
const LOADS: [u32; 4] = [0x3940_0000, 0x7940_0000, 0xb940_0000, 0xf940_0000];
const STORE: u32 = 1 << 22;

pub(super) fn at_random(random: &mut Random, world: &World, code: &mut Code) {
    let register = random.below(8) as u32;
    if !world.is_gic_v2 && random.below(3) == 0 {
        // ICC_*: CRn 12 with CRm 8 to 12, and ICC_PMR_EL1.
        let (crn, crm) = random.one_of(&[(12, 8), (12, 9), (12, 11), (12, 11), (12, 12), (4, 6)]);
        let value = match random.below(2) {
            0 => random.value(),
            // An SGI to somebody: INTID, target list, affinities, or all others.
            _ => {
                random.below(16) << 24
                    | random.one_of(&world.cpus) << 16
                    | random.below(1 << 16)
                    | random.below(2) << 40
            }
        };
        let read = (random.below(2) as u32) << 21;
        let encoding = 3 << 14 | crn << 7 | crm << 3 | random.below(8) as u32;
        code.constant(register, value & limit(encoding));
        return code.put(0xd500_0000 | read | encoding << 5 | register);
    }
    let (base, size) = if random.below(2) == 0 { world.distributor } else { world.gic_cpus };
    let part = if random.below(2) == 0 { 0 } else { random.below(size) & !0xffff };
    let offset = match random.below(4) {
        0 => random.below(size),
        1 => random.below(size) & !3,
        _ => (part + random.one_of(BLOCKS) + (random.below(0x80) & !3)) % size,
    };
    let width = random.below(4) as usize;
    let window = if random.below(4) == 0 { world.normal } else { 0 };
    code.constant(BASE, (base + offset) | window);
    code.constant(register, random.value());
    let store = if random.below(2) == 0 { STORE } else { 0 };
    code.put((LOADS[width] ^ store) | BASE << 5 | register);
}

/// Every word of the frames, read and written with ones, zeros and a walking bit.
pub(super) fn in_order(index: u64, world: &World, code: &mut Code) -> bool {
    let (words, kind) = (index / 5 * 4, index % 5);
    let (base, offset) = match (world.distributor, world.gic_cpus) {
        ((base, size), _) if words < size => (base, words),
        ((_, before), (base, size)) if words - before < size => (base, words - before),
        _ => return false,
    };
    code.constant(BASE, base + offset);
    code.constant(0, [0, u64::MAX, 0, 1 << (words / 4 % 32), 0][kind as usize]);
    code.put(LOADS[2] ^ if matches!(kind, 1..=3) { STORE } else { 0 } | BASE << 5);
    true
}

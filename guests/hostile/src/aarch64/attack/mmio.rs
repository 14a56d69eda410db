//! Loads, stores and maintenance by address, in every form that the instruction set has for them.

use super::code::{BASE, SPARE};
use super::{Code, Random, World};

/// Instructions with the address in x8 and one register in bits 4:0 (DDI 0487, C4.1.94).
const FORMS: &[u32] = &[
    // One register: 8, 16, 32, 64 bits; signed.
    0x3900_0000,
    0x3940_0000,
    0x3980_0000,
    0x39c0_0000,
    0x7900_0000,
    0x7940_0000,
    0x7980_0000,
    0x79c0_0000,
    0xb900_0000,
    0xb940_0000,
    0xb980_0000,
    0xf900_0000,
    0xf940_0000, // again, because they are what is emulated
    0xb900_0000,
    0xb940_0000,
    0xb900_0000,
    0xb940_0000, // prefetch
    0xf980_0000, // SIMD: 8 to 128 bits
    0x3d00_0000,
    0x3d40_0000,
    0x7d00_0000,
    0x7d40_0000,
    0xbd00_0000,
    0xbd40_0000,
    0xfd00_0000,
    0xfd40_0000,
    0x3d80_0000,
    0x3dc0_0000, // structures: ld1, st1, ld4 and four registers of each
    0x4c00_7000,
    0x4c40_7000,
    0x4c00_2000,
    0x4c40_2000,
    0x4c40_0000,
    0x4cdf_7000,
    // Post- and pre-indexed by 8, unscaled by -1.
    0x3800_8400,
    0x3840_8400,
    0x7800_8400,
    0x7840_8400,
    0xb800_8400,
    0xb840_8400,
    0xf800_8400,
    0xf840_8400,
    0x3840_8c00,
    0xb800_8c00,
    0xb840_8c00,
    0xf840_8c00,
    0x385f_f000,
    0x785f_f000,
    0xb85f_f000,
    0xf85f_f000,
    0xb81f_f000,
    0xf81f_f000,
    // Unprivileged.
    0xb840_0800,
    0xb800_0800,
    0xf840_0800, // exclusive, acquire and release: loads
    0x085f_7c00,
    0x485f_7c00,
    0x885f_7c00,
    0xc85f_7c00,
    0x885f_fc00,
    0xc85f_fc00,
    0x08df_fc00,
    0x48df_fc00,
    0x88df_fc00,
    0xc8df_fc00, // and stores, the status in w9
    0x0809_7c00,
    0x4809_7c00,
    0x8809_7c00,
    0xc809_7c00,
    0x8809_fc00,
    0x089f_fc00,
    0x489f_fc00,
    0x889f_fc00,
    0xc89f_fc00,
    // Tags, 64 bytes at once, SVE: what guests are told that the CPU does not have.
    0xd960_0000,
    0xd920_0800,
    0xf83f_d000,
    0xf83f_9000,
    0x8580_4000,
];

/// The same with a second register in bits 14:10, which must be another one.
const PAIRS: &[u32] = &[
    0x2900_0000,
    0x2940_0000,
    0x6940_0000,
    0xa900_0000,
    0xa940_0000,
    0xad00_0000,
    0xad40_0000,
    0x6d00_0000,
    0x6d40_0000,
    0x2800_0000,
    0x2840_0000,
    0xa800_0000,
    0xa840_0000,
    0xa8c1_0000,
    0xa9c1_0000,
    0xa881_0000,
    0xa981_0000,
    0xc87f_0000,
    0xc829_0000,
    0x887f_8000,
];

/// FEAT_LSE: an operand in x9, the old value in bits 4:0; a pair of its own.
const ATOMICS: &[u32] = &[
    0x3829_0000,
    0x7829_0000,
    0xb829_0000,
    0xf829_0000,
    0xb8e9_0000,
    0xf8e9_3000,
    0xb829_8000,
    0xf829_8000,
    0x88a9_7c00,
    0xc8a9_7c00,
    0xb829_1000,
    0xf829_2000,
];

/// Maintenance of the address in x8: DC ZVA, CVAC, CVAU, CVAP, CIVAC, IVAC, GVA, GZVA, IC IVAU, AT S1E1R, S1E1W, S1E0R, TLBI VAE1,
/// VAAE1IS.
const MAINTENANCE: &[u32] = &[
    0xd50b_7420,
    0xd50b_7a20,
    0xd50b_7b20,
    0xd50b_7c20,
    0xd50b_7e20,
    0xd508_7620,
    0xd50b_7460,
    0xd50b_7480,
    0xd50b_7520,
    0xd508_7800,
    0xd508_7820,
    0xd508_7840,
    0xd508_8720,
    0xd508_8360,
];

fn put(code: &mut Code, address: u64, register: u32, value: u64, form: u32) {
    code.constant(BASE, address);
    code.constant(register, value);
    code.put(form | BASE << 5 | register);
}

/// Any instruction at any address.
pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    // As a device's memory the CPU itself refuses much of this; as Normal memory it is the hypervisor's to refuse.
    let address = world.address(random) | if random.below(4) == 0 { 0 } else { world.normal };
    let (register, value) = (random.below(8) as u32, random.value());
    match random.below(16) {
        0..=8 => put(code, address, register, value, random.one_of(FORMS)),
        9..=10 => {
            let second = (register + 1) % 8;
            put(code, address, register, value, random.one_of(PAIRS) | second << 10);
        }
        11..=12 if world.has_atomics => {
            code.constant(SPARE, random.value());
            put(code, address, register, value, random.one_of(ATOMICS));
        }
        // casp x2, x3, x4, x5
        13 if world.has_atomics => put(code, address, 4, value, 0x4822_7c00),
        14 => {
            // A fetch: blr x8. Memory that holds data is not for execution.
            let code_address = address & !3;
            code.constant(
                BASE,
                if world.is_memory(address) { world.regions[1].0 | world.normal } else { code_address },
            );
            code.put(0xd63f_0100);
        }
        _ => {
            code.constant(BASE, address);
            code.put(random.one_of(MAINTENANCE) | BASE);
        }
    }
}

impl World {
    /// The first region is memory of the guest's that attacks may spoil; the program's own is before the tenth, and its end is spoilt
    /// by what is across.
    fn is_memory(&self, address: u64) -> bool {
        let ((base, size), (end, _)) = (self.regions[0], self.regions[9]);
        let address = address & !self.normal;
        (base - 64..base + size + 64).contains(&address) || (end - 64..end).contains(&address)
    }
}

/// Every form at the beginning, inside, and across the end of every region, as a device's memory and as Normal memory.
pub(super) fn in_order(index: u64, world: &World, code: &mut Code) -> bool {
    let forms = FORMS.iter().chain(PAIRS).chain(MAINTENANCE);
    let count = (FORMS.len() + PAIRS.len() + MAINTENANCE.len()) as u64;
    let (form, place) = (index % count, index / count);
    let Some(&(base, size)) = world.regions.get((place / 12) as usize) else { return false };
    let offset = [0, 4, 0x18, 1, size - 1, size - 4][(place % 6) as usize];
    let normal = if place / 6 % 2 == 0 { 0 } else { world.normal };
    let Some(&word) = forms.clone().nth(form as usize) else { return false };
    let address = (base + offset) | normal;
    if form < FORMS.len() as u64 {
        put(code, address, 0, u64::MAX, word);
    } else if form < (FORMS.len() + PAIRS.len()) as u64 {
        put(code, address, 0, u64::MAX, word | 1 << 10);
    } else {
        code.constant(BASE, address);
        code.put(word | BASE);
    }
    true
}

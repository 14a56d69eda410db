//! 32-bit code for EL0 (DDI 0487, F4 and F5): coprocessors, calls, loads and stores of one and of many registers.

use super::{Code, Random, World};

/// Loads and stores with the address in r8 and a register in bits 15:12.
const ONE: &[u32] = &[
    0xe598_0000,
    0xe588_0000,
    0xe5d8_0000,
    0xe5c8_0000,
    0xe1d8_00b0,
    0xe1c8_00b0,
    0xe1d8_00d0,
    0xe1d8_00f0, // indexed
    0xe498_0004,
    0xe488_0004,
    0xe5b8_0004,
    0xe5a8_0004,
    0xe4d8_0001, // unprivileged, exclusive, acquire
    0xe4b8_0004,
    0xe198_0f9f,
    0xe1d8_0f9f,
    0xe1f8_0f9f,
    0xe198_0c9f,
];
/// Loads and stores of many, the registers fixed: LDRD, STRD, LDREXD, STREX, VLDR, VSTR, VLDM, VSTM, VLD1, PLD.
const MANY: &[u32] = &[
    0xe1c8_00d0,
    0xe1c8_20f0,
    0xe1b8_0f9f,
    0xe188_2f93,
    0xed98_0b00,
    0xed88_0b00,
    0xec98_0b10,
    0xec88_0b10,
    0xf428_070f,
    0xf5d8_f000,
];

/// Puts one attack into `code`, whole.
pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    let any = random.next() as u32;
    let register = random.below(8) as u32;
    // Mostly always, sometimes on a condition.
    let condition = if random.below(4) == 0 { random.below(15) as u32 } else { 14 };
    let under = |word: u32| word & 0x0fff_ffff | condition << 28;
    match random.below(8) {
        0..=2 => {
            code.constant(register, random.value());
            let coprocessor = random.one_of(&[14, 15, 15, any & 15]);
            let fields = register << 12 | coprocessor << 8;
            code.put(under(match random.below(6) {
                0 => 0x0c40_0000 | (any >> 4 & 1) << 20 | ((register + 1) % 8) << 16 | fields | any & 0xff, // mcrr, mrrc
                1 => 0x0d98_5e00 ^ (any >> 4 & 1) << 20, // ldc, stc p14
                _ => 0x0e00_0010 | (any >> 5 & 7) << 21 | (any >> 8 & 1) << 20 | fields | any & 0xf_00ef,
            }));
        }
        // svc, hvc, smc, and what is undefined
        3 => {
            let immediate = (any & 0xf) | (any & 0xff0) << 4;
            code.put(match random.below(4) {
                0 => under(0xef00_0000 | any & 0xff),
                1 => 0xe140_0070 | immediate,
                2 => under(0xe160_0070 | any & 0xf),
                _ => 0xe7f0_00f0 | immediate,
            });
        }
        choice => {
            code.constant(8, address(random, world));
            code.constant(register, random.value());
            code.put(match choice {
                4 | 5 => under(random.one_of(ONE) | register << 12),
                // ldm, stm of r0 to r7, with and without write-back
                6 => under(
                    random.one_of(&[0xe898_0000, 0xe8b8_0000, 0xe888_0000, 0xe8a8_0000]) | 1 << register | any & 0xff,
                ),
                _ => random.one_of(MANY),
            });
        }
    }
    code.end_attack();
}

/// An address that 32 bits hold.
fn address(random: &mut Random, world: &World) -> u64 {
    loop {
        let address = world.address(random);
        if address < 0xc000_0000 && address >> 30 != 1 {
            return address;
        }
    }
}

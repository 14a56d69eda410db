//! String instructions: INS, OUTS, MOVS, STOS, LODS, CMPS and SCAS, repeated, forwards and backwards, across pages and past the end
//! of the addresses.

use super::code::register::{RAX, RCX, RDI, RDX, RSI};
use super::{Code, Random, World, ports};

/// INS, OUTS; MOVS, CMPS, STOS, LODS, SCAS: a byte; one more is wider.
const WITH_PORT: [u8; 2] = [0x6c, 0x6e];
const OTHERS: [u8; 5] = [0xa4, 0xa6, 0xaa, 0xac, 0xae];
/// REP or REPE, REPNE.
const REPEATS: [u8; 2] = [0xf3, 0xf2];

/// At most so many, each of which may be an exit.
const MOST: u64 = 64;

/// Where strings are: mostly in the memory that may be spoilt, near the end of a page; or anywhere else that may be.
fn string(random: &mut Random, world: &World) -> u64 {
    let (base, size) = world.regions[0];
    match random.below(8) {
        0..=3 => base + 0x1000 * (1 + random.below(size / 0x1000 - 2)) - random.below(64),
        4 => base + random.below(size - 1024) + 512,
        5 => world.address(random),
        // Where there is nothing, and where addresses end.
        6 => world.nowhere + random.below(64),
        _ => random.one_of(&[u64::MAX - 16, 0x7fff_ffff_fff0, 0xffff_8000_0000_0000, 1 << 62]),
    }
}

pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    let count = match random.below(8) {
        0 => 0,
        // It ends by an exception, or by the hypervisor's patience: only where nothing is written.
        _ => random.below(MOST),
    };
    let port = ports::port(random, world);
    let is_output = random.below(2);
    let with_port = random.below(2) == 0;
    let opcode = if with_port { WITH_PORT[is_output as usize] } else { random.one_of(&OTHERS) };
    let is_wide = random.below(3) != 0;
    code.constant(RAX, random.value());
    code.constant(RCX, count);
    // Backwards only in the memory that may be spoilt: before a device there may be what is not to be touched.
    let is_backward = random.below(4) == 0;
    for register in [RSI, RDI] {
        let (base, size) = world.regions[0];
        let inside = base + 0x1000 * (1 + random.below(size / 0x1000 - 2)) + random.below(64);
        let string = string(random, world);
        code.constant(register, if is_backward { inside } else { string });
    }
    let port = if opcode == WITH_PORT[1] && world.is_spared(port, 4) { 0x80 } else { port };
    code.constant(RDX, port.into());
    // std
    if is_backward {
        code.put(&[0xfd]);
    }
    // Prefixes: segments FS and GS, operand and address size, repeat, REX.W.
    match random.below(8) {
        0 => code.put(&[0x64]),
        1 => code.put(&[0x65]),
        _ => {}
    }
    if random.below(4) == 0 {
        code.put(&[0x66]);
    }
    // With 32-bit addresses a string that is above 4 GiB is in low memory, which is not to be spoilt: none that stores.
    let stores = matches!(opcode, 0x6c | 0xa4 | 0xaa);
    if !stores && random.below(8) == 0 {
        code.put(&[0x67]);
    }
    if random.below(4) != 0 {
        code.put(&[random.one_of(&REPEATS)]);
    }
    if random.below(4) == 0 {
        code.put(&[0x48]);
    }
    code.put(&[opcode | u8::from(is_wide)]);
}

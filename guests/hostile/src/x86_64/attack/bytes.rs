//! Bytes at random, executed at CPL 3, where the CPU allows all ports but those that are spared, and neither the interrupt flag nor the
//! guest's own memory.

use super::code::register::{R8, R9, RAX, RCX, RDI, RDX, RSI};
use super::{Code, Random, World, ports};

/// What instructions that exit, or that a decoder has to know, begin with.
const BEGINNINGS: &[&[u8]] = &[
    &[0x0f, 0xa2],
    &[0x0f, 0x01],
    &[0x0f, 0x31],
    &[0xe4],
    &[0xe6],
    &[0xec],
    &[0xee],
    &[0x66, 0xef],
    &[0x6c],
    &[0xf3, 0x6e],
    &[0xcd],
    &[0x0f, 0x05],
    &[0x0f, 0x38],
    &[0x0f, 0x3a],
    &[0xc4],
    &[0xc5],
    &[0x62],
    &[0x8f],
    &[0xf2, 0x0f],
    &[0x67],
    &[0xf0],
];

/// Between instructions of its own and none, in memory of CPL 3's: from the guest's first such address on.
pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    for register in [RAX, RCX, R9] {
        code.constant(register, random.value());
    }
    code.constant(RDX, ports::port(random, world).into());
    // Its own memory, a device's, and nobody's; the guest's own is not there.
    for register in [RSI, RDI, R8] {
        code.constant(register, USER + random.one_of(&[0x40_0000, 0x41_0ff8, 0xd000_0000, 0x60_0000]));
    }
    let (mut bytes, mut length) = ([0; 2 + 4 * 8], 0);
    let mut put = |more: &[u8]| {
        bytes[length..length + more.len()].copy_from_slice(more);
        length += more.len();
    };
    if random.below(2) == 0 {
        put(random.one_of(BEGINNINGS));
    }
    for _ in 0..4 {
        put(&random.next().to_le_bytes()[..(1 + random.below(8)) as usize]);
    }
    code.put(tamed(&mut bytes[..length]));
}

/// Without the opcode at which QEMU ends: 7.2 takes VPERMILPS without a VEX prefix for an instruction (it is none: APM volume 4), and has
/// no function for it.
fn tamed(bytes: &mut [u8]) -> &[u8] {
    for start in 0..bytes.len().saturating_sub(2) {
        if bytes[start..].starts_with(&[0x0f, 0x38, 0x0c]) {
            bytes[start + 2] = 0x0d;
        }
    }
    bytes
}

/// Where CPL 3 finds what it may have: the second 512 GiB.
pub(crate) const USER: u64 = 1 << 39;

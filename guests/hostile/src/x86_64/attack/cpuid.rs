//! CPUID of every leaf.

use super::code::register::{RAX, RCX};
use super::{Code, Random};

/// Where leaves are: first and how many, each with so many subleaves.
const RANGES: &[(u32, u32)] =
    &[(0, 0x40), (0x4000_0000, 0x120), (0x8000_0000, 0x40), (0xc000_0000, 8), (0x2000_0000, 4)];
const SUBLEAVES: u64 = 8;

fn put(code: &mut Code, leaf: u64, subleaf: u64) {
    code.constant(RAX, leaf);
    code.constant(RCX, subleaf);
    code.put(&[0x0f, 0xa2]);
}

pub(super) fn at_random(random: &mut Random, code: &mut Code) {
    let (first, count) = random.one_of(RANGES);
    let leaf = if random.below(4) == 0 { random.value() } else { u64::from(first) + random.below(count.into()) };
    let subleaf = if random.below(4) == 0 { random.value() } else { random.below(0x40) };
    put(code, leaf, subleaf);
}

/// All leaves of the ranges.
pub(super) fn in_order(index: u64, code: &mut Code) -> bool {
    let mut number = index / SUBLEAVES;
    for &(first, count) in RANGES {
        if number < count.into() {
            put(code, u64::from(first) + number, index % SUBLEAVES);
            return true;
        }
        number -= u64::from(count);
    }
    false
}

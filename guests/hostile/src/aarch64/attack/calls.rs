//! Calls by HVC and SMC.

use super::{Code, Random, World};

const CPU_OFF: u32 = 2;
const CPU_ON: u32 = 3;
const SYSTEM_OFF: u32 = 8;
const SYSTEM_RESET: u32 = 9;
const SYSTEM_RESET2: u32 = 0x12;
/// First of PSCI's functions, as 32-bit calls and as 64-bit ones.
const PSCI: [u32; 2] = [0x8400_0000, 0xc400_0000];

/// Where ranges of functions begin (DEN 0028, table 6-2), and some inside of them.
const RANGES: &[u32] = &[
    0x8000_0000,
    0x8000_3f00,
    0x8000_7f00,
    0x8000_8000,
    0x8100_0000,
    0x8200_0000,
    0x8300_0000,
    0x8400_0000,
    0x8400_0050,
    0x8500_0000,
    0x8600_0000,
    0x8600_ff00,
    0xb200_0000,
    0xc000_0000,
    0xc400_0000,
    0xc500_0000,
    0xc500_0020,
    0xc600_0000,
    0xf200_0000,
    0x0000_0000,
    0x0400_0000,
    0x4400_0000,
];

/// The function, unless it would end the guest or a CPU that works.
fn spared(function: u32) -> u32 {
    let is_psci = PSCI.contains(&(function & !0xff));
    match function & 0xff {
        CPU_OFF | SYSTEM_OFF | SYSTEM_RESET | SYSTEM_RESET2 if is_psci => function + 0x60,
        _ => function,
    }
}

fn put(random: &mut Random, world: &World, code: &mut Code, function: u32, immediate: u32) {
    let function = spared(function);
    let mut arguments = [random.value(), random.value(), random.value()];
    if random.below(2) == 0 {
        arguments[0] = random.one_of(&world.cpus);
    }
    if PSCI.contains(&(function & !0xff)) && function & 0xff == CPU_ON {
        // Where there is no memory, or where it ends at once: not just anywhere in this program.
        let nowhere = [0, 2, world.entry + 2, 0x900_0000, u64::MAX, 1 << 40, world.regions[0].0];
        arguments[1] = if random.below(4) == 0 { random.one_of(&nowhere) } else { world.entry };
    }
    let upper = if random.below(4) == 0 { random.next() << 32 } else { 0 };
    code.constant(0, upper | u64::from(function));
    for (register, value) in (1..).zip(arguments) {
        code.constant(register, value);
    }
    // hvc or smc
    code.put(0xd400_0000 | immediate << 5 | random.one_of(&[2, 3]));
}

/// Any function.
pub(super) fn any(random: &mut Random, world: &World, code: &mut Code) {
    let function = match random.below(8) {
        0 => random.next() as u32,
        1..=2 => random.one_of(&PSCI) + random.below(0x20) as u32,
        _ => random.one_of(RANGES) + random.below(0x40) as u32,
    };
    let immediate = if random.below(8) == 0 { random.below(0x1_0000) as u32 } else { 0 };
    // CPU_SUSPEND waits, and nobody may be there to end it.
    let function = if PSCI.contains(&(function & !1)) && function & 1 == 1 { function + 0x20 } else { function };
    put(random, world, code, function, immediate);
}

/// PSCI's own.
pub(super) fn psci(random: &mut Random, world: &World, code: &mut Code) {
    let function = match random.below(3) {
        0 => CPU_ON,
        1 => 4,
        _ => random.below(0x18) as u32,
    };
    let range = random.one_of(&PSCI);
    put(random, world, code, range + function, 0);
}

/// 64 functions of every range, by either instruction, with arguments of zeros and of ones.
pub(super) fn in_order(index: u64, code: &mut Code) -> bool {
    let Some(&range) = RANGES.get((index / 256) as usize) else { return false };
    let function = range + (index / 4 % 64) as u32;
    // CPU_SUSPEND of zeros waits.
    let function = if PSCI.contains(&(function & !1)) { function & !1 } else { spared(function) };
    code.constant(0, function.into());
    for register in 1..4 {
        code.constant(register, if index & 1 == 0 { 0 } else { u64::MAX });
    }
    code.put(0xd400_0002 | (index as u32 >> 1 & 1));
    true
}

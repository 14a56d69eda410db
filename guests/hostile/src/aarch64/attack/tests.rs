//! What the attacks are made of, on the host: the same seed gives the same ones, and each is what it says.

use super::*;
use crate::aarch64::attack::code::LEAVE_32;

const WORLD: World = World {
    regions: [
        (0x8000_0000, 0x1_0000),
        (0x9_0000, 0x1000),
        (0xa000_0000, 0x1000),
        (0x900_0000, 0x1000),
        (0x1_0000_0000, 0x1000),
        (0x1c09_0000, 0x1000),
        (0x9_0000, 0x1000),
        (0x9_0000, 0x1000),
        (0x9_0000, 0x1000),
        (0x9_0000, 0x1000),
        (0x9_0000, 0x1000),
        (0x9_0000, 0x1000),
    ],
    distributor: (0x2c00_0000, 0x1_0000),
    gic_cpus: (0x2c10_0000, 0x4_0000),
    is_gic_v2: false,
    has_32_bit: true,
    has_atomics: true,
    normal: 1 << 38,
    cpus: [0, 1],
    entry: 0x4020_0000,
};

const ALL: [Class; 6] = [Class::SystemRegisters, Class::Calls, Class::Psci, Class::Mmio, Class::Gic, Class::El032];

fn batch(class: Class, random: &mut Random) -> Vec<u32> {
    let mut code = Box::new(Code::new());
    class.begin(&mut code);
    while code.attacks() < ATTACKS {
        class.attack(random, &WORLD, &mut code);
    }
    code.finish();
    code.words().to_vec()
}

#[test]
fn the_same_seed_is_the_same_sequence() {
    for class in ALL {
        let of = |seed| {
            let mut random = Random::new(seed);
            (0..50).map(|_| batch(class, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }
}

#[test]
fn no_attack_writes_the_register_that_leads_back() {
    for class in ALL {
        for words in (0..2000).map(|seed| batch(class, &mut Random::new(seed))) {
            let is_32 = class == Class::El032;
            let (first, last) = if is_32 { (words[0], LEAVE_32) } else { (0xaa1e_03f2, 0xd61f_0240) };
            assert_eq!((words[0], *words.last().unwrap()), (first, last));
            // An instruction of one register never has x18 to x31 in bits 4:0.
            let wild =
                words[1..words.len() - 1].iter().filter(|&&word| !is_32 && word & 0x1f > 17 && word & 0x1f != 31);
            assert_eq!(wild.count(), 0, "{class:?}");
        }
    }
}

#[test]
fn nothing_that_would_end_the_guest_is_called() {
    // movz x0 or movk of the low and high halves, then the call.
    for words in (0..2000).map(|seed| batch(Class::Psci, &mut Random::new(seed))) {
        let fatal = |word: &u32| matches!(word, 0xd280_0040 | 0xd280_0100 | 0xd280_0120 | 0xd280_0240);
        let ends =
            words.iter().zip(&words[1..]).filter(|(low, high)| fatal(low) && **high & 0xffe0_001f == 0xf2a0_0000);
        assert_eq!(ends.count(), 0);
    }
}

#[test]
fn orders_have_an_end() {
    for class in ALL {
        let mut code = Box::new(Code::new());
        let mut index = 0;
        loop {
            code.begin(false);
            if !class.in_order(index, &WORLD, &mut code) {
                break;
            }
            index += 1;
        }
        let expected = match class {
            Class::SystemRegisters => 3 * 2 * 16384..3 * 2 * 16384 + 1,
            Class::El032 => 0..1,
            _ => 1000..1_000_000,
        };
        assert!(expected.contains(&index), "{class:?}: {index}");
    }
}

#[test]
fn at_random_all_kinds_come() {
    let mut random = Random::new(1);
    let kinds: Vec<_> = (0..1000).map(|_| Class::Random.of_batch(&mut random, &WORLD)).collect();
    let missing = ALL.iter().filter(|&&kind| kind != Class::Psci && !kinds.contains(&kind));
    assert_eq!(missing.count(), 0);
    let without = World { has_32_bit: false, ..WORLD };
    assert!((0..1000).all(|_| Class::Random.of_batch(&mut random, &without) != Class::El032));
}

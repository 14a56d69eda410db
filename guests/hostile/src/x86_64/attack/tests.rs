//! What the attacks are made of, on the host: the same seed gives the same ones, and each is what it says.

use super::code::END;
use super::*;

const WORLD: World = World {
    regions: [
        (0x40_0000, 0x20_0000),
        (0xfee0_0000, 0x80),
        (0xf800_0020, 0x100),
        (0xf800_8000, 0x400),
        (0xf_0000, 0x1000),
        (0xb000_0000, 0x1_0000),
        (0x1_0000_0000, 0x1000),
        (0xfffc_0000, 0x1000),
        (0xfed4_0000, 0x1000),
        (0xf800_1000, 0x1000),
        (0xfee0_1000, 0x1000),
        (0x3f_ffff_0000, 0x8000),
    ],
    empty: [4, 5, 10, 11],
    local_apic: 0xfee0_0000,
    io_apic: 0xf800_0000,
    hpet: 0xf800_8000,
    spared_ports: [(0x604, 2), (0x64, 1), (0x92, 1), (0xb2, 2), (0, 0), (0, 0), (0, 0), (0, 0)],
    is_virtual: true,
    nowhere: 1 << 45,
    control: [0x8001_0033, 0x620, 0xd00, 7],
};

fn batch(class: Class, random: &mut Random) -> Vec<u8> {
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
    for class in Class::KINDS {
        let of = |seed| {
            let mut random = Random::new(seed);
            (0..50).map(|_| batch(class, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }
}

/// The attacks of a batch, by the chain of `lea r15` that begin them; its last byte returns.
fn attacks(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut found) = (bytes, Vec::new());
    while let [0x4c, 0x8d, 0x3d, a, b, c, d, after @ ..] = rest {
        let (attack, next) = after.split_at(u32::from_le_bytes([*a, *b, *c, *d]) as usize);
        found.push(attack);
        rest = next.strip_prefix(&END).expect("an attack ends as all do");
    }
    assert_eq!(rest, [0xc3]);
    found
}

#[test]
fn each_attack_knows_where_it_ends() {
    for class in Class::KINDS.into_iter().filter(|&class| class != Class::Bytes) {
        for bytes in (0..500).map(|seed| batch(class, &mut Random::new(seed))) {
            assert_eq!(attacks(&bytes).len() as u64, ATTACKS, "{class:?}");
        }
    }
}

/// What a register had to be at the end of an attack, by its `mov register, imm64`.
fn constant(attack: &[u8], rex: u8, opcode: u8) -> Option<u64> {
    let at = attack.windows(2).rposition(|bytes| bytes == [rex, opcode])?;
    Some(u64::from_le_bytes(attack.get(at + 2..at + 10)?.try_into().ok()?))
}

#[test]
fn no_port_that_would_end_the_guest_is_written() {
    for bytes in (0..3000).map(|seed| batch(Class::Ports, &mut Random::new(seed))) {
        for attack in attacks(&bytes) {
            let port = constant(attack, 0x48, 0xba);
            let (last, before) = attack.split_last().unwrap();
            let width = match (last, before.last()) {
                (0xee, _) => 1,
                (0xef, Some(0x66)) => 2,
                (0xef, _) => 4,
                _ => continue,
            };
            // By number the port is the last byte, and DX is not set.
            if let Some(port) = port {
                assert!(!WORLD.is_spared(port as u16, width), "{attack:x?}");
            }
        }
    }
    assert!(WORLD.is_spared(0xcf9, 1) && WORLD.is_spared(0xcf7, 4) && !WORLD.is_spared(0xcf8, 4));
    assert!(WORLD.is_spared(0x602, 4) && !WORLD.is_spared(0x606, 1));
}

#[test]
fn no_interrupt_that_would_end_the_guest_is_sent() {
    // Delivery modes but fixed and NMI, by a store of eax to ICR.
    for bytes in (0..3000).map(|seed| batch(Class::Apic, &mut Random::new(seed))) {
        for attack in attacks(&bytes).into_iter().filter(|attack| attack.ends_with(&[0x41, 0x89, 0x00])) {
            if constant(attack, 0x49, 0xb8) == Some(WORLD.local_apic + 0x300) {
                let command = constant(attack, 0x48, 0xb8).unwrap();
                assert!(matches!(command >> 8 & 7, 0 | 4), "{command:#x}");
            }
        }
    }
}

#[test]
fn no_store_goes_where_the_guest_lives() {
    let mut random = Random::new(1);
    for _ in 0..1_000_000 {
        let address = WORLD.address(&mut random);
        assert!(!(0x1_0000..0xf_0000).contains(&address) && !(0x10_0000..0x40_0000).contains(&address), "{address:#x}");
    }
}

#[test]
fn orders_have_an_end() {
    for class in Class::KINDS {
        let mut code = Box::new(Code::new());
        let mut index = 0;
        loop {
            class.begin(&mut code);
            if !class.in_order(index, &WORLD, &mut code) {
                break;
            }
            index += 1;
        }
        let expected = match class {
            Class::Msrs => 4 * (3 * 0x2000 + 0x100),
            Class::Ports => 9 << 16,
            Class::Apic => 5 * 0x900,
            Class::Cpuid => 8 * (0x40 + 0x120 + 0x40 + 8 + 4),
            Class::Mmio | Class::Privileged => index.max(1000),
            _ => 0,
        };
        assert_eq!(index, expected, "{class:?}");
    }
}

#[test]
fn at_random_all_kinds_come() {
    let mut random = Random::new(1);
    let kinds: Vec<_> = (0..1000).map(|_| Class::Random.of_batch(&mut random, &WORLD)).collect();
    assert!(Class::KINDS.iter().all(|kind| kinds.contains(kind)));
}

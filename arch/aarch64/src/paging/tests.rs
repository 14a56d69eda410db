//! The walker with arm64's formats: against the reference of all formats, and bit by bit.

use model::Hpa;
use proptest::prelude::*;

use super::reference::{GIB1, KIB4, MIB2, Pages, extents, keeps_to_it};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn stage_2_translates_what_was_mapped_and_nothing_else(
        (bits, wanted) in prop_oneof![Just(40u32), Just(36), Just(32)]
            .prop_flat_map(|bits| (Just(bits), extents::<Stage2>(bits)))
    ) {
        keeps_to_it::<Stage2>(bits, &wanted);
    }

    #[test]
    fn stage_1_translates_what_was_mapped_and_nothing_else(
        wanted in extents::<Stage1>(48)
    ) {
        keeps_to_it::<Stage1>(48, &wanted);
    }
}

#[test]
fn a_gibibyte_takes_one_entry_of_the_root() {
    let mut memory = Pages::new(2);
    let table = Table::<Stage2>::new(&mut memory, 40).unwrap();
    table.map(&mut memory, 1023 * GIB1, Hpa(GIB1), GIB1, Stage2Attributes::RAM).unwrap();
    // The last of 1024 entries: the second of two concatenated tables.
    assert_eq!(memory.read(Hpa(table.root().0 + 1023 * 8)), GIB1 | 0x7fd);
}

#[test]
fn descriptors_are_those_of_the_manual() {
    // Stage 2: AF, SH, S2AP, MemAttr; then XN for devices.
    assert_eq!(Stage2::leaf(Stage2Attributes::RAM), 0x7fc);
    assert_eq!(Stage2::leaf(Stage2Attributes::ROM), 0x77c);
    assert_eq!(Stage2::leaf(Stage2Attributes::DEVICE), (1 << 54) | 0x4c4);
    let uncached = Stage2Attributes { kind: model::MemoryType::Uncached, write: false, execute: false };
    assert_eq!(Stage2::leaf(uncached), (1 << 54) | 0x754);
    // Stage 1: AF, SH, AP, AttrIndx.
    assert_eq!(Stage1::leaf(Stage1Attributes::Text), 0x7c4);
    assert_eq!(Stage1::leaf(Stage1Attributes::ReadOnly), (1 << 54) | 0x7c4);
    assert_eq!(Stage1::leaf(Stage1Attributes::ReadWrite), (1 << 54) | 0x744);
    assert_eq!(Stage1::leaf(Stage1Attributes::Device), (1 << 54) | 0x440);
    assert_eq!(MAIR_EL2, 0xff04);
}

#[test]
fn nothing_at_stage_1_is_writable_and_executable() {
    for &attributes in Stage1::ATTRIBUTES {
        let leaf = Stage1::leaf(attributes);
        assert!(leaf & (1 << 7) != 0 || leaf & (1 << 54) != 0, "{attributes:?}");
    }
}

#[test]
fn rights_are_what_the_bits_say() {
    let rights = |read, write, execute, is_device| Rights { read, write, execute, is_device };
    let of = [
        (Stage1Attributes::Text, rights(true, false, true, false)),
        (Stage1Attributes::ReadOnly, rights(true, false, false, false)),
        (Stage1Attributes::ReadWrite, rights(true, true, false, false)),
        (Stage1Attributes::Device, rights(true, true, false, true)),
    ];
    for (attributes, expected) in of {
        assert_eq!(Stage1::rights(Stage1::leaf(attributes)), expected, "{attributes:?}");
    }
    let of = [
        (Stage2Attributes::RAM, rights(true, true, true, false)),
        (Stage2Attributes::ROM, rights(true, false, true, false)),
        (Stage2Attributes::DEVICE, rights(true, true, false, true)),
        (
            Stage2Attributes { kind: model::MemoryType::Uncached, ..Stage2Attributes::ROM },
            rights(true, false, true, false),
        ),
        (Stage2Attributes { write: false, ..Stage2Attributes::DEVICE }, rights(true, false, false, true)),
    ];
    for (attributes, expected) in of {
        assert_eq!(Stage2::rights(Stage2::leaf(attributes)), expected, "{attributes:?}");
    }
    // An undefined attribute index is a device; XN[1:0] = 0b01 and 0b11 let somebody execute.
    assert!(Stage1::rights(2 << 2).is_device);
    assert!(Stage2::rights(1 << 53).execute && Stage2::rights(0b11 << 53).execute);
}

#[test]
fn a_walk_shows_every_valid_entry_and_ends_when_told() {
    let mut memory = Pages::new(20);
    let table = Table::<Stage2>::new(&mut memory, 40).unwrap();
    table.map(&mut memory, GIB1, Hpa(3 * GIB1), GIB1, Stage2Attributes::RAM).unwrap();
    table.map(&mut memory, 4 * GIB1 + MIB2, Hpa(KIB4), KIB4, Stage2Attributes::ROM).unwrap();
    // What no map writes: a block at level 3, which is none, and bits that are never set.
    let last = Hpa(table.root().0 + 4 * 8);
    let level_2 = Hpa(memory.read(last) & FORMAT.address);
    let level_3 = Hpa(memory.read(Hpa(level_2.0 + 8)) & FORMAT.address);
    memory.write(Hpa(level_3.0 + 8), 0x1000 | 0b01);
    memory.write(Hpa(level_3.0 + 16), 0x2000 | Stage2::leaf(Stage2Attributes::RAM) | 1 << 55 | 0b11);

    let mut seen = Vec::new();
    let all: Result<(), ()> = table.walk(&memory, &mut |entry| {
        seen.push(*entry);
        Ok(())
    });
    assert_eq!(all, Ok(()));
    let rights = |attributes| Stage2::rights(Stage2::leaf(attributes));
    let expected = [
        (GIB1, Level::L1, Says::Leaf(Hpa(3 * GIB1), rights(Stage2Attributes::RAM)), true),
        (4 * GIB1, Level::L1, Says::Table(level_2), true),
        (4 * GIB1 + MIB2, Level::L2, Says::Table(level_3), true),
        (4 * GIB1 + MIB2, Level::L3, Says::Leaf(Hpa(KIB4), rights(Stage2Attributes::ROM)), true),
        (4 * GIB1 + MIB2 + KIB4, Level::L3, Says::Nothing, false),
        (4 * GIB1 + MIB2 + 2 * KIB4, Level::L3, Says::Leaf(Hpa(2 * KIB4), rights(Stage2Attributes::RAM)), false),
    ];
    let shown: Vec<_> =
        seen.iter().map(|entry| (entry.input, entry.level, entry.says, entry.is_ours::<Stage2>())).collect();
    assert_eq!(shown, expected);

    let mut count = 0;
    let refused = table.walk(&memory, &mut |entry| {
        count += 1;
        if matches!(entry.says, Says::Table(_)) { Err(entry.input) } else { Ok(()) }
    });
    assert_eq!((refused, count), (Err(4 * GIB1), 2), "the table was not followed");
}

#[test]
fn control_registers_follow_the_physical_address_size() {
    // A53: 40 bits; A72: 44; max: 52, of which 48 are used; and a CPU with 36.
    assert_eq!(vtcr_el2(2), 0x8002_3558);
    assert_eq!(vtcr_el2(4), 0x8004_3558);
    assert_eq!(vtcr_el2(6), 0x8005_3558);
    assert_eq!(vtcr_el2(1), 0x8001_355c);
    assert_eq!(vtcr_el2(0), 0x8000_3560);
    assert_eq!((ipa_bits(0), ipa_bits(1), ipa_bits(2), ipa_bits(6)), (32, 36, 40, 40));
    assert_eq!(tcr_el2(4), 0x8084_3510);
}

#[test]
fn a_bad_request_is_refused() {
    let mut memory = Pages::new(4);
    assert_eq!(Table::<Stage2>::new(&mut memory, 41), Err(MapError::OutOfRange));
    assert_eq!(Table::<Stage2>::new(&mut memory, 30), Err(MapError::OutOfRange));
    let table = Table::<Stage2>::new(&mut memory, 36).unwrap();
    let mut map = |input, output, size| table.map(&mut memory, input, Hpa(output), size, Stage2Attributes::RAM);
    assert_eq!(map(0x800, 0, KIB4), Err(MapError::Misaligned));
    assert_eq!(map(0, 0x800, KIB4), Err(MapError::Misaligned));
    assert_eq!(map(0, 0, 0x800), Err(MapError::Misaligned));
    assert_eq!(map(0, 0, 0), Err(MapError::Misaligned));
    assert_eq!(map(1 << 36, 0, KIB4), Err(MapError::OutOfRange));
    assert_eq!(map((1 << 36) - KIB4, 0, 2 * KIB4), Err(MapError::OutOfRange));
    assert_eq!(map(0, (1 << 48) - KIB4, 2 * KIB4), Err(MapError::OutOfRange));
    assert_eq!(map(u64::MAX - 0xfff, 0, KIB4), Err(MapError::OutOfRange));
    assert_eq!(map(0, 0, KIB4), Ok(()));
    assert_eq!(map(0, 0, MIB2), Err(MapError::Overlap(0)));
    assert_eq!(map(0, 0, KIB4), Err(MapError::Overlap(0)));
    // One page is left: enough for a table of level 2, not for the one of level 3 below.
    assert_eq!(map(GIB1, 0, KIB4), Err(MapError::NoMemory));
}

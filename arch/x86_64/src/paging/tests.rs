//! The walker with long mode's formats: against the reference of all formats, and bit by bit.

use model::Hpa;
use proptest::prelude::*;

use super::reference::{GIB1, KIB4, MIB2, Pages, extents, keeps_to_it};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nested_tables_translate_what_was_mapped_and_nothing_else(
        (bits, wanted) in prop_oneof![Just(48u32), Just(43), Just(40)]
            .prop_flat_map(|bits| (Just(bits), extents::<Stage2>(bits)))
    ) {
        keeps_to_it::<Stage2>(bits, &wanted);
    }

    #[test]
    fn own_tables_translate_what_was_mapped_and_nothing_else(
        wanted in extents::<Stage1>(48)
    ) {
        keeps_to_it::<Stage1>(48, &wanted);
    }
}

#[test]
fn entries_are_long_modes() {
    let mut memory = Pages::new(8);
    let table = Table::<Stage1>::new(&mut memory, 48).unwrap();
    // The image's page, a block of RAM of 2 MiB, one of 1 GiB, and registers.
    table.map(&mut memory, 0xffff_8000_0000, Hpa(MIB2), KIB4, Stage1Attributes::Text).unwrap();
    table.map(&mut memory, MIB2, Hpa(MIB2), MIB2, Stage1Attributes::ReadOnly).unwrap();
    table.map(&mut memory, GIB1, Hpa(GIB1), GIB1, Stage1Attributes::ReadWrite).unwrap();
    table.map(&mut memory, 0xfee0_0000, Hpa(0xfee0_0000), KIB4, Stage1Attributes::Device).unwrap();
    let mut found = Vec::new();
    let mut tables = 0;
    let mut look = |entry: &Entry| {
        assert!(entry.is_ours::<Stage1>(), "{entry:x?}");
        match entry.says {
            Says::Leaf(_, rights) => found.push((entry.input, entry.descriptor, rights)),
            Says::Table(_) => {
                tables += 1;
                assert_eq!(entry.descriptor & !ADDRESS, 0x23);
            }
            Says::Nothing => panic!("{entry:x?}"),
        }
        Ok::<(), ()>(())
    };
    table.walk(&memory, &mut look).unwrap();
    assert_eq!(tables, 7);
    let rights = |write, execute, is_device| Rights { read: true, write, execute, is_device };
    assert_eq!(
        found,
        [
            (MIB2, 1 << 63 | 0x20_00a1, rights(false, false, false)),
            (GIB1, 1 << 63 | 0x4000_00e3, rights(true, false, false)),
            (0xfee0_0000, 1 << 63 | 0xfee0_007b, rights(true, false, true)),
            (0xffff_8000_0000, 0x20_0021, rights(false, true, false)),
        ]
    );
}

#[test]
fn nested_leaves_are_a_users_and_read_back() {
    for &attributes in Stage2Attributes::ALL {
        let leaf = Stage2::leaf(attributes);
        let rights = Stage2::rights(leaf);
        assert!(rights.read && leaf & PRESENT == 0);
        assert_eq!((rights.write, rights.execute), (attributes.write, attributes.execute));
        assert_eq!(rights.is_device, attributes.kind == model::MemoryType::Device);
    }
    assert_eq!(Stage2::leaf(Stage2Attributes::RAM), 0x66);
    assert_eq!(Stage2::leaf(Stage2Attributes::ROM), 0x24);
    assert_eq!(Stage2::leaf(Stage2Attributes::DEVICE), 1 << 63 | 0x7e);
    assert_eq!((gpa_bits(40), gpa_bits(52)), (40, 48));
}

/// A page's bit 7 is the PAT's, and no leaf of ours has it; a larger leaf's says that it is none of the next table's pointers.
#[test]
fn a_page_has_not_the_bit_of_a_larger_leaf() {
    let mut memory = Pages::new(4);
    let table = Table::<Stage2>::new(&mut memory, 48).unwrap();
    table.map(&mut memory, MIB2, Hpa(MIB2), MIB2 + KIB4, Stage2Attributes::RAM).unwrap();
    let mut leaves = Vec::new();
    let all: Result<(), ()> = table.walk(&memory, &mut |entry| {
        if let Says::Leaf(..) = entry.says {
            leaves.push(entry.descriptor);
        }
        Ok(())
    });
    assert_eq!((all, leaves), (Ok(()), vec![0x20_00e7, 0x40_0067]));
}

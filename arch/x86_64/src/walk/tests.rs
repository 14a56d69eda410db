//! Tables of each form, built by hand, and any tables at all.

use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::control::{LA57, LME, PE};

#[derive(Default)]
struct Memory(RefCell<HashMap<u64, u64>>);

impl Memory {
    fn of(words: &[(u64, u64)]) -> Memory {
        Memory(RefCell::new(words.iter().copied().collect()))
    }

    fn at(&self, gpa: u64) -> u64 {
        self.0.borrow()[&gpa]
    }
}

impl Tables for Memory {
    fn read(&self, gpa: Gpa, bytes: u8) -> Option<u64> {
        assert!(gpa.0.is_multiple_of(bytes.into()));
        self.0.borrow().get(&gpa.0).copied()
    }

    fn replace(&self, gpa: Gpa, _: u8, old: u64, new: u64) -> bool {
        self.0.borrow_mut().insert(gpa.0, new) == Some(old)
    }
}

const LONG_MODE: Control =
    Control { cr0: PG | PE | WP, cr3: 0x1000, cr4: PAE, efer: LME | LMA | NXE, cs_is_long: true };
const READ: Wanted = Wanted { write: false, user: false, fetch: false, ac: false };

/// 0xffff_8000_4020_3xyz at 0x5000, and the 2 MiB from 0xffff_8000_4040_0000 at 0x20_0000.
fn long() -> Memory {
    Memory::of(&[
        (0x1000 + 256 * 8, 0x2007),
        (0x2000 + 8, 0x3007),
        (0x3000 + 8, 0x4007),
        (0x3000 + 16, 0x20_0087),
        (0x4000 + 3 * 8, 0x5001),
    ])
}

#[test]
fn four_levels_and_a_large_page() {
    let memory = long();
    let found = walk(&LONG_MODE, 0xffff_8000_4020_3123, READ, &memory).unwrap();
    assert_eq!((found.gpa, found.levels), (Gpa(0x5123), 4));
    assert_eq!(found.entries[3], (Gpa(0x4018), 0x5021), "marked as accessed");
    assert_eq!(memory.at(0x4018), 0x5021);
    let found = walk(&LONG_MODE, 0xffff_8000_4041_2345, READ, &memory).unwrap();
    assert_eq!((found.gpa, found.levels), (Gpa(0x21_2345), 3));
    assert_eq!(walk(&LONG_MODE, 0x1000, READ, &memory), Err(Fault::Nowhere(Gpa(0x1000))));
}

#[test]
fn a_store_marks_the_leaf_as_dirty_and_heeds_what_all_levels_say() {
    let memory = long();
    let write = Wanted { write: true, ..READ };
    let page = 0xffff_8000_4020_3000;
    assert_eq!(walk(&LONG_MODE, page, write, &memory), Err(Fault::Page(0b0011)));
    let lax = Control { cr0: PG | PE, ..LONG_MODE };
    assert!(walk(&lax, page, write, &memory).is_ok(), "without WP");
    assert_eq!(memory.at(0x4018) & 0x60, 0x60);
    let user = Wanted { user: true, ..READ };
    assert_eq!(walk(&LONG_MODE, page, user, &memory), Err(Fault::Page(0b0101)));
    assert!(walk(&LONG_MODE, 0xffff_8000_4040_0000, Wanted { write: true, ..user }, &memory).is_ok());
}

#[test]
fn the_kernel_keeps_off_users_pages_where_it_is_told_to() {
    let memory = long();
    let users = 0xffff_8000_4040_0000;
    let strict = Control { cr4: PAE | SMAP | SMEP, ..LONG_MODE };
    assert_eq!(walk(&strict, users, READ, &memory), Err(Fault::Page(1)));
    assert!(walk(&strict, users, Wanted { ac: true, ..READ }, &memory).is_ok());
    let fetch = Wanted { fetch: true, ..READ };
    assert_eq!(walk(&strict, users, fetch, &memory), Err(Fault::Page(0b1_0001)));
    assert!(walk(&LONG_MODE, users, fetch, &memory).is_ok());
}

#[test]
fn no_execute_is_reserved_where_it_is_off() {
    let memory = long();
    memory.0.borrow_mut().insert(0x3010, 0x20_0087 | 1 << 63);
    let fetch = Wanted { fetch: true, ..READ };
    let page = 0xffff_8000_4040_0000;
    assert_eq!(walk(&LONG_MODE, page, fetch, &memory), Err(Fault::Page(0b1_0001)));
    assert!(walk(&LONG_MODE, page, READ, &memory).is_ok());
    let off = Control { efer: LME | LMA, ..LONG_MODE };
    assert_eq!(walk(&off, page, READ, &memory), Err(Fault::Page(0b1001)));
    // A large page's address is aligned to it.
    memory.0.borrow_mut().insert(0x3010, 0x20_2087);
    assert_eq!(walk(&LONG_MODE, page, READ, &memory), Err(Fault::Page(0b1001)));
}

#[test]
fn pae_has_four_plain_entries_at_the_root() {
    let pae = Control { cr0: PG | PE, cr3: 0x1020, cr4: PAE, efer: 0, cs_is_long: false };
    let memory =
        Memory::of(&[(0x1020 + 3 * 8, 0x2001), (0x2000 + 8, 0x3003), (0x3000 + 5 * 8, 0x7003), (0x2010, 0x40_0083)]);
    assert_eq!(walk(&pae, 0xffff_ffff_c020_5010, READ, &memory).unwrap().gpa, Gpa(0x7010), "32 bits count");
    assert_eq!(memory.at(0x1038), 0x2001, "not marked");
    assert_eq!(walk(&pae, 0xc041_0000, READ, &memory).unwrap().gpa, Gpa(0x41_0000));
}

#[test]
fn tables_of_32_bits_and_pages_of_4_mib_above_4_gib() {
    let legacy = Control { cr0: PG | PE, cr3: 0x1000, cr4: PSE, efer: 0, cs_is_long: false };
    let memory = Memory::of(&[(0x1000 + 4, 0x2003), (0x2000 + 8, 0x9003), (0x1008, 0x0080_2083)]);
    assert_eq!(walk(&legacy, 0x0040_2abc, READ, &memory).unwrap().gpa, Gpa(0x9abc));
    assert_eq!(walk(&legacy, 0x0081_2345, READ, &memory).unwrap().gpa, Gpa(0x1_0081_2345));
    let small = Control { cr4: 0, ..legacy };
    assert_eq!(walk(&small, 0x0080_0000, READ, &memory), Err(Fault::Nowhere(Gpa(0x80_2000))));
}

#[test]
fn without_paging_addresses_are_physical() {
    let flat = Control { cr0: PE, ..LONG_MODE };
    assert_eq!(walk(&flat, 0x1_2345_6789, READ, &Memory::default()).unwrap().gpa, Gpa(0x2345_6789));
}

/// Every word of memory is `self.0` turned by its address.
struct Anything(u64);

impl Tables for Anything {
    fn read(&self, gpa: Gpa, bytes: u8) -> Option<u64> {
        let word = (self.0 ^ gpa.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Some(if bytes == 4 { word & 0xffff_ffff } else { word })
    }

    fn replace(&self, gpa: Gpa, _: u8, _: u64, _: u64) -> bool {
        gpa.0 & 8 == 0
    }
}

proptest! {
    #[test]
    fn any_tables_are_walked_to_an_end(
        seed: u64, address: u64, cr0: u64, cr3: u64, cr4: u64, efer: u64, write: bool, user: bool, fetch: bool
    ) {
        let control = Control { cr0, cr3, cr4: cr4 & !LA57, efer, cs_is_long: true };
        if let Ok(found) = walk(&control, address, Wanted { write, user, fetch, ac: false }, &Anything(seed)) {
            prop_assert!(found.levels <= 4);
            prop_assert!(found.gpa.0 < 1 << 52);
        }
    }
}

//! QEMU's own tables, tables made to be awkward, and broken ones.

mod tables;

use arch_x86_64::board::{IoApic, Isa, NmiPin, PmTimer, Power};
use model::Hpa;
use proptest::prelude::*;

use super::physical::Pieces;
use super::*;
use crate::facts::Reserved;
use tables::{Fadt, checked, cpu, io_apic, madt, multiboot2, override_, pvh, region, rsdp, xsdt};

/// QEMU 7.2's tables of `-M q35 -smp 4 -m 1G`, from the DSDT to the RSDT, and where they were.
const Q35: &[u8] = include_bytes!("../../../tests/acpi/q35.bin");
const Q35_AT: u64 = 0x3ffe_0040;
const Q35_RSDT: u32 = 0x3ffe_23e7;

/// Where tests put things.
const INFO: u64 = 0x9000;
const RSDP: u64 = 0xf_59e0;

/// A PC's memory: 640 KiB, the BIOS, RAM up to the tables of 1 GiB.
const MAP: [(u64, u64, u32); 4] =
    [(0, 0x9_fc00, 1), (0x9_fc00, 0x400, 2), (0x10_0000, 0x3fed_f000, 1), (0x3ffd_f000, 0x2_1000, 2)];

fn q35() -> Pieces {
    Pieces(vec![(Q35_AT, Q35.to_vec()), (RSDP, rsdp(Q35_RSDT)), (INFO, pvh(INFO, RSDP, &MAP))])
}

#[test]
fn qemu_by_pvh() {
    let facts = read(&q35(), Protocol::Pvh, INFO).unwrap();
    assert_eq!(facts.cpus[..], [0, 1, 2, 3]);
    assert_eq!(facts.memory[..], [region(0, 0x9_f000), region(0x10_0000, 0x3fed_f000)]);
    // The last page of real mode's memory that nobody has.
    let board = &facts.hardware.board;
    assert_eq!(board.trampoline, Some(Hpa(0x9_e000)));
    let kept = |region| facts.reserved.contains(&Reserved { region, no_map: false });
    assert!(kept(region(0, 0xa_0000)) && kept(region(INFO, 0x1000)), "{:?}", facts.reserved);
    assert_eq!(board.controller.local_apic, Hpa(0xfee0_0000));
    assert_eq!(board.controller.io_apics[..], [IoApic { registers: Hpa(0xfec0_0000), first_line: 0 }]);
    // QEMU's overrides: the timer at input 2; 5, 9, 10 and 11 are levels.
    assert_eq!(board.controller.isa[0], Isa { line: 2, is_level: false, is_low: false });
    let levels: Vec<u32> = board.controller.isa.iter().filter(|isa| isa.is_level).map(|isa| isa.line).collect();
    assert_eq!(levels, [5, 9, 10, 11]);
    let power = Power {
        pm1a_control: Some(0x604),
        pm1b_control: None,
        soft_off: Some((0, 0)),
        enable: Some((0xb2, 2)),
        reset: Some((0xcf9, 0xf)),
    };
    assert_eq!(board.power, power);
    assert_eq!(board.pm_timer, Some(PmTimer { port: 0x608, is_wide: false }));
    assert_eq!(facts.hardware.console, Some(Uart { port: 0x3f8, line: Some(4) }));
    let pages: Vec<u64> = facts.hardware.regions.iter().map(|region| region.start.0).collect();
    assert_eq!(pages, [0xfec0_0000, 0xfee0_0000, 0x9_e000]);
    assert!(facts.notes.is_empty(), "{:?}", facts.notes);
}

#[test]
fn qemu_by_multiboot2_says_the_same() {
    let expected = read(&q35(), Protocol::Pvh, INFO).unwrap();
    let mut memory = q35();
    memory.0[2].1 = multiboot2(&MAP, &[rsdp(Q35_RSDT)]);
    let facts = read(&memory, Protocol::Multiboot2, INFO).unwrap();
    assert_eq!(facts, expected);
    // Without a copy of the RSDP it is looked for.
    memory.0[2].1 = multiboot2(&MAP, &[]);
    memory.0[1] = (0xe_0000, [vec![0; 0x1_59e0], rsdp(Q35_RSDT), vec![0; 0xa600 + 12]].concat());
    assert_eq!(read(&memory, Protocol::Multiboot2, INFO).unwrap(), expected);
}

/// A board with one table of each kind, in the XSDT.
fn board(madt: Vec<u8>, fadt: Vec<u8>, more: Vec<Vec<u8>>) -> Pieces {
    let mut pieces = vec![(INFO, pvh(INFO, RSDP, &MAP)), (RSDP, tables::rsdp_extended(0x1000_0000))];
    let all: Vec<Vec<u8>> = [madt, fadt].into_iter().chain(more).collect();
    let at = |index: usize| 0x1010_0000 + 0x1_0000 * index as u64;
    pieces.push((0x1000_0000, xsdt(&(0..all.len()).map(at).collect::<Vec<_>>())));
    pieces.extend(all.into_iter().enumerate().map(|(index, table)| (at(index), table)));
    pieces.push((0x2000_0000, checked(b"DSDT", b"\x08_S5_\x12\x07\x04\x0a\x05\x0a\x07\x00\x00")));
    Pieces(pieces)
}

fn some_madt() -> Vec<u8> {
    madt(&[cpu(0, 1), io_apic(0xfec0_0000, 0)])
}

fn some_fadt() -> Vec<u8> {
    Fadt { dsdt: 0x2000_0000, pm1a: 0x804, flags: 1 << 8, ..Fadt::default() }.bytes()
}

#[test]
fn cpus_that_are_off_are_left_out_and_none_is_counted_twice() {
    let x2apic = |id: u32, flags: u32| [&[9, 16, 0, 0][..], &id.to_le_bytes(), &flags.to_le_bytes(), &[0; 4]].concat();
    let entries =
        [cpu(4, 1), cpu(2, 0), cpu(6, 2), x2apic(6, 1), x2apic(4, 1), x2apic(0x1234, 1), io_apic(0xfec0_0000, 0)];
    let facts = read(&board(madt(&entries), some_fadt(), vec![]), Protocol::Pvh, INFO).unwrap();
    assert_eq!(facts.cpus[..], [4, 6, 0x1234]);
}

#[test]
fn the_pin_of_nmis_is_found_in_either_kind_of_entry() {
    for (entry, expected) in [
        (vec![4, 6, 0xff, 0b0101, 0, 1], Some(NmiPin { is_second: true, is_low: false })),
        (vec![10, 12, 0b1111, 0, 0, 0, 0, 0, 0, 0, 0, 0], Some(NmiPin { is_second: false, is_low: true })),
        (vec![4, 5, 0xff, 0, 0], None),
    ] {
        let entries = [cpu(0, 1), io_apic(0xfec0_0000, 0), entry];
        let facts = read(&board(madt(&entries), some_fadt(), vec![]), Protocol::Pvh, INFO).unwrap();
        assert_eq!(facts.hardware.board.controller.nmi, expected);
    }
}

#[test]
fn overrides_and_a_second_io_apic_and_another_local_apic_count() {
    let local = [&[5, 12, 0, 0][..], &0xfee1_0000_u64.to_le_bytes()].concat();
    let entries = [
        cpu(0, 1),
        io_apic(0xfec0_0000, 0),
        io_apic(0xfec1_0000, 24),
        local,
        override_(4, 20, 0b1111),
        override_(99, 3, 0),
    ];
    let facts = read(&board(madt(&entries), some_fadt(), vec![]), Protocol::Pvh, INFO).unwrap();
    let controller = &facts.hardware.board.controller;
    assert_eq!(controller.local_apic, Hpa(0xfee1_0000));
    assert_eq!(controller.io_apics[1], IoApic { registers: Hpa(0xfec1_0000), first_line: 24 });
    assert_eq!(controller.isa[4], Isa { line: 20, is_level: true, is_low: true });
    assert_eq!(facts.hardware.console, Some(Uart { port: 0x3f8, line: Some(20) }));
    // One that nobody has overridden, and PCI's.
    assert_eq!(controller.mode(3), Isa { line: 3, is_level: false, is_low: false });
    assert_eq!(controller.mode(30), Isa { line: 30, is_level: true, is_low: true });
    assert_eq!(facts.notes.len(), 1);
}

#[test]
fn power_management_may_be_in_the_old_fields_or_the_new_ones_or_missing() {
    let power = |fadt: Fadt| {
        let facts = read(&board(some_madt(), fadt.bytes(), vec![]), Protocol::Pvh, INFO).unwrap();
        (facts.hardware.board, facts.notes.len())
    };
    let old = Fadt { dsdt: 0x2000_0000, pm1a: 0x804, timer: 0x808, ..Fadt::default() };
    let (board, notes) = power(old);
    assert_eq!((board.power.pm1a_control, board.power.soft_off, notes), (Some(0x804), Some((5, 7)), 0));
    assert_eq!(board.pm_timer, Some(PmTimer { port: 0x808, is_wide: false }));
    let (board, _) = power(Fadt { extended_pm1a: 0x1804, flags: 1 << 8 | 1 << 10, reset: (0x64, 0xfe), ..old });
    assert_eq!((board.power.pm1a_control, board.power.reset), (Some(0x1804), Some((0x64, 0xfe))));
    assert!(board.pm_timer.is_some_and(|timer| timer.is_wide));
    // The reset register counts only if it is said to be there; hardware-reduced ACPI has no such registers at all.
    let (board, notes) = power(Fadt { flags: 1 << 20, reset: (0x64, 0xfe), ..old });
    assert_eq!((board.power.pm1a_control, board.power.reset, board.pm_timer, notes), (None, None, None, 1));
    // No DSDT.
    assert_eq!(power(Fadt { dsdt: 0x3000_0000, ..old }).1, 1);
}

#[test]
fn the_console_is_where_the_spcr_says_if_that_is_a_16550_at_a_port() {
    let console = |spcr: Vec<u8>| {
        let facts = read(&board(some_madt(), some_fadt(), vec![spcr]), Protocol::Pvh, INFO).unwrap();
        (facts.hardware.console.unwrap(), facts.notes.len())
    };
    assert_eq!(console(tables::spcr(0, 1, 0x2f8, 0b01, 3, 0)), (Uart { port: 0x2f8, line: Some(3) }, 0));
    assert_eq!(console(tables::spcr(0, 1, 0x2f8, 0b10, 0, 17)), (Uart { port: 0x2f8, line: Some(17) }, 0));
    assert_eq!(console(tables::spcr(0, 1, 0x2f8, 0, 0, 0)), (Uart { port: 0x2f8, line: None }, 0));
    let com1 = Uart { port: 0x3f8, line: Some(4) };
    assert_eq!(console(tables::spcr(3, 1, 0x2f8, 0b01, 3, 0)), (com1, 1));
    assert_eq!(console(tables::spcr(0, 0, 0xfe00_0000, 0b01, 3, 0)), (com1, 1));
}

#[test]
fn what_nothing_works_without_is_missed_by_name() {
    let fault = |pieces: Pieces| read(&pieces, Protocol::Pvh, INFO).unwrap_err().to_string();
    assert_eq!(fault(Pieces::default()), "the boot loader's hvm_start_info is not one");
    assert_eq!(fault(Pieces(vec![(INFO, pvh(INFO, 0, &[]))])), "the boot loader's hvm_start_info has no memory map");
    assert_eq!(fault(Pieces(vec![(INFO, pvh(INFO, RSDP, &MAP))])), "there is no RSDP, and so no ACPI");
    let none = board(checked(b"ABCD", &[]), some_fadt(), vec![]);
    assert_eq!(fault(none), "there is no MADT");
    let mut short = some_madt();
    short.truncate(43);
    short[4] = 43;
    assert_eq!(fault(board(short, some_fadt(), vec![])), "the MADT is truncated");
    let many: Vec<_> = (0..=crate::facts::MAX_CPUS as u32)
        .map(|id| [&[9, 16, 0, 0][..], &id.to_le_bytes(), &1_u32.to_le_bytes(), &[0; 4]].concat())
        .collect();
    assert_eq!(fault(board(madt(&many), some_fadt(), vec![])), "more CPUs than Ostler has room for");
    let endless = madt(&[vec![0x80, 0]]);
    assert_eq!(fault(board(endless, some_fadt(), vec![])), "the MADT is truncated");
}

#[test]
fn a_wrong_checksum_is_told_and_a_wrong_rsdp_is_none() {
    let mut madt = some_madt();
    madt[9] ^= 1;
    let facts = read(&board(madt, some_fadt(), vec![]), Protocol::Pvh, INFO).unwrap();
    assert_eq!(facts.notes[0].to_string(), "MADT: its checksum is wrong");
    assert_eq!(facts.cpus[..], [0]);
    let mut bad = rsdp(1);
    bad[8] ^= 1;
    assert_eq!(Rsdp::of(&bad), None);
    // An extended part that is wrong leaves the first one.
    let mut half = tables::rsdp_extended(0x1000);
    half[33] ^= 1;
    assert_eq!(Rsdp::of(&half), Some(Rsdp::Old(0)));
    assert_eq!(Rsdp::of(&tables::rsdp_extended(0x1000)), Some(Rsdp::Extended(0x1000)));
}

#[test]
fn memory_is_whole_pages_and_what_lies_in_it_is_kept() {
    let map = [(0x10_0010, 0x2000, 1), (0x20_0000, 0x1_0000, 1), (0x20_4800, 0x900, 3), (0xf000_0000, 0x1000, 2)];
    let mut pieces = q35();
    pieces.0[2].1 = pvh(INFO, RSDP, &map);
    let facts = read(&pieces, Protocol::Pvh, INFO).unwrap();
    assert_eq!(facts.memory[..], [region(0x10_1000, 0x1000), region(0x20_0000, 0x1_0000)]);
    assert_eq!(facts.reserved[0].region, region(0x20_4000, 0x2000));
    // There is none below 1 MiB: no page for other CPUs, and nothing to keep there.
    assert_eq!(facts.hardware.board.trampoline, None);
    assert!(facts.reserved.iter().all(|kept| kept.region.start != Hpa(0)));
}

proptest! {
    /// Bytes of the tables and of the boot information are changed at random: whatever comes of it, it ends and does not panic.
    #[test]
    fn no_mutation_makes_it_panic_or_run_on(
        changes in prop::collection::vec((0..3_usize, any::<prop::sample::Index>(), any::<u8>()), 1..40),
        is_multiboot in any::<bool>(),
    ) {
        let mut memory = q35();
        if is_multiboot {
            memory.0[2].1 = multiboot2(&MAP, &[rsdp(Q35_RSDT)]);
        }
        for (piece, at, value) in changes {
            let bytes = &mut memory.0[piece].1;
            // Headers are more interesting than the DSDT's code.
            let at = if piece == 0 { bytes.len() - 1 - at.index(600) } else { at.index(bytes.len()) };
            bytes[at] = value;
        }
        let protocol = if is_multiboot { Protocol::Multiboot2 } else { Protocol::Pvh };
        let _ = read(&memory, protocol, INFO);
    }

    /// The MADT's entries are anything.
    #[test]
    fn no_soup_of_entries_makes_it_panic_or_run_on(soup in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&board(madt(&[soup]), some_fadt(), vec![]), Protocol::Pvh, INFO);
    }

    /// Tables are anything at all behind their headers.
    #[test]
    fn no_table_of_garbage_makes_it_panic(garbage in prop::collection::vec(any::<u8>(), 0..300)) {
        let spcr = checked(b"SPCR", &garbage);
        let _ = read(&board(some_madt(), checked(b"FACP", &garbage), vec![spcr]), Protocol::Pvh, INFO);
        let _ = read(&Pieces(vec![(INFO, garbage)]), Protocol::Multiboot2, INFO);
    }
}

//! A good system passes; each way to break it is found, and told with both owners.

use std::collections::BTreeMap;

use arch::paging::{Stage1Attributes, Stage2Attributes};

use super::*;

mod passes;

const PAGE: u64 = 4096;
const MIB: u64 = 1 << 20;
/// The board: RAM of 1 GiB, in which the image lies first and free memory last.
const RAM: Span = Span { start: 0x4000_0000, end: 0x8000_0000 };
const LOAD: u64 = 0x4020_0000;
const TEXT: Span = Span { start: LOAD, end: LOAD + 0x2_0000 };
const DATA: Span = Span { start: TEXT.end, end: LOAD + 0x10_0000 };
const FREE: Span = Span { start: 0x7000_0000, end: RAM.end };
const UART: Span = Span { start: 0x900_0000, end: 0x900_1000 };
const GICV: u64 = 0x804_0000;
/// A device that VM `b` has, and a region of RAM.
const RTC: u64 = 0x901_0000;
const CARVED: Span = Span { start: 0x4800_0000, end: 0x4800_2000 };
/// Where second stages are, in memory that was taken.
const TABLES: u64 = 0x6000_0000;
/// Where the hypervisor runs.
const VIRTUAL: u64 = 0xc000_0000_0000;
const A: u64 = 0x5000_0000;
const B: u64 = 0x5020_0000;

/// Table memory from `next` on; what was never given may be read all the same, as on a board.
struct Memory {
    words: BTreeMap<u64, u64>,
    next: u64,
}

impl TableMemory for Memory {
    fn allocate(&mut self, pages: usize) -> Option<Hpa> {
        let size = pages as u64 * PAGE;
        let at = self.next.next_multiple_of(size);
        self.next = at + size;
        Some(Hpa(at))
    }

    fn read(&self, entry: Hpa) -> u64 {
        self.words.get(&entry.0).copied().unwrap_or(0)
    }

    fn write(&mut self, entry: Hpa, value: u64) {
        self.words.insert(entry.0, value);
    }
}

fn extent(gpa: u64, hpa: u64, size_bytes: u64, access: Access) -> Extent {
    Extent { gpa: Gpa(gpa), hpa: Hpa(hpa), size_bytes, access }
}

/// A system whose parts can be broken.
struct System {
    own_memory: Memory,
    guest_memory: Memory,
    own: Table<Stage1>,
    tables: [Table<Stage2>; 2],
    extents: [Vec<Extent>; 2],
    interface: Option<Pass>,
    /// What VM `b` has of the board.
    passes: Vec<Pass>,
}

/// Registers that are a VM's own.
fn device(gpa: u64, hpa: u64) -> Pass {
    Pass { gpa: Gpa(gpa), hpa: Hpa(hpa), size_bytes: PAGE, write: true, execute: false, kind: MemoryType::Device }
}

impl System {
    /// VM `a` has 2 MiB of RAM and a page of ROM, VM `b` 1 MiB of RAM in pages and a device.
    fn new() -> System {
        let mut own_memory = Memory { words: BTreeMap::new(), next: LOAD + 0x8_0000 };
        let mut guest_memory = Memory { words: BTreeMap::new(), next: TABLES };
        let own = Table::<Stage1>::new(&mut own_memory, 48).unwrap();
        let mut map = |virt: u64, span: Span, attributes| {
            own.map(&mut own_memory, virt, Hpa(span.start), span.size(), attributes).unwrap();
        };
        map(VIRTUAL, TEXT, Stage1Attributes::Text);
        map(VIRTUAL + TEXT.size(), DATA, Stage1Attributes::ReadWrite);
        map(LOAD, Span::sized(LOAD, PAGE), Stage1Attributes::Text);
        map(A, Span { start: A, end: RAM.end }, Stage1Attributes::ReadWrite);
        map(UART.start, UART, Stage1Attributes::Device);

        let extents = [
            vec![extent(0, A, 2 * MIB, Access::ReadWrite), extent(8 * MIB, B + 2 * MIB, PAGE, Access::ReadOnly)],
            vec![extent(PAGE, B, MIB, Access::ReadWrite)],
        ];
        let interface = Some(device(16 * MIB, GICV));
        let passes = vec![device(24 * MIB, RTC), Pass { kind: MemoryType::Cached, ..device(25 * MIB, CARVED.start) }];
        let tables = [0, 1].map(|vm: usize| {
            let table = Table::<Stage2>::new(&mut guest_memory, 36).unwrap();
            for extent in &extents[vm] {
                let attributes = match extent.access {
                    Access::ReadWrite => Stage2Attributes::RAM,
                    Access::ReadOnly => Stage2Attributes::ROM,
                };
                table.map(&mut guest_memory, extent.gpa.0, extent.hpa, extent.size_bytes, attributes).unwrap();
            }
            table
        });
        tables[1].map(&mut guest_memory, 16 * MIB, Hpa(GICV), PAGE, Stage2Attributes::DEVICE).unwrap();
        for pass in &passes {
            let attributes = Stage2Attributes::of(pass);
            tables[1].map(&mut guest_memory, pass.gpa.0, pass.hpa, PAGE, attributes).unwrap();
        }
        System { own_memory, guest_memory, own, tables, extents, interface, passes }
    }

    /// What the audit says: nothing, or a violation in words.
    fn audit(&self) -> Result<[Count; 3], String> {
        let vms = ["a", "b"].into_iter().enumerate().map(|(index, name)| Reach {
            name,
            table: self.tables[index],
            extents: &self.extents[index],
            interface: self.interface.filter(|_| index == 1),
            passes: if index == 1 { &self.passes } else { &[] },
        });
        let image = Span { start: TEXT.start, end: DATA.end };
        let parts = [(IMAGE, image), (REGION, CARVED), ("free memory", FREE), (TAKEN, RAM)].into_iter();
        let audit = Audit { vms: vms.clone(), parts, devices: [UART].into_iter(), text: TEXT };
        let mut counts = [Count::default(); 3];
        let mut all = || {
            audit.extents()?;
            audit.passes()?;
            counts[2] = audit.own(&self.own_memory, self.own)?;
            for (count, vm) in counts.iter_mut().zip(vms.clone()) {
                *count = audit.second_stage(&self.guest_memory, vm)?;
            }
            Ok(())
        };
        all().map_err(|violation: Violation<'_>| violation.to_string())?;
        Ok(counts)
    }

    /// Maps a page more in a VM's second stage.
    fn reach(&mut self, vm: usize, hpa: u64, attributes: Stage2Attributes) {
        self.tables[vm].map(&mut self.guest_memory, 32 * MIB, Hpa(hpa), PAGE, attributes).unwrap();
    }

    /// Maps a page more in the hypervisor's tables.
    fn own(&mut self, virt: u64, hpa: u64, attributes: Stage1Attributes) {
        self.own.map(&mut self.own_memory, virt, Hpa(hpa), PAGE, attributes).unwrap();
    }

    #[track_caller]
    fn breaks(&self, violation: &str) {
        assert_eq!(self.audit().unwrap_err(), violation);
    }
}

/// Changes the one entry of `memory` that holds `from`.
fn replace(memory: &mut Memory, from: u64, to: u64) {
    let mut found = memory.words.values_mut().filter(|word| **word == from);
    *found.next().unwrap_or_else(|| panic!("no entry is {from:#x}")) = to;
    assert!(found.next().is_none(), "there is one entry {from:#x}");
}

#[test]
fn a_good_system_passes_and_is_counted() {
    let [a, b, own] = System::new().audit().unwrap();
    assert_eq!(a, Count { tables: 2, leaves: 2 });
    assert_eq!(b, Count { tables: 4, leaves: 259 });
    assert_eq!(a.to_string(), "3 tables and 2 leaves");
    assert!(own.tables >= 8 && own.leaves > 256, "{own:?}");
}

#[test]
fn a_page_of_another_vm_is_found() {
    let mut system = System::new();
    system.reach(0, B + PAGE, Stage2Attributes::ROM);
    system.breaks("VM a: 0x2000000 leads to 0x50201000, which is not its own: it belongs to VM b");
}

#[test]
fn a_page_of_another_vm_in_place_of_its_own_is_found() {
    let mut system = System::new();
    replace(&mut system.guest_memory, (B + PAGE) | 0x7ff, A | 0x7ff);
    system.breaks("VM b: 0x2000 leads to 0x50000000, which is not its own: it belongs to VM a");
}

#[test]
fn memory_of_the_hypervisor_is_found() {
    for (at, what) in [(LOAD, "image"), (DATA.end - PAGE, "image"), (FREE.start, "free memory"), (TABLES, "memory")] {
        let mut system = System::new();
        system.reach(1, at, Stage2Attributes::RAM);
        system.breaks(&format!(
            "VM b: 0x2000000 leads to {at:#x}, which is not its own: it belongs to the hypervisor's {what}"
        ));
    }
}

#[test]
fn a_device_that_was_not_given_is_found() {
    let mut system = System::new();
    system.reach(0, UART.start, Stage2Attributes::DEVICE);
    system.breaks("VM a: 0x2000000 leads to 0x9000000, which is not its own: it belongs to a device");
    // The right device, and the wrong VM.
    let mut system = System::new();
    system.reach(0, GICV, Stage2Attributes::DEVICE);
    system.breaks("VM a: 0x2000000 leads to 0x8040000, which is not its own: it belongs to nobody");
    // The right VM, as if it were memory.
    let mut system = System::new();
    system.reach(1, GICV, Stage2Attributes::RAM);
    system.breaks("VM b: 0x2000000 leads to 0x8040000, which is not its own: it belongs to nobody");
}

#[test]
fn a_device_that_can_be_executed_is_found() {
    let mut system = System::new();
    replace(&mut system.guest_memory, GICV | 1 << 54 | 0x4c7, GICV | 0x4c7);
    system.breaks("VM b: 0x1000000 leads to 0x8040000, which it may not execute: it belongs to nobody");
}

#[test]
fn its_own_memory_in_another_place_is_found() {
    let mut system = System::new();
    system.reach(0, A + PAGE, Stage2Attributes::RAM);
    system.breaks("VM a: 0x2000000 leads to 0x50001000, which is not its own: it belongs to VM a");
}

#[test]
fn a_leaf_that_reaches_beyond_its_memory_is_found() {
    let mut system = System::new();
    system.extents[0][0].size_bytes = 2 * MIB - PAGE;
    system.breaks("VM a: 0x0 leads to 0x50000000, which is not its own: it belongs to VM a");
}

#[test]
fn rom_that_can_be_written_is_found() {
    let mut system = System::new();
    let rom = B + 2 * MIB;
    replace(&mut system.guest_memory, rom | 0x77f, rom | 0x7ff);
    system.breaks("VM a: 0x800000 leads to 0x50400000, which it may only read: it belongs to VM a");
}

#[test]
fn bits_that_nobody_sets_are_found() {
    let mut system = System::new();
    replace(&mut system.guest_memory, A | 0x7fd, A | 0x7fd | 1 << 52);
    system.breaks("VM a: 0x0 leads to 0x100000500007fd, by an entry that Ostler does not write: it belongs to nobody");
    // A leaf where there can be none.
    let mut system = System::new();
    replace(&mut system.guest_memory, (B + PAGE) | 0x7ff, 0x1001);
    system.breaks("VM b: 0x2000 leads to 0x1001, by an entry that Ostler does not write: it belongs to nobody");
}

#[test]
fn a_table_in_a_guests_hands_is_found_and_not_followed() {
    let mut system = System::new();
    let entry = system.tables[0].root();
    let table = system.guest_memory.read(entry);
    system.guest_memory.write(entry, (B + PAGE) | table & 0xfff);
    let where_it_lies = "where a table lies that is not the hypervisor's alone";
    system.breaks(&format!("VM a: 0x0 leads to 0x50201000, {where_it_lies}: it belongs to VM b"));
    // Nowhere at all.
    system.guest_memory.write(entry, 0x1000 | table & 0xfff);
    system.breaks(&format!("VM a: 0x0 leads to 0x1000, {where_it_lies}: it belongs to nobody"));
    // The root.
    let mut system = System::new();
    system.tables[1] = Table::at(Hpa(A), 36);
    system.breaks(&format!("VM b: 0x0 leads to 0x50000000, {where_it_lies}: it belongs to VM a"));
    // One of the hypervisor's own, in memory that a VM has got.
    let mut system = System::new();
    system.extents[1][0] = extent(PAGE, LOAD + 0x8_0000, PAGE, Access::ReadWrite);
    system.breaks("VM b: 0x40280000 is memory that has two owners: it belongs to the hypervisor's image too");
}

#[test]
fn memory_with_two_owners_is_found() {
    let two = "is memory that has two owners: it belongs to";
    let mut system = System::new();
    system.extents[1][0].hpa = Hpa(A + MIB);
    system.breaks(&format!("VM a: 0x50000000 {two} VM b too"));
    let mut system = System::new();
    system.extents[0][1].hpa = Hpa(A);
    system.breaks(&format!("VM a: 0x50000000 {two} VM a too"));
    let mut system = System::new();
    system.extents[0][1].hpa = Hpa(FREE.start);
    system.breaks(&format!("VM a: 0x70000000 {two} the hypervisor's free memory too"));
    let mut system = System::new();
    system.extents[0][1].hpa = Hpa(UART.start);
    system.breaks(&format!("VM a: 0x9000000 {two} a device too"));
    let mut system = System::new();
    system.extents[0][1].hpa = Hpa(RAM.end);
    system.breaks(&format!("VM a: 0x80000000 {two} nobody too"));
}

#[test]
fn what_is_writable_and_executable_is_found() {
    let mut system = System::new();
    let text = LOAD + PAGE;
    // Of the text, AP[2] is cleared.
    replace(&mut system.own_memory, text | 0x7c7, text | 0x747);
    system.breaks(
        "the hypervisor's tables: 0xc00000001000 leads to 0x40201000, which is writable and executable: it belongs to the hypervisor's image",
    );
}

#[test]
fn a_guests_memory_as_code_is_found() {
    let mut system = System::new();
    system.own(0x1000, A, Stage1Attributes::Text);
    system.breaks(
        "the hypervisor's tables: 0x1000 leads to 0x50000000, which is executable and not its code: it belongs to VM a",
    );
    let mut system = System::new();
    system.own(0x1000, DATA.start, Stage1Attributes::Text);
    system.breaks(
        "the hypervisor's tables: 0x1000 leads to 0x40220000, which is executable and not its code: it belongs to the hypervisor's image",
    );
}

#[test]
fn a_guests_memory_behind_the_hypervisors_stack_is_found() {
    let mut system = System::new();
    system.own(0x1000, B, Stage1Attributes::ReadWrite);
    system
        .breaks("the hypervisor's tables: 0x1000 leads to 0x50200000, in place of its own memory: it belongs to VM b");
}

#[test]
fn devices_and_memory_are_not_mixed_up() {
    let mut system = System::new();
    system.own(0x1000, UART.start, Stage1Attributes::ReadOnly);
    system.breaks("the hypervisor's tables: 0x1000 leads to 0x9000000, as if it were memory: it belongs to a device");
    let mut system = System::new();
    system.own(0x1000, FREE.start, Stage1Attributes::Device);
    system.breaks(
        "the hypervisor's tables: 0x1000 leads to 0x70000000, as if it were a device: it belongs to the hypervisor's free memory",
    );
}

#[test]
fn tables_of_the_hypervisor_outside_of_its_image_are_found() {
    let mut system = System::new();
    let entry = system.own.root();
    let table = system.own_memory.read(entry);
    system.own_memory.write(entry, TABLES | table & 0xfff);
    system.breaks(
        "the hypervisor's tables: 0x0 leads to 0x60000000, where a table lies that is not the hypervisor's alone: it belongs to the hypervisor's memory",
    );
}

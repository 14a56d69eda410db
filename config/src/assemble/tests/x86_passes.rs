//! What of an x86 board goes to a guest, and what does not.

use model::{Gpa, Hpa, MemoryType, Pass, PassedInterrupt, Ports, Trigger};

use super::x86::MEMORY;
use super::{Outcome, Project};
use crate::assemble::Assembly;
use crate::codes;

/// What is said about a VM with these lines.
fn said(lines: &str) -> Outcome {
    Project::x86().run(&[&format!("{MEMORY}load bzImage {lines}")])
}

fn good(lines: &str) -> Assembly {
    let outcome = said(lines);
    outcome.assembly.unwrap_or_else(|| panic!("{}", outcome.text))
}

#[test]
fn ports_and_lines_are_the_boards_own_or_moved() {
    let lines =
        "vdev ioapic vdev ser8250 hostdev - pass loc io:0x2f8,8,rw intr ioapic:3 pass loc io:70,2,rwn intr :11,u=8";
    let vm = &good(lines).vms[0];
    assert_eq!(vm.ports, [Ports::new(0x70, 2), Ports::new(0x2f8, 8)]);
    let edge = |host, line, unmasked| PassedInterrupt { host, line, trigger: Trigger::Edge, unmasked };
    assert_eq!(vm.interrupts, [edge(3, 3, false), edge(8, 11, true)]);
    let vm = &good("vdev ioapic hostvector 16 pass intr :4 pass loc 0xf9000000,0x1000,rw=0xfed00000").vms[0];
    assert_eq!(vm.interrupts, [PassedInterrupt { host: 20, line: 4, trigger: Trigger::Level, unmasked: false }]);
    let (gpa, hpa) = (Gpa(0xf900_0000), Hpa(0xfed0_0000));
    let hpet = Pass { gpa, hpa, size_bytes: 0x1000, write: true, execute: false, kind: MemoryType::Device };
    assert_eq!(vm.passes, [hpet]);
}

#[test]
fn devices_that_were_passed_are_in_the_dsdt() {
    let table = |assembly: &Assembly, name: &str| {
        let (_, tables) = &assembly.acpi[0];
        tables.iter().find(|table| table.name == name).unwrap().bytes.clone()
    };
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    // IO descriptor (ACPI 6.5, 6.4.2.5), extended interrupt (6.4.3.6: consumer, edge, high; one), fixed memory (6.4.3.4: writable).
    let com2 = [0x47, 1, 0xf8, 2, 0xf8, 2, 1, 8, 0x89, 6, 0, 0b011, 1, 5, 0, 0, 0];
    let hpet = [0x86, 9, 0, 1, 0, 0, 0, 0xf9, 0, 4, 0, 0, 0x89, 6, 0, 0b001, 1, 20, 0, 0, 0];
    let all = good(
        "vdev ioapic pass loc io:0x2f8,8,rw intr :5=3 pass loc io:70,2,rw pass loc 0xf9000000,0x1000,rw=0xfed00000 intr :20",
    );
    let dsdt = table(&all, "dsdt");
    assert!(has(&dsdt, &com2) && has(&dsdt, &hpet) && has(&dsdt, b"BRD2") && !has(&dsdt, b"BRD3"));
    // IAPC_BOOT_ARCH: there is a clock (table 5.11, bit 5).
    let clock = |assembly: &Assembly| table(assembly, "facp")[109] & 1 << 5 == 0;
    assert!(clock(&all));
    // A part of a device is none.
    let part = good("vdev ioapic pass loc io:0x2f8,4,rw intr :3 pass loc io:0x70,1,rw");
    assert!(!has(&table(&part, "dsdt"), b"BRD0") && !clock(&part));
}

#[test]
fn a_console_of_the_boards_own_is_no_mistake() {
    assert_eq!(said("pass loc io:0x2f8,8,rw cmdline \"console=ttyS1\"").codes, [""; 0]);
    assert_eq!(said("pass loc io:0x2f8,4,rw cmdline \"console=ttyS1\"").codes, [codes::NO_SUCH_UART]);
}

#[test]
fn complaints_about_what_is_passed() {
    let two = |first: &str, second: &str| {
        let vm = |name: &str, lines: &str| format!("system {name} {MEMORY}load bzImage {lines}");
        Project::x86().run(&[&vm("one", first), &vm("two", second)])
    };
    let outcomes = [
        said("pass loc io:0x3f8,8,rw pass loc io:0x20,2,rw pass loc io:cf8,8,rw pass loc io:0x600,4,rw"),
        said("pass loc 0xfec00000,0x1000,rw pass loc 0xfee00000,4K,rw pass loc 0x80000000,4K,rw=0xb0000000"),
        said("pass loc io:0x278,8,rw pass loc io:0x2f8,9,rw pass loc 0xfed01000,4K,rw"),
        said("vdev ioapic pass intr :4 intr :9 intr :2"),
        said("vdev ioapic pass intr :24=20 intr :20,u"),
        said("vdev 8259 vdev ioapic pass intr 8259:16"),
        said("pass intr :3"),
        said("vdev ioapic pass intr pic:3 intr 3"),
        said("vdev ioapic vdev ser8250 loc io:0x2f8 hostdev - pass loc io:0x2f8,8,rw intr :3"),
        said("pass loc io:0x2f8,8,r pass loc io:0x70,2,rwc initrd pass loc io:0x70,2,rw"),
        said("pass loc io:0x2f8 pass loc io:0x70,2,rw=0x72 pass loc io:ffff,2,rw"),
        said("pass loc io:0x510,12,rw pass loc io:0xc0,2,rwn"),
        said("pass loc io:0xc0,2,rwd"),
        said("pass loc dt:/rtc pass loc pci:0:1.0 pass"),
        two(
            "vdev ioapic pass loc io:0x2f8,8,rw intr :3 pass loc 0xf9000000,4K,rw=0xfed00000",
            "vdev ioapic pass loc io:0x2fc,4,rw intr :10=3 pass loc 0xfed00000,4K,rw",
        ),
    ];
    insta::assert_snapshot!(outcomes.map(|outcome| outcome.text).join("\n\n"));
}

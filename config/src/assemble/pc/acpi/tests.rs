//! The tables hold together: checksums, lengths, who leads to whom; and `iasl` reads them, where it is installed.

use std::process::Command;

use super::Table;
use crate::assemble::tests::Project;

const VM: &str = "system pc ram 0,0xa0000 rom 0xc0000,0x40000 ram 1M,127M cpu cpu load bzImage
vdev ioapic vdev 8259 vdev timer8254 vdev hpet vdev mc146818 vdev pckeyboard vdev ser8250 hostdev -
vdev ser8250 loc io:0x2f8 hostdev >-\n";

/// An SSDT without anything in it.
fn ssdt() -> Vec<u8> {
    super::fixed::table(*b"SSDT", 2, &[])
}

fn tables(text: &str) -> Vec<Table> {
    let project = Project::x86();
    project.file("ssdt.aml", &ssdt());
    project.good(&[text]).acpi.remove(0).1
}

fn named<'a>(tables: &'a [Table], name: &str) -> &'a Table {
    tables.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn double(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[test]
fn every_table_says_its_length_and_adds_up_to_nothing() {
    let tables = tables(&format!("{VM} acpi load ssdt.aml"));
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["facs", "dsdt", "facp", "apic", "hpet", "ssdt.aml", "xsdt", "rsdp"]);
    for table in tables.iter().filter(|table| !["facs", "rsdp"].contains(&table.name.as_str())) {
        assert_eq!((word(&table.bytes, 4) as usize, sum(&table.bytes)), (table.bytes.len(), 0), "{}", table.name);
        assert_eq!(table.gpa.0 % 64, 0);
    }
    let rsdp = &named(&tables, "rsdp").bytes;
    assert_eq!((sum(&rsdp[..20]), sum(rsdp), rsdp[15]), (0, 0, 2));
}

#[test]
fn tables_lead_to_one_another() {
    let tables = tables(&format!("{VM} acpi load ssdt.aml acpi load 0x3000000,ssdt.aml"));
    let at = |name: &str| named(&tables, name).gpa.0;
    assert_eq!(double(&named(&tables, "rsdp").bytes, 24), at("xsdt"));
    let xsdt = &named(&tables, "xsdt").bytes;
    let listed: Vec<u64> = (36..xsdt.len()).step_by(8).map(|entry| double(xsdt, entry)).collect();
    assert_eq!(listed, [0x300_0000, at("facp"), at("apic"), at("hpet"), at("ssdt.aml")]);
    let fadt = &named(&tables, "facp").bytes;
    assert_eq!((word(fadt, 36).into(), word(fadt, 40).into(), double(fadt, 140)), (at("facs"), at("dsdt"), at("dsdt")));
}

#[test]
fn the_fadt_has_the_fixed_hardware() {
    let with = tables(VM);
    let fadt = &named(&with, "facp").bytes;
    assert_eq!(u16::from_le_bytes([fadt[46], fadt[47]]), 9, "SCI_INT");
    assert_eq!((word(fadt, 48), fadt[52], fadt[53]), (0, 0, 0), "no SMI: it is in ACPI mode");
    assert_eq!((word(fadt, 56), word(fadt, 64), word(fadt, 76)), (0x600, 0x604, 0x608));
    assert_eq!((fadt[88], fadt[89], fadt[91]), (4, 2, 4), "lengths of PM1_EVT, PM1_CNT, PM_TMR");
    assert_eq!(
        word(fadt, 112) & (1 << 10 | 1 << 20 | 1 << 4),
        1 << 10,
        "a reset register; not hardware-reduced; a power button"
    );
    assert_eq!((fadt[116], double(fadt, 120), fadt[128]), (1, 0xcf9, 6), "reset");
    let boot = |fadt: &[u8]| u16::from_le_bytes([fadt[109], fadt[110]]);
    assert_eq!(boot(fadt), 0b01_1111, "all there but VGA, MSI, ASPM");
    let without = tables("ram 0,0xa0000 ram 1M,127M load bzImage");
    assert_eq!(boot(&named(&without, "facp").bytes), 0b11_1101, "no 8042, no clock");
    assert!(without.iter().all(|table| table.name != "hpet"));
}

#[test]
fn the_madt_has_cpus_and_controllers() {
    let tables = tables(VM);
    let madt = &named(&tables, "apic").bytes;
    assert_eq!((word(madt, 36), word(madt, 40)), (0xfee0_0000, 1));
    let expected: &[u8] = &[
        0, 8, 0, 0, 1, 0, 0, 0, 0, 8, 1, 1, 1, 0, 0, 0, // local APICs
        1, 12, 0, 0, 0, 0, 0, 0xf8, 0, 0, 0, 0, // I/O APIC
        2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0, // line 9 is level, high
        4, 6, 0xff, 0, 0, 1, // NMI at LINT1
    ];
    assert_eq!(&madt[44..], expected);
}

#[test]
fn without_memory_below_1_mib_the_rsdp_is_with_the_others() {
    let tables = tables("ram 0,0xa0000 ram 1M,127M load kernel.elf");
    let (rsdp, facs) = (named(&tables, "rsdp").gpa.0, named(&tables, "facs").gpa.0);
    assert_eq!(rsdp - facs, 0x800);
}

#[test]
fn iasl_reads_the_tables() {
    let folder = tempfile::TempDir::new().unwrap();
    let tables = tables(VM);
    for name in ["dsdt", "facp", "apic", "hpet", "facs"] {
        std::fs::write(folder.path().join(format!("{name}.dat")), &named(&tables, name).bytes).unwrap();
        let mut iasl = Command::new("iasl");
        let Ok(output) = iasl.arg("-d").arg(format!("{name}.dat")).current_dir(folder.path()).output() else {
            return eprintln!("skipped: iasl is not installed (package acpica-tools)");
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let is_clean = output.status.success() && !said.contains("Error") && !said.contains("Warning");
        assert!(is_clean, "{name}: {said}");
    }
    // What was read compiles to a table again.
    let source = std::fs::read_to_string(folder.path().join("dsdt.dsl")).unwrap();
    for what in ["PNP0A03", "PNP0501", "PNP0B00", "PNP0100", "PNP0103", "PNP0303", "PNP0000", "_S5"] {
        assert!(source.contains(what), "no {what}:\n{source}");
    }
    let output = Command::new("iasl").args(["-ve", "dsdt.dsl"]).current_dir(folder.path()).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

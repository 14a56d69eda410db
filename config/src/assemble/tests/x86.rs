//! VMs of an x86 board.

use model::{Gpa, Machine, Pc};

use super::{Project, elf};
use crate::assemble::Vm;
use crate::codes;

pub(super) const MEMORY: &str = "ram 0,0xa0000 rom 0xc0000,0x40000 ram 1M,127M\n";

/// A relocatable kernel by protocol 2.15, which takes 16 MiB from 16 MiB on.
pub(super) fn bzimage() -> Vec<u8> {
    let mut bytes = vec![0x90; 0x1000];
    bytes[0x1f1..0x26c].fill(0);
    let mut put = |offset: usize, value: &[u8]| bytes[offset..offset + value.len()].copy_from_slice(value);
    put(0x1f1, &[1]);
    put(0x1f4, &0xc0_u32.to_le_bytes());
    put(0x1fe, &[0x55, 0xaa, 0xeb, 0x6a]);
    put(0x202, b"HdrS\x0f\x02");
    put(0x211, &[1]);
    put(0x22c, &0x7fff_ffff_u32.to_le_bytes());
    put(0x230, &0x20_0000_u32.to_le_bytes());
    put(0x234, &[1, 21, 0x7f, 0]);
    put(0x238, &0x1f_u32.to_le_bytes());
    put(0x258, &0x100_0000_u64.to_le_bytes());
    put(0x260, &0x100_0000_u32.to_le_bytes());
    bytes
}

/// `elf` for x86.
pub(super) fn elf64(base: u64) -> Vec<u8> {
    let mut bytes = elf(base);
    bytes[18..20].copy_from_slice(&62_u16.to_le_bytes());
    bytes
}

const DEVICES: &str = "vdev ioapic intr apic name pic vdev 8259 vdev timer8254 intr :0
vdev hpet intr pic:2,pic:11 vdev mc146818 reg 0x10,0x20 vdev pckeyboard vdev ser8250 intr pic:4 hostdev -
vdev ser8250 loc io:0x2f8 hostdev >- vdev pci-dummy vdev pci-dummy loc pci:0:4.0\n";

/// The name, the first address or port, and the lines of each vdev.
fn devices(vm: &Vm) -> Vec<(&str, u64, Vec<u32>)> {
    let place = |vdev: &crate::assemble::Vdev| vdev.port().map_or(vdev.address(), u64::from);
    vm.vdevs.iter().map(|vdev| (vdev.name.as_str(), place(vdev), vdev.lines.clone())).collect()
}

#[test]
fn a_pc_has_its_devices_where_every_pc_has_them() {
    let vm = Project::x86().vm(&format!("{MEMORY} load bzImage {DEVICES}"));
    assert_eq!(vm.machine, Machine::Pc(Pc { io_apic: Some(Gpa(0xf800_0000)), has_pic: true }));
    let expected = [
        ("hpet", 0xf800_8000, vec![2, 11]),
        ("timer8254", 0x40, vec![0]),
        ("pckeyboard", 0x60, vec![1]),
        ("mc146818", 0x70, vec![8]),
        ("port92", 0x92, vec![]),
        ("ser8250@2f8", 0x2f8, vec![3]),
        ("ser8250@3f8", 0x3f8, vec![4]),
        ("acpi-power", 0x600, vec![9]),
        ("reset-control", 0xcf9, vec![]),
        ("pci-host", 0xcf8, vec![]),
    ];
    assert_eq!(devices(&vm), expected);
    let crate::assemble::VdevKind::PciHost { functions } = &vm.vdevs.last().unwrap().kind else { panic!("no bridge") };
    assert_eq!(functions.iter().map(|it| (it.device, it.function)).collect::<Vec<_>>(), [(1, 0), (4, 0)]);
}

#[test]
fn what_is_there_unasked_is_there_without_anything() {
    let vm = Project::x86().vm(&format!("{MEMORY} load bzImage vdev ser8250 hostdev -"));
    assert_eq!(vm.machine, Machine::Pc(Pc { io_apic: None, has_pic: false }));
    let names: Vec<_> = devices(&vm).into_iter().map(|(name, _, lines)| (name.to_owned(), lines.len())).collect();
    let expected =
        ["port92", "ser8250@3f8", "acpi-power", "reset-control", "pci-host"].map(|name| (name.to_owned(), 0));
    assert_eq!(names, expected, "and without a controller nothing has a line");
    // The 8259s alone have 16 lines.
    let vm = Project::x86().vm(&format!("{MEMORY} load bzImage vdev 8259 vdev ser8250 intr :4 hostdev -"));
    assert_eq!(vm.vdevs[1].lines, [4]);
}

#[test]
fn the_source_of_an_x86_vm() {
    let mut assembly = Project::x86().good(&[&format!("system pc {MEMORY} load bzImage {DEVICES}")]);
    assembly.configuration = [0xab; 32];
    insta::assert_snapshot!(assembly.rust_source("1.2.3", "0123abc"));
}

/// What a VM with `text` besides its memory and its kernel is told.
fn said(text: &str) -> String {
    Project::x86().run(&[&format!("{MEMORY}load bzImage {text}")]).text
}

#[test]
fn complaints_about_devices() {
    insta::assert_snapshot!(
        [
            "vdev ser8250 hostdev - vdev ser8250 loc io:0x3fc hostdev -",
            "vdev ser8250 loc io:0x600 hostdev -",
            "vdev ser8250 loc 0x3f8 hostdev -",
            "vdev ioapic vdev ser8250 intr ioapic:9 hostdev -",
            "vdev ioapic vdev ser8250 intr :24 hostdev -",
            "vdev 8259 vdev ioapic vdev ser8250 intr 8259:16 hostdev -",
            "vdev ser8250 intr ioapic:4 hostdev - vdev ioapic",
            "vdev ser8250 intr :4 hostdev -",
            "vdev ioapic vdev ser8250 intr pic:4 hostdev -",
            "vdev ioapic vdev ser8250 intr apic hostdev -",
            "vdev ioapic intr :4",
            "vdev ioapic loc 0x7000000",
            "vdev ioapic vdev ioapic",
            "vdev timer8254 loc io:0x48",
            "vdev mc146818 reg 0,1 reg 300",
            "vdev pci-dummy loc pci:0:1.0 vdev pci-dummy loc pci:0:1.0",
            "vdev pci-dummy loc pci:0:3.2",
            "vdev pci-dummy clone pci:0:3.0",
            "vdev pl011 loc 0x1c090000 intr gic:37",
            "vdev gic version 3 set fdt-dump-file x.dtb fdt load x",
        ]
        .map(said)
        .join("\n\n")
    );
}

#[test]
fn complaints_about_memory_and_kernels() {
    let whole = |text: &str| Project::x86().run(&[text]).text;
    insta::assert_snapshot!(
        [
            whole("ram 1M,127M load bzImage"),
            whole("ram 0,0xa0000 ram 1M,4095M load bzImage"),
            whole("ram 0,0xa0000 ram 0xfec00000,4K load bzImage"),
            whole("ram 0,0xa0000 ram 1M,15M load bzImage"),
            whole("ram 0,0xa0000 ram 1M,127M load 0x900000,bzImage"),
            said("cmdline \"a command line that is longer than 31 bytes\""),
            said("acpi load raw.bin"),
        ]
        .join("\n\n")
    );
    assert_eq!(Project::x86().run(&[&format!("{MEMORY}load Image")]).codes, [codes::BAD_IMAGE]);
    assert_eq!(Project::new().run(&["ram 64M load hello.elf acpi load x"]).codes, [codes::NOT_SUPPORTED]);
}

#[test]
fn consoles_of_the_command_line_are_there() {
    let codes = |cmdline: &str| {
        let text = format!("{MEMORY}load kernel.elf vdev ioapic vdev ser8250 hostdev - cmdline \"{cmdline}\"");
        Project::x86().run(&[&text]).codes
    };
    for good in [
        "console=ttyS0,115200 console=tty0",
        "earlyprintk=serial",
        "earlyprintk=ttyS0,115200 earlycon=uart8250,io,0x3f8,115200n8",
        "earlyprintk=serial,0x3f8,keep",
        "quiet -- console=ttyS9",
    ] {
        assert_eq!(codes(good), [""; 0], "{good}");
    }
    for wrong in [
        "console=ttyS1",
        "console=ttyAMA0",
        "console=hvc0",
        "earlyprintk=serial,ttyS1",
        "earlyprintk=serial,0x2f8",
        "earlycon=uart8250,io,0x2f8",
        "earlycon=uart8250,mmio32,0x9000000",
        "console=uart8250,io,0x2f8",
        "earlycon",
    ] {
        assert_eq!(codes(wrong), [crate::codes::NO_SUCH_UART], "{wrong}");
    }
}

#[test]
fn an_x86_board_has_no_gic() {
    let mut project = Project::x86();
    project.request.gic = Some(model::GicVersion::V3);
    let outcome = project.run(&[&format!("{MEMORY}load bzImage")]);
    assert_eq!(outcome.codes, [codes::BOARD]);
    assert!(outcome.text.contains("board `qemu-x86_64` is x86 and has no GIC: leave `--gic` out"), "{}", outcome.text);
}

#[test]
fn without_images_the_machine_is_checked() {
    let mut project = Project::x86();
    project.images = crate::assemble::Images::Absent;
    let assembly = project.good(&[&format!("{MEMORY}load nowhere acpi load nowhere {DEVICES}")]);
    assert!(assembly.blobs.is_empty() && assembly.vms[0].loads.is_empty());
}

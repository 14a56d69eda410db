//! What programs find as they start on x86: registers, boot information, tables.

use model::{Gpa, Start};

use super::Project;
use super::x86::{MEMORY, bzimage, elf64};
use crate::assemble::{Assembly, Load};

/// The bytes of the guest's memory at `gpa`, out of what is loaded.
fn memory(assembly: &Assembly, gpa: u64, length: usize) -> Vec<u8> {
    let has = |load: &&Load| (load.gpa.0..load.gpa.0 + load.size_bytes).contains(&gpa);
    let load = assembly.vms[0].loads.iter().find(has).unwrap_or_else(|| panic!("nothing is loaded at {gpa:#x}"));
    let at = usize::try_from(gpa - load.gpa.0 + load.offset).unwrap();
    assembly.blobs[usize::from(load.image)].bytes[at..at + length].to_vec()
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn double(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn text(assembly: &Assembly, at: u32, expected: &str) {
    let found = memory(assembly, at.into(), expected.len() + 1);
    assert_eq!(found, [expected.as_bytes(), &[0]].concat());
}

/// Start, size and kind of each entry of a zero page's e820 table.
fn e820(page: &[u8]) -> Vec<(u64, u64, u32)> {
    let entry = |index| {
        let at = 0x2d0 + index * 20;
        (double(page, at), double(page, at + 8), word(page, at + 16))
    };
    (0..usize::from(page[0x1e8])).map(entry).collect()
}

#[test]
fn a_kernel_finds_its_zero_page() {
    let project = Project::x86();
    let text_of = format!(
        "system guest {MEMORY} cpu cpu load bzImage initrd load ramdisk cmdline \"console=ttyS0\"
        reserve loc 0x4000000,0x1000 vdev ioapic vdev ser8250 hostdev -"
    );
    let assembly = project.good(&[&text_of]);
    let vm = &assembly.vms[0];
    let Start::Long { pc, gdt, cr3, rsi } = vm.entry else { panic!("{:?}", vm.entry) };
    assert_eq!(pc, Gpa(0x100_0200));
    assert_eq!(memory(&assembly, gdt.0, 32), Start::gdt(true).map(u64::to_le_bytes).concat());
    // The tables lead every 2 MiB of the first 4 GiB to themselves.
    let pointers = double(&memory(&assembly, cr3.0, 8), 0) & !0xfff;
    for index in 0..2048_u64 {
        let directory = double(&memory(&assembly, pointers + index / 512 * 8, 8), 0);
        assert_eq!(directory & 0xfff, 3);
        let leaf = double(&memory(&assembly, (directory & !0xfff) + index % 512 * 8, 8), 0);
        assert_eq!(leaf, index << 21 | 0x83);
    }
    let page = memory(&assembly, rsi, 0x1000);
    // The setup header is the kernel's, but for what a loader fills in.
    let kernel = bzimage();
    assert_eq!(page[0x1f1..0x1fa], kernel[0x1f1..0x1fa]);
    assert_eq!(page[0x1fe..0x210], kernel[0x1fe..0x210]);
    assert_eq!((page[0x210], page[0x211]), (0xff, 1), "type_of_loader, loadflags");
    assert_eq!(word(&page, 0x214), 0x100_0000, "code32_start");
    // The RAM disk lies behind what the kernel takes.
    assert_eq!((word(&page, 0x218), word(&page, 0x21c)), (0x200_0000, 0x1808), "ramdisk_image, ramdisk_size");
    assert_eq!(&memory(&assembly, 0x200_0000, 6), b"070701");
    text(&assembly, word(&page, 0x228), "console=ttyS0");
    assert_eq!(word(&page, 0x23c), 0, "hardware_subarch");
    // The RSDP is where programs look for it, and in ROM here.
    let rsdp = double(&page, 0x70);
    assert_eq!(rsdp, 0xe_0000);
    assert_eq!(&memory(&assembly, rsdp, 8), b"RSD PTR ");
    // Random bytes are behind a node of setup_data.
    let node = double(&page, 0x250);
    let header = memory(&assembly, node, 16);
    assert_eq!((double(&header, 0), word(&header, 8), word(&header, 12)), (0, 9, 64));
    let load = vm.loads.iter().find(|load| !load.seeds.is_empty()).unwrap();
    assert_eq!((load.gpa.0 + load.seeds[0].offset, load.seeds[0].size_bytes), (node + 16, 64));
    let tables = 0x8_0000;
    let expected = [
        (0, tables, 1),
        (tables, 0x1000, 4),
        (tables + 0x1000, 0x1000, 3),
        (tables + 0x2000, 0xa_0000 - 0x2000 - tables, 1),
        (0x10_0000, 0x3f0_0000, 1),
        (0x400_1000, 0x3ff_f000, 1),
    ];
    assert_eq!(e820(&page), expected, "RAM without what is reserved; ROM is not in it");
}

#[test]
fn each_program_starts_as_it_wants_to() {
    let project = Project::x86();
    let mut no_64 = bzimage();
    no_64[0x236] = 0;
    project.file("old", &no_64);
    let entry = |what: &str| project.vm(&format!("{MEMORY} {what}")).entry;
    assert!(matches!(entry("load old"), Start::Protected { pc: Gpa(0x100_0000), gdt: Some(_), ebx: 0, esi: 1.., .. }));
    assert!(matches!(entry("load kernel.elf"), Start::Long { pc: Gpa(0x10_0004), .. }));
    assert_eq!(entry("load raw.bin"), Start::Real { pc: Gpa(0x1000) });
    assert_eq!(entry("load 0x7c00,raw.bin"), Start::Real { pc: Gpa(0x7c00) });
    let high = entry("load 0x200000,raw.bin");
    assert!(matches!(high, Start::Protected { pc: Gpa(0x20_0000), gdt: Some(_), eax: 0, esi: 1.., .. }), "{high:?}");
}

/// The ELF program with `bytes` in place of the end of its first segment, 0x20 bytes into it.
fn with_header(bytes: &[u8]) -> Vec<u8> {
    let mut elf = elf64(0x10_0000);
    elf[0x120..0x120 + bytes.len()].copy_from_slice(bytes);
    elf
}

#[test]
fn pvh_information_says_what_there_is() {
    let project = Project::x86();
    // The second segment becomes a note.
    let mut elf = elf64(0x10_0000);
    elf[0x78] = 4;
    elf[0x140..0x158].copy_from_slice(
        &[[4, 8, 18_u32].map(u32::to_le_bytes).concat(), b"Xen\0".to_vec(), 0x10_0010_u64.to_le_bytes().to_vec()]
            .concat(),
    );
    elf[0x98..0xa0].copy_from_slice(&24_u64.to_le_bytes());
    project.file("vmlinux", &elf);
    let assembly = project.good(&[&format!("{MEMORY} load vmlinux initrd load ramdisk cmdline quiet")]);
    let Start::Protected { pc: Gpa(0x10_0010), gdt: None, eax: 0, ebx, esi: 0 } = assembly.vms[0].entry else {
        panic!("{:?}", assembly.vms[0].entry)
    };
    let info = memory(&assembly, ebx.into(), 56);
    assert_eq!((word(&info, 0), word(&info, 4), word(&info, 8), word(&info, 12)), (0x336e_c578, 1, 0, 1));
    let module = memory(&assembly, double(&info, 16), 32);
    assert_eq!(double(&module, 8), 0x1808);
    assert_eq!(&memory(&assembly, double(&module, 0), 6), b"070701");
    text(&assembly, u32::try_from(double(&info, 24)).unwrap(), "quiet");
    assert_eq!(double(&info, 32), 0xe_0000, "rsdp_paddr");
    let (map, entries) = (double(&info, 40), word(&info, 48));
    assert_eq!((entries, word(&info, 52)), (5, 0));
    let first = memory(&assembly, map, 24);
    assert_eq!((double(&first, 0), double(&first, 8), double(&first, 16)), (0, 0x8_0000, 1));
}

#[test]
fn multiboot_information_has_modules_in_order() {
    let project = Project::x86();
    let words = [0x1bad_b002_u32, 3, 0_u32.wrapping_sub(0x1bad_b002 + 3)];
    project.file("mb", &with_header(&words.map(u32::to_le_bytes).concat()));
    project.file("table", &[7; 0x18]);
    let text_of = |program: &str| {
        format!("{MEMORY} data load table load {program} initrd load ramdisk data load raw.bin cmdline \"a b\"")
    };
    let assembly = project.good(&[&text_of("mb")]);
    let Start::Protected { gdt: None, eax: 0x2bad_b002, ebx, .. } = assembly.vms[0].entry else {
        panic!("{:?}", assembly.vms[0].entry)
    };
    let info = memory(&assembly, ebx.into(), 116);
    assert_eq!(word(&info, 0), 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    assert_eq!((word(&info, 4), word(&info, 8)), (512, 127 << 10), "KiB below the tables, and from 1 MiB on");
    text(&assembly, word(&info, 16), "a b");
    text(&assembly, word(&info, 64), "Ostler");
    let modules = memory(&assembly, word(&info, 24).into(), 48);
    assert_eq!(word(&info, 20), 3);
    for (index, (name, size)) in [("initrd", 0x1808), ("table", 0x18), ("raw.bin", 0x300)].into_iter().enumerate() {
        assert_eq!(word(&modules, index * 16 + 4) - word(&modules, index * 16), size);
        assert_eq!(word(&modules, index * 16) % 4096, 0);
        text(&assembly, word(&modules, index * 16 + 8), name);
    }
    let map = memory(&assembly, word(&info, 48).into(), 24);
    assert_eq!((word(&info, 44), word(&map, 0), double(&map, 12)), (5 * 24, 20, 0x8_0000));

    let (magic, length) = (0xe852_50d6_u32, 24_u32);
    let header = [magic, 0, length, 0_u32.wrapping_sub(magic).wrapping_sub(length), 0, 8];
    project.file("mb2", &with_header(&header.map(u32::to_le_bytes).concat()));
    let assembly = project.good(&[&text_of("mb2")]);
    let Start::Protected { eax: 0x36d7_6289, ebx, .. } = assembly.vms[0].entry else {
        panic!("{:?}", assembly.vms[0].entry)
    };
    assert_eq!(ebx % 8, 0);
    let length = word(&memory(&assembly, ebx.into(), 4), 0) as usize;
    let info = memory(&assembly, ebx.into(), length);
    let (mut at, mut kinds) = (8, Vec::new());
    while at < length {
        let (kind, size) = (word(&info, at), word(&info, at + 4) as usize);
        let body = &info[at + 8..at + size];
        match kind {
            1 => assert_eq!(body, b"a b\0"),
            15 => assert_eq!(body.len(), 36),
            6 => assert_eq!((word(body, 0), body.len()), (24, 8 + 5 * 24)),
            _ => {}
        }
        kinds.push(kind);
        at += size.next_multiple_of(8);
    }
    assert_eq!(kinds, [1, 2, 3, 3, 3, 4, 6, 15, 0]);
}

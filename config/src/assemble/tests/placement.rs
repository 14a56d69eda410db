//! Where memory, vCPUs and images end up.

use std::io::Write;

use model::{Access, Gpa, Start, images::Kind};

use super::super::{Assembly, Load};
use super::{Project, linux};

/// What `loads` put where, by the blob's name.
fn places(assembly: &Assembly) -> Vec<(&str, u64)> {
    let place = |load: &Load| (assembly.blobs[usize::from(load.image)].name.as_str(), load.gpa.0);
    assembly.vms[0].loads.iter().map(place).collect()
}

#[test]
fn memory_without_a_start_follows_the_highest_so_far() {
    let vm = Project::new().vm("ram 0x10000000,1M ram 0x4000,16K ram 2M rom 4K load Image");
    let memory: Vec<_> = vm.memory.iter().map(|memory| (memory.gpa.0, memory.size_bytes, memory.access)).collect();
    let expected = [
        (0x4000, 0x4000, Access::ReadWrite),
        (0x1000_0000, 0x30_0000, Access::ReadWrite),
        (0x1030_0000, 0x1000, Access::ReadOnly),
    ];
    assert_eq!(memory, expected, "sorted, and neighbours of one kind joined");
}

#[test]
fn the_first_memory_without_a_start_is_at_zero() {
    let vm = Project::new().vm("ram 64M load Image");
    assert_eq!((vm.memory[0].gpa, vm.entry.pc()), (Gpa(0), Gpa(0)));
}

#[test]
fn automatic_memory_keeps_off_what_is_reserved() {
    let vm = Project::new().vm("ram 0xa0000 reserve loc 0xa0000,0x20000 ram 16M load Image");
    let starts: Vec<_> = vm.memory.iter().map(|memory| memory.gpa.0).collect();
    assert_eq!(starts, [0, 0xc0000]);
}

#[test]
fn a_kernel_its_ram_disk_and_its_tree() {
    let project = Project::new();
    let assembly = project.good(&["ram 0x40100000,64M load Image initrd load ramdisk data load raw.bin"]);
    let expected = [("Image", 0x4020_0000), ("ramdisk", 0x4030_0000), ("raw.bin", 0x4010_0000), ("1.dtb", 0x4030_2000)];
    assert_eq!(places(&assembly), expected);
    let vm = &assembly.vms[0];
    assert_eq!(vm.entry, Start::Arm { pc: Gpa(0x4020_0000), x0: 0x4030_2000 });
    assert_eq!(vm.loads[3].seeds.iter().map(|seed| seed.size_bytes).sum::<u64>(), 72);
}

#[test]
fn text_offset_is_honoured_and_an_old_kernel_gets_room() {
    let project = Project::new();
    project.file("old", &linux(0, 0, 0));
    let assembly = project.good(&["ram 0x40000000,64M load old initrd load ramdisk"]);
    assert_eq!(places(&assembly)[..2], [("old", 0x4008_0000), ("ramdisk", 0x4108_1000)]);
}

#[test]
fn explicit_addresses_come_first_and_others_keep_off() {
    let project = Project::new();
    let text = "ram 0x40000000,64M reserve loc 0x40200000,0x10000
        initrd load ramdisk load Image data load 0x40000000,raw.bin fdt load 0x43000000,over.dtb";
    project.file("over.dtb", &super::trees::compiled("/ { };"));
    let assembly = project.good(&[text]);
    let expected = [("raw.bin", 0x4000_0000), ("Image", 0x4040_0000), ("ramdisk", 0x4050_0000), ("1.dtb", 0x4300_0000)];
    assert_eq!(places(&assembly), expected);
}

#[test]
fn a_ram_disk_may_lie_below_the_kernel() {
    let project = Project::new();
    let assembly = project.good(&["ram 0x40000000,3M load 0x40200000,Image initrd load ramdisk"]);
    assert_eq!(places(&assembly)[1], ("ramdisk", 0x4000_0000));
}

#[test]
fn an_elf_is_loaded_by_segments_and_its_zeros_are_kept_free() {
    let project = Project::new();
    let assembly = project.good(&["ram 0x40080000,1M load hello.elf"]);
    let vm = &assembly.vms[0];
    let loads: Vec<_> = vm.loads.iter().map(|load| (load.offset, load.size_bytes, load.gpa.0)).collect();
    assert_eq!(loads[..2], [(0x100, 0x40, 0x4008_0000), (0x140, 0x20, 0x4008_1000)]);
    assert_eq!(loads[2].2, 0x4008_4000, "the tree follows the zeros");
    assert_eq!(vm.entry, Start::Arm { pc: Gpa(0x4008_0004), x0: 0x4008_4000 });
}

#[test]
fn an_elf_may_lie_in_rom() {
    let vm = Project::new().vm("rom 0x40080000,16K ram 1M load 0x40080000,hello.elf");
    assert_eq!(vm.entry, Start::Arm { pc: Gpa(0x4008_0004), x0: 0x4008_4000 });
}

#[test]
fn an_unknown_first_file_starts_at_its_first_byte() {
    let project = Project::new();
    assert_eq!(project.vm("ram 0x40000000,1M load 0x40010000,raw.bin").entry.pc(), Gpa(0x4001_0000));
    assert_eq!(project.vm("ram 0x40000000,1M load raw.bin load ramdisk").entry.pc(), Gpa(0x4000_0000));
}

#[test]
fn a_gzip_kernel_is_stored_unpacked() {
    let project = Project::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&linux(0, 0x10_0000, 8)).unwrap();
    project.file("Image.gz", &encoder.finish().unwrap());
    let assembly = project.good(&["ram 64M load Image.gz"]);
    let blob = &assembly.blobs[0];
    assert_eq!((blob.name.as_str(), blob.kind, blob.bytes.len()), ("Image.gz", Kind::Guest, 0x1000));
    assert_eq!(assembly.vms[0].loads[0].size_bytes, 0x1000);
}

#[test]
fn two_vms_share_equal_images() {
    let assembly = Project::new().good(&["system a ram 64M load Image", "system b cmdline x ram 64M load Image"]);
    let names: Vec<_> = assembly.blobs.iter().map(|blob| blob.name.as_str()).collect();
    assert_eq!(names, ["Image", "a.dtb", "b.dtb"]);
    assert_eq!(assembly.vms[1].loads[0].image, 0);
}

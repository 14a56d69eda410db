//! What leaves assembly: Rust source, the image section, the bootable image, the configuration's hash.

use model::images::{Kind, Table};
use model::{Access, Gpa, Memory};

use super::super::{Region, empty_rust_source};
use super::{Project, elf};
use crate::VmSource;

const VM: &str = "system guest
ram 0x40000000,64M
rom 4K
cpu sched 20f
load hello.elf
vdev pl011 loc 0x1c090000 intr gic:37 hostdev -
vdev pl061 loc 0x1c1d0000 intr gic:38
vdev wdt-sp805 intr gic:39
set counter-offset 16
";

#[test]
fn the_source_of_a_vm() {
    let mut assembly = Project::new().good(&[VM]);
    assembly.configuration = [0xab; 32];
    insta::assert_snapshot!(assembly.rust_source("1.2.3", "0123abc-dirty"));
}

#[test]
fn the_source_of_nothing() {
    insta::assert_snapshot!(empty_rust_source("1.2.3", "unknown"));
}

#[test]
fn the_image_section_is_read_back_by_the_boards_reader() {
    let project = Project::new();
    let long = format!("{}ü{}", "x".repeat(63), "y".repeat(20));
    project.file(&long, &[9; 5000]);
    let assembly = project.good(&[&format!("{VM} data load {long}")]);
    let section = assembly.image_section();
    assert_eq!(section.len() % 4096, 0);
    assert_eq!(Table::section_bytes(&section), Some(section.len() as u64));
    let table = Table::new(&section).unwrap();
    assert_eq!(table.count(), assembly.blobs.len());
    for (index, blob) in assembly.blobs.iter().enumerate() {
        let entry = table.entry(index).unwrap();
        assert_eq!((entry.kind, entry.sha256, entry.offset % 4096), (blob.kind, blob.sha256, 0));
        assert_eq!(table.blob(index).unwrap(), blob.bytes);
    }
    let names: Vec<_> = (0..table.count()).map(|index| table.entry(index).unwrap().name).collect();
    assert_eq!(names, ["hello.elf", &long[..63], "guest.dtb"], "a name is cut between characters");
    assert_eq!(table.entry(2).unwrap().kind, Kind::Tree);
}

#[test]
fn the_bootable_image_makes_room_for_bss_behind_the_section() {
    let assembly = Project::new().good(&[VM]);
    let section = assembly.image_section();
    let mut flat = super::linux(0, 0x2000 + 0x5000, 0b1010);
    flat.resize(0x1234, 0xee);
    let image = assembly.bootable(&flat).unwrap();
    assert_eq!(image.len(), 0x2000 + section.len());
    assert_eq!(image[24..0x1234], flat[24..]);
    assert!(image[0x1234..0x2000].iter().all(|&byte| byte == 0));
    assert_eq!(image[0x2000..], section);
    let size = u64::from_le_bytes(image[16..24].try_into().unwrap());
    assert_eq!(size, (0x2000 + section.len() + 0x5000) as u64);
}

#[test]
fn an_elf_with_one_segment_grows_in_the_file_and_in_memory() {
    let assembly = Project::new().good(&[VM]);
    let section = assembly.image_section();
    let sizes = |image: &[u8]| [96, 104].map(|at| u64::from_le_bytes(image[at..at + 8].try_into().unwrap()));
    let flat = |file: u64, memory: u64| {
        let mut flat = b"\x7fELF\x02\x01\x01".to_vec();
        flat.resize(0x2000, 0xee);
        flat[96..104].copy_from_slice(&file.to_le_bytes());
        flat[104..112].copy_from_slice(&memory.to_le_bytes());
        flat
    };
    let image = assembly.bootable(&flat(0x2000, 0x7000)).unwrap();
    let length = section.len() as u64;
    assert_eq!(sizes(&image), [0x2000 + length, 0x7000 + length]);
    assert_eq!(image[0x2000..], section);
    for (file, memory) in [(0x1000, 0x7000), (0x2000, 0x1000)] {
        let error = assembly.bootable(&flat(file, memory)).unwrap_err();
        assert_eq!(error, "the hypervisor's header says 0x1000 bytes, but its binary has 0x2000");
    }
}

#[test]
fn what_is_no_hypervisor_makes_no_bootable_image() {
    let assembly = Project::new().good(&[VM]);
    assert_eq!(assembly.bootable(&[0; 100]).unwrap_err(), "the hypervisor's binary has no header to boot it by");
    let short = assembly.bootable(&super::linux(0, 0xfff, 0)).unwrap_err();
    assert_eq!(short, "the hypervisor's header says 0xfff bytes, but its binary has 0x1000");
    assert!(assembly.bootable(&super::linux(0, u64::MAX, 0)).is_err());
}

#[test]
fn the_hash_covers_the_configuration_and_nothing_else() {
    let project = Project::new();
    let hash = |project: &Project, text: &str| project.good(&[text]).configuration;
    let first = hash(&project, VM);
    assert_eq!(hash(&Project::new(), VM), first, "another folder");
    project.file("hello.elf", &elf(0x4000_0000));
    assert_eq!(hash(&project, VM), first, "images have hashes of their own");
    assert_ne!(hash(&project, &format!("{VM} # changed")), first);
    let mut variant = Project::new();
    variant.request.cpus = Some(2);
    assert_ne!(hash(&variant, VM), first);
    let mut variant = Project::new();
    variant.request.gic = Some(model::GicVersion::V2);
    assert_ne!(hash(&variant, VM), first);
    let mut variant = Project::new();
    variant.request.on_failure = Some(model::OnFailure::Halt);
    assert_ne!(hash(&variant, VM), first);
    let mut variant = Project::new();
    variant.request.consoles = vec!["/dev/ser1".into()];
    assert_ne!(hash(&variant, VM), first);
    let mut variant = Project::new();
    variant.request.regions = [("more".into(), Region { start: 0x6000_0000, length_bytes: 0x20_0000 })].into();
    assert_ne!(hash(&variant, VM), first);
    // A region of the request is asked for as one of the board's.
    let memory = "ram $asinfo_start{more},$asinfo_length{more} load Image";
    assert_eq!(
        variant.vm(memory).memory[0],
        Memory { gpa: Gpa(0x6000_0000), size_bytes: 0x20_0000, access: Access::ReadWrite }
    );
}

#[test]
fn everything_that_was_read_is_named() {
    let project = Project::new();
    let assembly = project.good(&["ram 64M load Image cmdline $env{NAME} set fdt-dump-file out.dtb"]);
    let inputs: Vec<_> =
        assembly.inputs.iter().map(|path| path.strip_prefix(project.path()).unwrap_or(path).to_owned()).collect();
    assert_eq!(inputs[0].to_str(), Some("1.qvmconf"));
    assert!(inputs[1].ends_with("boards/qemu-aarch64/board.toml"));
    assert!(inputs[2].ends_with("boards/qemu-aarch64/gicv3.dtb"));
    assert_eq!(inputs[3].to_str(), Some("Image"));
    assert_eq!(inputs.len(), 4);
    assert_eq!(assembly.env, ["NAME"]);
    assert_eq!(assembly.fdt_dumps, [(project.path().join("out.dtb"), 0)]);
}

#[test]
fn what_is_pulled_in_is_an_input_and_words_are_none() {
    let mut project = Project::new();
    project.file("more.qvmconf", b"load Image dryrun");
    let folder = project.path().to_owned();
    project.request.vms =
        vec![VmSource::Words { text: "system a ram 64M @more.qvmconf".into(), folder: folder.clone() }];
    let assembly = project.good(&[]);
    let board = crate::assemble::Board::file(&project.request.root, &project.request.board);
    let tree = board.with_file_name("gicv3.dtb");
    assert_eq!(assembly.inputs, [folder.join("more.qvmconf"), board, tree, folder.join("Image")]);
    assert!(assembly.dryrun, "dryrun of one VM is a dry run of all");
    // One byte more in what is pulled in, or in the words, is another configuration.
    project.file("more.qvmconf", b"load Image dryrun ");
    let second = project.good(&[]).configuration;
    assert_ne!(second, assembly.configuration);
    project.request.vms = vec![VmSource::Words { text: "system a ram 64M @more.qvmconf ".into(), folder }];
    assert_ne!(project.good(&[]).configuration, second);
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let (one, other) = (Project::new().good(&[VM]), Project::new().good(&[VM]));
    assert_eq!(one.image_section(), other.image_section());
    assert_eq!(one.rust_source("1", "x"), other.rust_source("1", "x"));
}

//! Every format, every refusal, and files damaged at random.

use proptest::prelude::*;

use super::*;

mod x86;

/// What `bytes` are to a guest on arm64.
fn inspect(bytes: &[u8]) -> Result<Image<'_>, Error> {
    super::inspect(bytes, Cpu::Aarch64)
}

/// Two segments: 0x40 bytes of code at 0x4008_0000 and `.data` with a tail of zeros, linked 1 GiB higher.
fn elf() -> Vec<u8> {
    let mut bytes = vec![0; 0x200];
    let mut put = |offset: usize, value: &[u8]| bytes[offset..offset + value.len()].copy_from_slice(value);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &2_u16.to_le_bytes()); // ET_EXEC
    put(18, &183_u16.to_le_bytes()); // EM_AARCH64
    put(20, &1_u32.to_le_bytes());
    put(24, &0x8008_0004_u64.to_le_bytes()); // e_entry
    put(32, &0x40_u64.to_le_bytes()); // e_phoff
    put(52, &64_u16.to_le_bytes());
    put(54, &56_u16.to_le_bytes()); // e_phentsize
    put(56, &2_u16.to_le_bytes()); // e_phnum
    for (header, [offset, virt, file, memory]) in
        [(0x40, [0x100, 0x8008_0000, 0x40, 0x40]), (0x78, [0x140, 0x8008_1000, 0x20, 0x1000])]
    {
        put(header, &1_u32.to_le_bytes()); // PT_LOAD
        let physical = virt - 0x4000_0000;
        for (index, value) in [offset, virt, physical, file, memory].into_iter().enumerate() {
            put(header + 8 + index * 8, &u64::to_le_bytes(value));
        }
    }
    bytes
}

fn linux(text_offset: u64, image_size: u64, flags: u64) -> Vec<u8> {
    let mut bytes = vec![0; 0x1000];
    bytes[8..16].copy_from_slice(&text_offset.to_le_bytes());
    bytes[16..24].copy_from_slice(&image_size.to_le_bytes());
    bytes[24..32].copy_from_slice(&flags.to_le_bytes());
    bytes[56..60].copy_from_slice(b"ARM\x64");
    bytes
}

/// `bytes` as a PE file for `machine` with one section of 0x800 bytes that starts at 0x800.
fn with_pe(mut bytes: Vec<u8>, machine: u16) -> Vec<u8> {
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c..0x40].copy_from_slice(&0x40_u32.to_le_bytes());
    bytes[0x40..0x44].copy_from_slice(b"PE\0\0");
    bytes[0x44..0x46].copy_from_slice(&machine.to_le_bytes());
    bytes[0x46..0x48].copy_from_slice(&1_u16.to_le_bytes());
    bytes[0x68..0x6c].copy_from_slice(&0x800_u32.to_le_bytes());
    bytes[0x6c..0x70].copy_from_slice(&0x800_u32.to_le_bytes());
    bytes
}

fn with(mut bytes: Vec<u8>, offset: usize, value: &[u8]) -> Vec<u8> {
    bytes[offset..offset + value.len()].copy_from_slice(value);
    bytes
}

fn refusal(bytes: &[u8]) -> String {
    inspect(bytes).unwrap_err().to_string()
}

#[test]
fn an_elf_goes_to_its_physical_addresses() {
    let bytes = elf();
    let Image::Elf(elf) = inspect(&bytes).unwrap() else { panic!("not recognised") };
    assert_eq!(elf.entry, 0x4008_0004);
    let segment =
        |file_offset, file_bytes, memory_bytes, address| Segment { file_offset, file_bytes, memory_bytes, address };
    let expected = [segment(0x100, 0x40, 0x40, 0x4008_0000), segment(0x140, 0x20, 0x1000, 0x4008_1000)];
    assert!(elf.segments().eq(expected));
}

#[test]
fn a_physical_entry_is_taken_as_it_is() {
    let bytes = with(elf(), 24, &0x4008_0008_u64.to_le_bytes());
    assert!(matches!(inspect(&bytes), Ok(Image::Elf(elf)) if elf.entry == 0x4008_0008));
}

#[test]
fn a_truncated_elf_is_called_truncated() {
    let bytes = elf();
    for length in 4..0x160 {
        let error = inspect(&bytes[..length]).unwrap_err();
        assert!(matches!(error, Error::Truncated { has, .. } if has == length as u64), "{length}: {error}");
    }
    assert_eq!(refusal(&bytes[..0x150]), "the ELF file is truncated: it needs 352 bytes and the file has 336");
}

#[test]
fn foreign_elf_files_are_called_by_their_cpu() {
    for (machine, cpu) in [(62_u16, "x86-64"), (3, "32-bit x86"), (40, "32-bit Arm"), (243, "RISC-V")] {
        let expected = format!("this is a program for another CPU: an ELF file for {cpu}");
        assert_eq!(refusal(&with(elf(), 18, &machine.to_le_bytes())), expected);
    }
    assert!(refusal(&with(elf(), 4, &[1])).contains("32-bit pointers"));
    let big_endian = with(with(elf(), 5, &[2]), 18, &183_u16.to_be_bytes());
    assert!(refusal(&big_endian).contains("big-endian aarch64"));
}

#[test]
fn elf_files_that_are_no_programs() {
    for (kind, what) in [(1_u8, "an object file"), (3, "needs relocation"), (4, "a core dump")] {
        let bytes = with(elf(), 16, &[kind]);
        assert!(refusal(&bytes).contains(what));
        assert!(inspect(&bytes).unwrap_err().hint().is_some());
    }
    assert!(refusal(&with(elf(), 0x40, &[3])).contains("dynamically linked"));
}

#[test]
fn malformed_elf_files() {
    let cases = [
        (with(elf(), 24, &0x10_u64.to_le_bytes()), "its entry point lies in none of its segments"),
        (with(with(elf(), 0x40, &[4]), 0x78, &[4]), "it has nothing to load"),
        (with(elf(), 0x60, &0x41_u64.to_le_bytes()), "a segment is larger in the file than in memory"),
        (with(elf(), 0x58, &u64::MAX.to_le_bytes()), "a segment's address range overflows"),
        (with(elf(), 0x48, &u64::MAX.to_le_bytes()), "a segment's file range overflows"),
        (with(elf(), 32, &[0; 8]), "it has no program headers"),
        (with(elf(), 54, &[55]), "its header contradicts itself"),
    ];
    for (bytes, what) in cases {
        assert_eq!(refusal(&bytes), format!("the ELF file is malformed: {what}"));
    }
}

#[test]
fn a_modern_kernel() {
    let Ok(Image::Linux(linux)) = inspect(&linux(0, 0x20_0000, 0b1010)) else { panic!("not recognised") };
    assert_eq!((linux.text_offset, linux.memory_bytes, linux.file_bytes), (0, 0x20_0000, 0x1000));
    assert_eq!((linux.placement, linux.pages), (Placement::Anywhere, KernelPages::Kib4));
    assert!(!linux.size_is_a_guess);
    assert_eq!(linux.first_start(0), Some(0));
    assert_eq!(linux.first_start(1), Some(0x20_0000));
    assert_eq!(linux.first_start(u64::MAX), None);
}

#[test]
fn text_offset_counts_from_a_base_that_may_lie_lower() {
    let Ok(Image::Linux(linux)) = inspect(&linux(0x8_0000, 0x1_0000, 0)) else { panic!("not recognised") };
    assert_eq!(linux.placement, Placement::NearRamBase);
    assert_eq!(linux.first_start(0x4000_0000), Some(0x4008_0000));
    assert_eq!(linux.first_start(0x4008_0000), Some(0x4008_0000));
    assert_eq!(linux.first_start(0x4008_0001), Some(0x4028_0000));
    assert!(linux.may_start_at(0x4028_0000) && !linux.may_start_at(0x4020_0000) && !linux.may_start_at(0));
    let segment = linux.segment(0x4008_0000).unwrap();
    assert_eq!((segment.file_bytes, segment.memory_bytes, segment.address), (0x1000, 0x1_0000, 0x4008_0000));
}

#[test]
fn a_kernel_without_image_size_is_an_old_one() {
    let Ok(Image::Linux(linux)) = inspect(&linux(0x1234, 0, 0)) else { panic!("not recognised") };
    assert_eq!((linux.text_offset, linux.memory_bytes, linux.size_is_a_guess), (0x8_0000, 0x1000, true));
}

#[test]
fn kernels_that_are_refused() {
    assert!(refusal(&linux(0, 0x1000, 1)).contains("big-endian aarch64"));
    assert!(refusal(&linux(u64::MAX, 0x1000, 0)).contains("exceed the address space"));
    assert!(refusal(&linux(0, 0x1000, 0)[..60]).contains("truncated"));
    let efi_stub = with_pe(linux(0, 0x1000, 0), 0xaa64);
    assert!(matches!(inspect(&efi_stub), Ok(Image::Linux(_))));
    assert_eq!(refusal(&efi_stub[..0xfff]), "the arm64 Image is truncated: it needs 4096 bytes and the file has 4095");
}

#[test]
fn programs_of_other_kinds_are_called_by_their_names() {
    let page = || vec![0; 0x1000];
    let cases = [
        (with(with(page(), 0x1fe, &[0x55, 0xaa]), 0x202, b"HdrS"), "a Linux bzImage for x86"),
        (with(page(), 0x24, &0x016f_2818_u32.to_le_bytes()), "a Linux zImage for 32-bit Arm"),
        (with(page(), 0x38, b"RSC\x05"), "a Linux Image for RISC-V"),
        (with_pe(page(), 0x8664), "a PE program for x86-64"),
        (with_pe(page(), 0xaa64), "an EFI program"),
        (with(with_pe(page(), 0xaa64), 4, b"zimg"), "zboot"),
        (with(page(), 0, &[0x27, 0x05, 0x19, 0x56]), "uImage"),
        (with(page(), 0, &[0xd0, 0x0d, 0xfe, 0xed]), "device tree"),
        (with(page(), 0, b"\xfd7zXZ\0"), "compressed by xz"),
        (with(page(), 0, b"070701"), "cpio"),
    ];
    for (bytes, name) in cases {
        let error = inspect(&bytes).unwrap_err();
        assert!(error.to_string().contains(name), "{error} should say {name}");
        assert!(error.hint().is_some(), "{error}");
    }
}

#[test]
fn what_is_left_is_gzip_or_raw() {
    assert_eq!(inspect(&[0x1f, 0x8b, 8, 0]), Ok(Image::Gzip));
    assert_eq!(inspect(&[0x5d, 0, 0, 0x14]), Ok(Image::Raw), "an arm64 branch is no lzma");
    assert_eq!(inspect(b"MZ"), Ok(Image::Raw));
    assert_eq!(inspect(&[]), Err(Error::Empty));
}

#[test]
fn ram_disks_are_told_from_other_files() {
    let page = || vec![0; 0x1000];
    for magic in [&b"070701"[..], b"070702", &[0x1f, 0x8b, 8], b"\xfd7zXZ\0", b"hsqs", &[0x28, 0xb5, 0x2f, 0xfd]] {
        assert!(is_ram_disk(&with(page(), 0, magic)), "{magic:?}");
    }
    assert!(is_ram_disk(&with(page(), 0x438, &[0x53, 0xef])), "ext2");
    assert!(is_ram_disk(&with(page(), 512, b"070701")), "zeros before an archive");
    for other in [page(), with(page(), 0, b"\x7fELF"), linux(0, 0x1000, 0), with(page(), 0, b"MZ"), vec![]] {
        assert!(!is_ram_disk(&other));
    }
}

/// What the rest of the house relies on for every accepted image.
fn check_promises(bytes: &[u8], cpu: Cpu) {
    let length = bytes.len() as u64;
    let check = |segment: Segment| {
        assert!(segment.file_offset.checked_add(segment.file_bytes).unwrap() <= length);
        assert!(segment.file_bytes <= segment.memory_bytes);
        segment.address.checked_add(segment.memory_bytes).unwrap();
    };
    match super::inspect(bytes, cpu) {
        Ok(Image::Elf(elf)) => {
            assert!(elf.segments().any(|s| (s.address..s.address + s.memory_bytes).contains(&elf.entry)));
            elf.segments().for_each(check);
        }
        Ok(Image::Linux(linux)) => {
            let start = linux.first_start(0x4000_0000).unwrap();
            assert!(linux.may_start_at(start));
            check(linux.segment(start).unwrap());
            assert!(linux.segment(u64::MAX).is_none());
        }
        Ok(Image::BzImage(kernel)) => {
            let start = kernel.first_start(0).unwrap();
            assert!(kernel.may_start_at(start) && kernel.entry(start).unwrap() >= start);
            check(kernel.segment(start).unwrap());
            assert!(kernel.segment(u64::MAX).is_none());
            assert_eq!(kernel.segment(start).unwrap().file_offset + kernel.kernel_bytes, length);
        }
        Ok(Image::Multiboot(flat)) => {
            check(flat.segment);
            assert!(flat.entry - flat.segment.address < flat.segment.memory_bytes);
        }
        Ok(Image::Gzip | Image::Raw) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2000 }))]

    #[test]
    fn damaged_files_are_accepted_soundly_or_refused(
        base in prop_oneof![
            Just(elf()), Just(linux(0x8_0000, 0x2000, 8)), Just(with_pe(linux(0, 0x1000, 0), 0xaa64)),
            Just(with_pe(vec![0; 0x200], 0x8664)), Just(x86::bzimage()), Just(x86::elf32()), Just(x86::pvh()),
            Just(x86::multiboot(0x10003)), Just(x86::multiboot2(&[x86::ADDRESS, x86::ENTRY])),
        ],
        damage in prop::collection::vec((0_usize..0x268, prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 0..12),
        wide in prop::option::of((0_usize..0x98, any::<u64>())),
        length in 0_usize..0x1001,
    ) {
        let mut bytes = base;
        let length_of = bytes.len();
        for (offset, value) in damage {
            bytes[offset % length_of] = value;
        }
        if let Some((offset, value)) = wide {
            bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        }
        Cpu::BOTH.into_iter().for_each(|cpu| check_promises(&bytes, cpu));
        bytes.truncate(length);
        Cpu::BOTH.into_iter().for_each(|cpu| check_promises(&bytes, cpu));
    }

    #[test]
    fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..0x300), magic in prop::option::of(0_usize..2)) {
        let mut bytes = bytes;
        match magic {
            Some(0) if bytes.len() >= 20 => {
                bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
                bytes[16..20].copy_from_slice(&[2, 0, 183, 0]);
            }
            Some(_) if bytes.len() >= 60 => bytes[56..60].copy_from_slice(b"ARM\x64"),
            _ => {}
        }
        Cpu::BOTH.into_iter().for_each(|cpu| check_promises(&bytes, cpu));
    }
}

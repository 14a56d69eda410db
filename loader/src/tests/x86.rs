//! The formats of x86.

use super::{elf, with, with_pe};
use crate::{Cpu, Error, Image, Protocol, Segment, Version};

fn inspect(bytes: &[u8]) -> Result<Image<'_>, Error> {
    crate::inspect(bytes, Cpu::X86_64)
}

fn refusal(bytes: &[u8]) -> String {
    inspect(bytes).unwrap_err().to_string()
}

/// A relocatable kernel by protocol 2.15: two sectors of setup, 0xc00 bytes of kernel.
pub(super) fn bzimage() -> Vec<u8> {
    let mut bytes = vec![0x90; 0x1000];
    bytes[0x1f1..0x26c].fill(0);
    let mut put = |offset: usize, value: &[u8]| bytes[offset..offset + value.len()].copy_from_slice(value);
    put(0x1f1, &[1]); // setup_sects
    put(0x1f4, &0xc0_u32.to_le_bytes()); // syssize
    put(0x1fe, &[0x55, 0xaa, 0xeb, 0x6a]);
    put(0x202, b"HdrS\x0f\x02");
    put(0x211, &[1]); // LOADED_HIGH
    put(0x22c, &0x7fff_ffff_u32.to_le_bytes());
    put(0x230, &0x20_0000_u32.to_le_bytes()); // kernel_alignment
    put(0x234, &[1, 21, 0x7f, 0]); // relocatable, minimum alignment, xloadflags
    put(0x238, &0x7ff_u32.to_le_bytes());
    put(0x248, &0x100_u32.to_le_bytes());
    put(0x24c, &0x200_u32.to_le_bytes());
    put(0x258, &0x100_0000_u64.to_le_bytes()); // pref_address
    put(0x260, &0x337_8000_u32.to_le_bytes()); // init_size
    bytes
}

/// A 64-bit program, linked as `elf` but for x86 and below 4 GiB.
fn elf64() -> Vec<u8> {
    with(elf(), 18, &62_u16.to_le_bytes())
}

/// The same with a PVH note, whose entry is physical, in place of its second segment.
pub(super) fn pvh() -> Vec<u8> {
    let mut bytes = with(elf64(), 0x78, &4_u32.to_le_bytes());
    bytes.truncate(0x160);
    let note = [4, 8, 18_u32].map(u32::to_le_bytes).concat();
    bytes = with(bytes, 0x140, &[note.as_slice(), b"Xen\0", &0x4008_0020_u64.to_le_bytes()].concat());
    with(bytes, 0x98, &0x20_u64.to_le_bytes()) // p_filesz
}

/// A 32-bit program at 1 MiB.
pub(super) fn elf32() -> Vec<u8> {
    let mut bytes = vec![0; 0x200];
    let mut put = |offset: usize, value: &[u8]| bytes[offset..offset + value.len()].copy_from_slice(value);
    put(0, b"\x7fELF\x01\x01\x01");
    for (offset, value) in [(16, 2_u16), (18, 3), (40, 52), (42, 32), (44, 1)] {
        put(offset, &value.to_le_bytes());
    }
    for (offset, value) in [(20, 1_u32), (24, 0x10_0010), (28, 52)] {
        put(offset, &value.to_le_bytes());
    }
    let header = [1, 0x100, 0x10_0000, 0x10_0000, 0x80, 0x1000, 7, 0x1000_u32];
    put(52, &header.map(u32::to_le_bytes).concat());
    bytes
}

/// A header of version 1 with these flags, 0x20 bytes into the file.
pub(super) fn multiboot(flags: u32) -> Vec<u8> {
    let words = [0x1bad_b002, flags, 0_u32.wrapping_sub(0x1bad_b002).wrapping_sub(flags)];
    let addresses = [0x10_0020, 0x10_0000, 0x10_0200, 0x10_4000, 0x10_0040_u32];
    let header = [words.as_slice(), &addresses].concat();
    with(vec![0; 0x200], 0x20, &header.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>())
}

/// Tags of version 2.
pub(super) const ADDRESS: &[u32] = &[2, 24, 0x10_0020, 0x10_0000, 0, 0x10_4000];
pub(super) const ENTRY: &[u32] = &[3, 12, 0x10_0040];
const ALIGN: &[u32] = &[6, 8];

/// A header of version 2 with these tags, 0x20 bytes into the file.
pub(super) fn multiboot2(tags: &[&[u32]]) -> Vec<u8> {
    let mut body = Vec::new();
    for tag in tags.iter().chain([&[0, 8_u32].as_slice()]) {
        body.extend(tag.iter().flat_map(|word| word.to_le_bytes()));
        body.resize(body.len().next_multiple_of(8), 0);
    }
    let length = u32::try_from(body.len() + 16).unwrap();
    let head = [0xe852_50d6, 0, length, 0_u32.wrapping_sub(0xe852_50d6).wrapping_sub(length)];
    let header = [head.map(u32::to_le_bytes).concat(), body].concat();
    with(vec![0; 0x200], 0x20, &header)
}

#[test]
fn a_bzimage_goes_where_it_prefers_or_above() {
    let bytes = bzimage();
    let Ok(Image::BzImage(kernel)) = inspect(&bytes) else { panic!("not recognised") };
    assert_eq!(kernel.header, &bytes[0x1f1..0x26c]);
    assert_eq!((kernel.kernel_offset, kernel.kernel_bytes, kernel.memory_bytes), (0x400, 0xc00, 0x337_8000));
    assert_eq!((kernel.initrd_last, kernel.cmdline_bytes), (0x7fff_ffff, 0x7ff));
    assert!(kernel.has_64_bit_entry && kernel.reaches_above_4g);
    assert_eq!(kernel.first_start(0), Some(0x100_0000));
    assert_eq!(kernel.first_start(0x100_0001), Some(0x120_0000));
    assert!(!kernel.may_start_at(0x80_0000), "it would move itself up");
    assert_eq!(kernel.entry(0x100_0000), Some(0x100_0200));
}

#[test]
fn a_bzimage_that_is_not_relocatable_has_one_place() {
    let bytes = with(with(bzimage(), 0x234, &[0]), 0x236, &[4]);
    let Ok(Image::BzImage(kernel)) = inspect(&bytes) else { panic!("not recognised") };
    assert_eq!((kernel.first_start(0), kernel.first_start(0x100_0001)), (Some(0x100_0000), None));
    assert_eq!(kernel.entry(0x100_0000), Some(0x100_0000), "32-bit entry");
    assert!(!kernel.reaches_above_4g);
}

#[test]
fn an_old_bzimage_does_not_say_how_much_memory_it_takes() {
    let bytes = with(bzimage(), 0x206, &[6]);
    let Ok(Image::BzImage(kernel)) = inspect(&bytes) else { panic!("not recognised") };
    assert_eq!((kernel.preferred, kernel.memory_bytes), (0x20_0000, 0x3000));
    assert!(!kernel.has_64_bit_entry);
}

#[test]
fn malformed_setup_headers() {
    let cases = [
        (
            with(bzimage(), 0x201, &[0x20]),
            "the bzImage is malformed: its setup header is shorter than its version says",
        ),
        (
            with(bzimage(), 0x201, &[0xff]),
            "the bzImage is malformed: its setup header is longer than the zero page has room for",
        ),
        (with(bzimage(), 0x206, &[5]), "this is a bzImage by a boot protocol before 2.06, not a guest's program"),
        (with(bzimage(), 0x211, &[0]), "this is a zImage, which is loaded below 1 MiB, not a guest's program"),
        (
            with(bzimage(), 0x1f4, &[0; 4]),
            "the bzImage is malformed: its setup header says that the kernel has no bytes",
        ),
        (with(bzimage(), 0x24c, &0xc00_u32.to_le_bytes()), "the bzImage is malformed: its payload is not inside of it"),
        (with(bzimage(), 0x230, &[1]), "the bzImage is malformed: its kernel_alignment is no power of two"),
        (
            with(bzimage(), 0x259, &[1]),
            "the bzImage is malformed: its pref_address is no multiple of its kernel_alignment",
        ),
        (
            with(bzimage(), 0x25f, &[1]),
            "the bzImage is malformed: its pref_address and init_size exceed the address space",
        ),
        (with(bzimage(), 0x1f4, &[0xff]), "the bzImage is truncated: it needs 5104 bytes and the file has 4096"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refusal(&bytes), expected);
    }
    let whole = bzimage();
    assert!(inspect(&whole[..0xff1]).is_ok(), "a file may end in its last paragraph");
    for length in 0x206..0xff1 {
        assert!(matches!(inspect(&whole[..length]), Err(Error::Truncated { .. })), "{length}");
    }
}

#[test]
fn elf_programs_start_as_their_class_and_notes_say() {
    let (plain, small, noted) = (elf64(), elf32(), pvh());
    let of = |bytes| match inspect(bytes) {
        Ok(Image::Elf(elf)) => (elf.protocol, elf.entry),
        other => panic!("{other:?}"),
    };
    assert_eq!(of(&plain), (Protocol::Plain, 0x4008_0004));
    assert_eq!(of(&small), (Protocol::Plain32, 0x10_0010));
    assert_eq!(of(&noted), (Protocol::Pvh, 0x4008_0020));
    assert_eq!(
        refusal(&with(pvh(), 0x150, &[0xff])),
        "the ELF file is malformed: its entry point lies in none of its segments"
    );
    // A note of somebody else's is none.
    assert_eq!(of(&with(pvh(), 0x14c, b"Abc\0")).0, Protocol::Plain);
    let Ok(Image::Elf(elf)) = inspect(&small) else { panic!("not recognised") };
    let expected = Segment { file_offset: 0x100, file_bytes: 0x80, memory_bytes: 0x1000, address: 0x10_0000 };
    assert!(elf.segments().eq([expected]));
}

#[test]
fn multiboot_headers_in_elf_files() {
    let header = &multiboot(3)[0x20..0x2c];
    let bytes = with(elf32(), 0x180, header);
    let Ok(Image::Elf(elf)) = inspect(&bytes) else { panic!("not recognised") };
    let Protocol::Multiboot(multiboot) = elf.protocol else { panic!("{:?}", elf.protocol) };
    assert_eq!((multiboot.version, multiboot.aligns_modules, elf.entry), (Version::One, true, 0x10_0010));
    // An entry tag counts more than the file's own, and version 2 more than version 1.
    let both = with(bytes, 0x100, &multiboot2(&[ENTRY])[0x20..0x50]);
    let Ok(Image::Elf(elf)) = inspect(&both) else { panic!("not recognised") };
    let Protocol::Multiboot(multiboot) = elf.protocol else { panic!("{:?}", elf.protocol) };
    assert_eq!((multiboot.version, multiboot.aligns_modules, elf.entry), (Version::Two, false, 0x10_0040));
}

#[test]
fn multiboot_headers_with_addresses() {
    for (bytes, version) in [(multiboot(0x1_0000), Version::One), (multiboot2(&[ADDRESS, ENTRY, ALIGN]), Version::Two)]
    {
        let Ok(Image::Multiboot(flat)) = inspect(&bytes) else { panic!("{:?}", inspect(&bytes)) };
        let expected = Segment { file_offset: 0, file_bytes: 0x200, memory_bytes: 0x4000, address: 0x10_0000 };
        assert_eq!((flat.entry, flat.segment), (0x10_0040, expected));
        assert_eq!((flat.multiboot.version, flat.multiboot.aligns_modules), (version, version == Version::Two));
    }
}

#[test]
fn malformed_multiboot_headers() {
    let one = || multiboot(0x1_0000);
    let two = |tags: &[&[u32]]| multiboot2(tags);
    let word = |value: u32| value.to_le_bytes();
    let cases = [
        (with(one(), 0x28, &[0]), "multiboot header is malformed: its checksum is wrong"),
        (multiboot(0x1_0010), "multiboot header is malformed: it requires features that there are not"),
        (multiboot(3), "multiboot header is malformed: it has no addresses, and the file is no ELF file"),
        (with(one(), 0x30, &word(0x10_0021)), "multiboot header is malformed: it lies before the address to load at"),
        (
            with(one(), 0x2c, &word(0x10_0021)),
            "multiboot header is malformed: what is to be loaded begins before the file",
        ),
        (with(one(), 0x34, &word(0xf_0000)), "multiboot header is malformed: load_end_addr lies below load_addr"),
        (
            with(one(), 0x34, &word(0x10_0201)),
            "multiboot program is truncated: it needs 513 bytes and the file has 512",
        ),
        (with(one(), 0x38, &word(0x10_0100)), "multiboot header is malformed: bss_end_addr lies below load_end_addr"),
        (
            with(one(), 0x3c, &word(0x10_4000)),
            "multiboot header is malformed: its entry point lies outside of what is loaded",
        ),
        (two(&[ADDRESS]), "multiboot2 header is malformed: it has addresses and no entry point"),
        (two(&[ADDRESS, ENTRY, &[77, 8]]), "multiboot2 header is malformed: it requires a feature that there is not"),
        (
            two(&[ADDRESS, ENTRY, &[1, 12, 9]]),
            "multiboot2 header is malformed: it requires information that there is not",
        ),
        (two(&[ADDRESS, &[3, 7, 0]]), "multiboot2 header is malformed: its tags end beyond the header"),
        (two(&[&[3, 8]]), "multiboot2 header is malformed: its tags end beyond the header"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refusal(&bytes), format!("the {expected}"));
    }
    // What is optional may be anything; so may what asks for what is there.
    for tag in [[77 | 1 << 16, 8, 0], [1, 12, 15], [1 | 1 << 16, 12, 9], [5, 8, 0]] {
        let tag: &[u32] = if tag[1] == 8 { &tag[..2] } else { &tag };
        assert!(matches!(inspect(&two(&[ADDRESS, ENTRY, tag])), Ok(Image::Multiboot(_))), "{tag:?}");
    }
}

#[test]
fn the_other_cpus_programs_are_refused_by_name() {
    let arm = |bytes: &[u8]| crate::inspect(bytes, Cpu::Aarch64).unwrap_err().to_string();
    assert_eq!(arm(&bzimage()), "this is a program for another CPU: a Linux bzImage for x86");
    assert_eq!(arm(&elf64()), "this is a program for another CPU: an ELF file for x86-64");
    assert_eq!(refusal(&super::linux(0, 0x1000, 0)), "this is a program for another CPU: a Linux Image for aarch64");
    assert_eq!(refusal(&elf()), "this is a program for another CPU: an ELF file for aarch64");
    assert_eq!(inspect(&elf()).unwrap_err().hint(), Some("guests here are x86 programs, of 64 or 32 bits"));
    assert!(refusal(&with_pe(vec![0; 0x1000], 0x8664)).contains("an EFI program"));
    assert!(refusal(&with(elf64(), 4, &[1])).contains("x32"));
}

#[test]
fn what_has_no_format_is_raw() {
    assert_eq!(inspect(&[0xfa, 0xf4]), Ok(Image::Raw));
    assert_eq!(inspect(&[0x1f, 0x8b, 8, 0]), Ok(Image::Gzip));
}

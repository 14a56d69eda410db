//! Programs for x86 whose headers are wrong: each is an error with its place and a hint, before anything boots.

use super::Project;
use super::x86::{bzimage, elf64};
use crate::codes;

/// What is said of a VM whose program is `bytes`.
fn said(bytes: &[u8]) -> String {
    let project = Project::x86();
    project.file("program", bytes);
    let outcome = project.run(&["ram 0,0xa0000 ram 1M,127M\nload program"]);
    assert_eq!(outcome.codes, [codes::BAD_IMAGE], "{}", outcome.text);
    outcome.text
}

/// `bytes` with others in them.
fn with(mut bytes: Vec<u8>, at: usize, others: &[u8]) -> Vec<u8> {
    bytes[at..at + others.len()].copy_from_slice(others);
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A file of 512 bytes with a Multiboot header with addresses, 0x20 bytes into it.
fn multiboot(flags: u32, addresses: [u32; 5]) -> Vec<u8> {
    let magic = 0x1bad_b002;
    let header = [[magic, flags, 0_u32.wrapping_sub(magic).wrapping_sub(flags)].as_slice(), &addresses].concat();
    with(vec![0; 0x200], 0x20, &words(&header))
}

/// An ELF file with a Multiboot2 header with these tags.
fn multiboot2(tags: &[u32]) -> Vec<u8> {
    let (magic, length) = (0xe852_50d6, 16 + 4 * tags.len() as u32);
    let header = [[magic, 0, length, 0_u32.wrapping_sub(magic).wrapping_sub(length)].as_slice(), tags].concat();
    with(elf64(0x10_0000), 0x120, &words(&header))
}

#[test]
fn complaints_about_multiboot_headers() {
    let addresses = [0x10_0020, 0x10_0000, 0x10_0200, 0x10_4000, 0x10_0040];
    let good = multiboot(0x1_0000, addresses);
    assert!(Project::x86().run(&["ram 0,0xa0000 ram 1M,127M load kernel.elf"]).assembly.is_some());
    insta::assert_snapshot!(
        [
            said(&with(good.clone(), 0x28, &[0])),
            said(&multiboot(0x1_0010, addresses)),
            said(&multiboot(3, [0; 5])),
            said(&with(good.clone(), 0x34, &words(&[0x10_0201]))),
            said(&with(good, 0x3c, &words(&[0x20_0000]))),
            said(&multiboot2(&[77, 8, 0, 8])),
            said(&multiboot2(&[1, 12, 9, 0, 0, 8])),
            said(&multiboot2(&[3, 8])),
        ]
        .join("\n\n")
    );
}

#[test]
fn complaints_about_setup_headers() {
    insta::assert_snapshot!(
        [
            said(&with(bzimage(), 0x201, &[0x20])),
            said(&with(bzimage(), 0x206, &[5])),
            said(&with(bzimage(), 0x211, &[0])),
            said(&with(bzimage(), 0x1f4, &[0; 4])),
            said(&with(bzimage(), 0x24c, &words(&[0x1000]))),
            said(&with(bzimage(), 0x230, &[1])),
            said(&with(bzimage(), 0x25f, &[1])),
            said(&bzimage()[..0x800]),
        ]
        .join("\n\n")
    );
}

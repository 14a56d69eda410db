//! What Linux takes for an initial RAM disk, by magic numbers (Linux: lib/decompress.c, init/initramfs.c and
//! init/do_mounts_rd.c; Documentation/driver-api/early-userspace/buffer-format.rst).

use crate::read::has;

/// Whether a file can be a RAM disk of Linux: an archive or a file system, maybe compressed.
pub fn is_ram_disk(bytes: &[u8]) -> bool {
    #[rustfmt::skip]
    let known: &[(usize, &[u8])] = &[
        // cpio archives: newc, newc with checksums. Zeros may stand before the first.
        (0, b"070701"), (0, b"070702"),
        // gzip (and its older number), bzip2, lzma, xz, lzop, lz4, zstd.
        (0, &[0x1f, 0x8b]), (0, &[0x1f, 0x9e]), (0, b"BZh"), (0, &[0x5d, 0, 0]), (0, b"\xfd7zXZ\0"), (0, &[0x89, b'L', b'Z', b'O']),
        (0, &[0x02, 0x21, 0x4c, 0x18]), (0, &[0x28, 0xb5, 0x2f, 0xfd]),
        // romfs, cramfs, squashfs, minix, ext2 and its kin.
        (0, b"-rom1fs-"), (0, &[0x45, 0x3d, 0xcd, 0x28]), (0, b"hsqs"), (0x410, &[0x7f, 0x13]), (0x438, &[0x53, 0xef]),
    ];
    let padding = bytes.iter().take_while(|&&byte| byte == 0).count();
    let archive = bytes.get(padding & !3..).unwrap_or_default();
    known.iter().any(|(offset, magic)| has(bytes, *offset, magic)) || archive.starts_with(b"070701")
}

//! Files that are known not to be a program for a guest here, by their magic numbers.
//!
//! Without this list every one of them would pass for a raw image and the guest would run into rubbish.

use crate::{Cpu, Error, bzimage, pe, read::has};

/// What the file is; `None` if nothing about it is known.
pub(crate) fn recognise(bytes: &[u8], here: Cpu) -> Option<Error> {
    // Wrappers first: some wrap themselves in the headers of a program.
    wrapped(bytes).or_else(|| kernel_of_another_cpu(bytes, here))
}

fn kernel_of_another_cpu(bytes: &[u8], here: Cpu) -> Option<Error> {
    let other = |cpu, format| Some(Error::OtherCpu { cpu, format, here });
    if here != Cpu::X86_64 && bzimage::is_bzimage(bytes) {
        return other("x86", "a Linux bzImage");
    }
    // Documentation/arch/arm64/booting.rst.
    if here != Cpu::Aarch64 && has(bytes, 0x38, b"ARM\x64") {
        return other("aarch64", "a Linux Image");
    }
    // Documentation/arch/arm/booting.rst and arch/arm/boot/compressed/head.S, either byte order.
    if has(bytes, 0x24, &0x016f_2818_u32.to_le_bytes()) || has(bytes, 0x24, &0x016f_2818_u32.to_be_bytes()) {
        return other("32-bit Arm", "a Linux zImage");
    }
    // Documentation/arch/riscv/boot-image-header.rst: magic2.
    if has(bytes, 0x38, b"RSC\x05") {
        return other("RISC-V", "a Linux Image");
    }
    match pe::machine(bytes)? {
        0x014c | 0x8664 if here == Cpu::X86_64 => Some(Error::OtherFormat {
            format: "an EFI program",
            hint: "guests start without firmware: load the kernel's `bzImage` or an ELF file instead",
        }),
        0x014c => other("32-bit x86", "a PE program"),
        0x8664 => other("x86-64", "a PE program"),
        0x01c0 | 0x01c2 | 0x01c4 => other("32-bit Arm", "a PE program"),
        0x5032 | 0x5064 => other("RISC-V", "a PE program"),
        0xaa64 if here == Cpu::X86_64 => other("aarch64", "a PE program"),
        0xaa64 => Some(Error::OtherFormat {
            format: "an EFI program",
            hint: "guests start without firmware: load the kernel's plain `Image` instead",
        }),
        _ => other("a CPU that is not known here", "a PE program"),
    }
}

fn wrapped(bytes: &[u8]) -> Option<Error> {
    const UNPACK: &str = "unpack it first; only gzip is unpacked here";
    const EXTRACT: &str = "extract the kernel's `Image` from it and load that";
    // At least four bytes each where they could be a raw program's first instruction.
    #[rustfmt::skip]
    let known: &[(usize, &[u8], &'static str, &'static str)] = &[
        // drivers/firmware/efi/libstub/zboot-header.S
        (4, b"zimg", "a compressed EFI kernel (zboot)", EXTRACT),
        (0, &[0x27, 0x05, 0x19, 0x56], "a U-Boot legacy image (uImage)", EXTRACT),
        (0, &[0xd0, 0x0d, 0xfe, 0xed], "a flattened device tree or FIT image", "a device tree is loaded by `fdt load`"),
        (0, b"ANDROID!", "an Android boot image", EXTRACT),
        (0, b"070701", "a cpio archive", "a RAM disk is loaded by `initrd load`"),
        (0, b"!<arch>\n", "a library or Debian package", EXTRACT),
        (0, &[0xfd, b'7', b'z', b'X', b'Z', 0], "compressed by xz", UNPACK),
        (0, &[0x28, 0xb5, 0x2f, 0xfd], "compressed by zstd", UNPACK),
        (4, b"1AY&SY", "compressed by bzip2", UNPACK),
        (0, &[0x04, 0x22, 0x4d, 0x18], "compressed by lz4", UNPACK),
        (0, &[0x02, 0x21, 0x4c, 0x18], "compressed by lz4", UNPACK),
        (0, &[0x89, b'L', b'Z', b'O'], "compressed by lzop", UNPACK),
        (0, &[0x5d, 0, 0, 0x80, 0], "compressed by lzma", UNPACK),
        (0, b"PK\x03\x04", "a zip archive", UNPACK),
        (257, b"ustar", "a tar archive", EXTRACT),
        (0, b"#!/", "a script", "load a kernel or a bare-metal program"),
        (0, b"QFI\xfb", "a qcow2 disk", "load a kernel or a bare-metal program"),
    ];
    known
        .iter()
        .find(|(offset, magic, ..)| has(bytes, *offset, magic))
        .map(|&(_, _, format, hint)| Error::OtherFormat { format, hint })
}

//! Guest image formats: what a file is, whether it can run here, and which bytes of it go where.
//!
//! ```text
//! bytes ── inspect ──▶ Image::{Elf, Linux, BzImage, Multiboot, Gzip, Raw}   or   Error: truncated, malformed, foreign, of another CPU
//! ```
//! Nothing is copied and nothing is believed: every number read from a file is checked against the file's length
//! and against overflow, so that a malformed image can do no more than be refused. Pure and `no_std`, because what
//! the assembler checks on the host today is what a boot module will be checked with on the board.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod bzimage;
mod cpu;
mod elf_file;
mod error;
mod foreign;
mod linux;
mod multiboot;
mod pe;
mod pvh;
mod ram_disk;
mod read;

pub use bzimage::BzImage;
pub use cpu::Cpu;
pub use elf_file::{Elf, Protocol, Segments};
pub use error::Error;
pub use linux::{KernelPages, Linux, Placement};
pub use multiboot::{Flat, Multiboot, Version};
pub use ram_disk::is_ram_disk;

/// A file that is, or may be, an image for a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image<'a> {
    /// ELF with fixed addresses.
    Elf(Elf<'a>),
    /// The arm64 Linux kernel's `Image`.
    Linux(Linux),
    /// The x86 Linux kernel's `bzImage`.
    BzImage(BzImage<'a>),
    /// A program for x86 whose multiboot header says where it goes.
    Multiboot(Flat),
    /// Compressed by gzip: unpack it and inspect the result.
    Gzip,
    /// Nothing that is known: runs from its first byte, wherever it is put.
    Raw,
}

/// A run of bytes to copy, and the memory that they and the zeros after them take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First byte in the file.
    pub file_offset: u64,
    /// Number of bytes to copy; the range lies in the file.
    pub file_bytes: u64,
    /// Number of bytes of memory, at least `file_bytes`; what is not copied is zero.
    pub memory_bytes: u64,
    /// Guest-physical address of the first byte; `address + memory_bytes` does not overflow.
    pub address: u64,
}

/// Says what `bytes` are to a guest on `cpu`. The first bytes decide; everything else that will be relied on is checked.
///
/// # Errors
/// An empty file, one that ends too early or contradicts itself, and one that is known not to run here.
pub fn inspect(bytes: &[u8], cpu: Cpu) -> Result<Image<'_>, Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if bytes.starts_with(&elf::abi::ELFMAGIC) {
        return Elf::image(bytes, cpu);
    }
    let kernel = match cpu {
        Cpu::Aarch64 => Linux::parse(bytes)?.map(Image::Linux),
        Cpu::X86_64 => BzImage::parse(bytes)?.map(Image::BzImage),
    };
    if let Some(kernel) = kernel {
        return Ok(kernel);
    }
    // RFC 1952: ID1, ID2, CM = deflate.
    if bytes.starts_with(&[0x1f, 0x8b, 8]) {
        return Ok(Image::Gzip);
    }
    if let Some(error) = foreign::recognise(bytes, cpu) {
        return Err(error);
    }
    match cpu {
        Cpu::Aarch64 => Ok(Image::Raw),
        Cpu::X86_64 => flat(bytes),
    }
}

/// A file without a format of its own, for x86.
fn flat(bytes: &[u8]) -> Result<Image<'_>, Error> {
    let Some(header) = multiboot::find(bytes)? else { return Ok(Image::Raw) };
    let what = "it has no addresses, and the file is no ELF file";
    header.flat(bytes)?.map(Image::Multiboot).ok_or(Error::Malformed { format: "multiboot header", what })
}

#[cfg(test)]
mod tests;

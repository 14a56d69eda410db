//! The arm64 Linux kernel's `Image` (Documentation/arch/arm64/booting.rst, section 4).
//!
//! A header of 64 bytes says how much memory the kernel takes and where it wants to be. U-Boot, other hypervisors
//! and bare-metal programs use it too. With an EFI stub the file is a PE file as well.

use crate::{Cpu, Error, Segment, pe, read};

const FORMAT: &str = "arm64 Image";
/// Length of the header.
const HEADER_BYTES: usize = 64;
/// Where kernels before 3.17, whose image_size is zero, want to be.
const OLD_TEXT_OFFSET: u64 = 0x8_0000;

/// What the header of an arm64 `Image` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linux {
    /// Offset of the first byte from a base that is a multiple of [`Linux::BASE_ALIGNMENT_BYTES`].
    pub text_offset: u64,
    /// Memory from the first byte on that the kernel takes, `.bss` included; at least the file's length.
    pub memory_bytes: u64,
    /// Length of the file.
    pub file_bytes: u64,
    /// Whether the header had no image_size (kernels before 3.17): more memory than `memory_bytes` may be in use.
    pub size_is_a_guess: bool,
    /// How far from the start of RAM it may be.
    pub placement: Placement,
    /// The kernel's own page size.
    pub pages: KernelPages,
}

/// Where the 2 MiB-aligned base may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// As close as possible to the base of RAM: memory below it is lost to old kernels.
    NearRamBase,
    /// Anywhere in RAM.
    Anywhere,
}

/// The granule that a kernel was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelPages {
    /// The header does not say.
    Unspecified,
    /// 4 KiB.
    Kib4,
    /// 16 KiB.
    Kib16,
    /// 64 KiB.
    Kib64,
}

impl KernelPages {
    /// Their size in KiB, if it is known.
    pub const fn kib(self) -> Option<u32> {
        match self {
            KernelPages::Unspecified => None,
            KernelPages::Kib4 => Some(4),
            KernelPages::Kib16 => Some(16),
            KernelPages::Kib64 => Some(64),
        }
    }
}

impl Linux {
    /// Alignment of the base that `text_offset` counts from.
    pub const BASE_ALIGNMENT_BYTES: u64 = 2 << 20;

    /// `None` if this is no arm64 `Image`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Linux>, Error> {
        if !read::has(bytes, 0x38, b"ARM\x64") {
            return Ok(None);
        }
        let file_bytes = bytes.len() as u64;
        let field = |offset| read::u64_at(bytes, offset);
        let (Some(text_offset), Some(image_size), Some(flags), true) =
            (field(8), field(16), field(24), bytes.len() >= HEADER_BYTES)
        else {
            return Err(Error::Truncated { format: FORMAT, needs: HEADER_BYTES as u64, has: file_bytes });
        };
        if flags & 1 != 0 {
            return Err(Error::OtherCpu { cpu: "big-endian aarch64", format: "an arm64 Image", here: Cpu::Aarch64 });
        }
        if let Some(needs) = pe::file_bytes(bytes).filter(|&needs| needs > file_bytes) {
            return Err(Error::Truncated { format: FORMAT, needs, has: file_bytes });
        }
        let size_is_a_guess = image_size == 0;
        let text_offset = if size_is_a_guess { OLD_TEXT_OFFSET } else { text_offset };
        let memory_bytes = image_size.max(file_bytes);
        if text_offset.checked_add(memory_bytes).is_none_or(|end| end > 1 << 48) {
            let what = "text_offset and image_size exceed the address space";
            return Err(Error::Malformed { format: FORMAT, what });
        }
        Ok(Some(Linux {
            text_offset,
            memory_bytes,
            file_bytes,
            size_is_a_guess,
            placement: if flags & 1 << 3 != 0 { Placement::Anywhere } else { Placement::NearRamBase },
            pages: match flags >> 1 & 3 {
                0 => KernelPages::Unspecified,
                1 => KernelPages::Kib4,
                2 => KernelPages::Kib16,
                _ => KernelPages::Kib64,
            },
        }))
    }

    /// The lowest address at or above `from` where the kernel may start; `None` past the end of the address space.
    pub fn first_start(&self, from: u64) -> Option<u64> {
        // The base may lie below `from` as long as the kernel itself does not.
        let base = from.saturating_sub(self.text_offset).checked_next_multiple_of(Self::BASE_ALIGNMENT_BYTES)?;
        base.checked_add(self.text_offset)
    }

    /// Whether the kernel may start at `start`.
    pub fn may_start_at(&self, start: u64) -> bool {
        start.checked_sub(self.text_offset).is_some_and(|base| base.is_multiple_of(Self::BASE_ALIGNMENT_BYTES))
    }

    /// The whole kernel as one segment with its first byte, which is also its entry, at `start`.
    /// `None` past the end of the address space.
    pub fn segment(&self, start: u64) -> Option<Segment> {
        start.checked_add(self.memory_bytes)?;
        let (file_bytes, memory_bytes) = (self.file_bytes, self.memory_bytes);
        Some(Segment { file_offset: 0, file_bytes, memory_bytes, address: start })
    }
}

//! The x86 Linux kernel's `bzImage`, and what takes its form: memtest86+, for example (Documentation/arch/x86/boot.rst).
//!
//! The file begins with code for real mode, which nobody runs any more, and in it is the setup header: a table that says how
//! the rest wants to be loaded. The rest, the "protected-mode kernel", has an entry point of 32 bits at its first byte and
//! mostly one of 64 bits 0x200 further on.

use crate::{Error, Segment, read};

pub(crate) const FORMAT: &str = "bzImage";
/// The first byte of the setup header, also in the zero page (`boot_params`).
const HEADER: usize = 0x1f1;
/// Where the zero page has room for it up to.
const HEADER_LIMIT: usize = 0x290;
/// Protocol 2.06, of Linux 2.6.22: the oldest that says how long a command line may be.
const OLDEST: u16 = 0x0206;
/// Where kernels go that do not say where.
const USUAL_START: u64 = 0x10_0000;
/// The 64-bit entry point, from the first byte of the protected-mode kernel on.
const ENTRY_64: u64 = 0x200;
/// Lengths are in paragraphs, to which not every tool pads the file.
const PARAGRAPH_BYTES: u64 = 16;
const PAGE_BYTES: u64 = 0x1000;

/// What the setup header of a `bzImage` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BzImage<'a> {
    /// The setup header, for the zero page's [`BzImage::HEADER_OFFSET`].
    pub header: &'a [u8],
    /// Where in the file the protected-mode kernel begins; it goes to the file's end.
    pub kernel_offset: u64,
    /// Its length.
    pub kernel_bytes: u64,
    /// Memory from its first byte on that it takes until it looks at the memory map; at least `kernel_bytes`.
    pub memory_bytes: u64,
    /// Where it is best put.
    pub preferred: u64,
    /// What a multiple of it may start at, at or above `preferred`; `None` if it can be at `preferred` only.
    pub alignment: Option<u64>,
    /// The kernel can be entered in 64-bit mode.
    pub has_64_bit_entry: bool,
    /// It, its RAM disk, its command line and its zero page can be above 4 GiB.
    pub reaches_above_4g: bool,
    /// Highest address that a byte of the RAM disk may have.
    pub initrd_last: u64,
    /// Longest command line, without the zero behind it.
    pub cmdline_bytes: u64,
}

impl<'a> BzImage<'a> {
    /// Where the setup header is in the zero page.
    pub const HEADER_OFFSET: u64 = HEADER as u64;

    /// `None` if this is no `bzImage`.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Option<BzImage<'a>>, Error> {
        if !is_bzimage(bytes) {
            return Ok(None);
        }
        let file_bytes = bytes.len() as u64;
        let header_end = usize::from(bytes.get(0x201).copied().unwrap_or(0)).saturating_add(0x202);
        let truncated = Error::Truncated { format: FORMAT, needs: header_end.max(0x268) as u64, has: file_bytes };
        let header = bytes.get(HEADER..header_end).ok_or(truncated)?;
        let byte = |at| bytes.get(at).copied().ok_or(truncated);
        let half = |at| read::u16_at(bytes, at).ok_or(truncated);
        let word = |at| read::u32_at(bytes, at).ok_or(truncated);
        let version = half(0x206)?;
        if version < OLDEST {
            return Err(Error::OtherFormat {
                format: "a bzImage by a boot protocol before 2.06",
                hint: "load a kernel of Linux 2.6.22 or later",
            });
        }
        // Fields that came with 2.10 and 2.12 are behind the end of older headers.
        let (says_size, says_flags) = (version >= 0x020a, version >= 0x020c);
        if header_end < if says_size { 0x264 } else { 0x23c } {
            return Err(malformed("its setup header is shorter than its version says"));
        }
        if header_end > HEADER_LIMIT {
            return Err(malformed("its setup header is longer than the zero page has room for"));
        }
        if byte(0x211)? & 1 == 0 {
            return Err(Error::OtherFormat {
                format: "a zImage, which is loaded below 1 MiB",
                hint: "load the kernel's `bzImage`",
            });
        }
        let sectors = match byte(HEADER)? {
            0 => 4,
            sectors => u64::from(sectors),
        };
        let kernel_offset = sectors.saturating_add(1).saturating_mul(512);
        let paragraphs = u64::from(word(0x1f4)?);
        if paragraphs == 0 {
            return Err(malformed("its setup header says that the kernel has no bytes"));
        }
        let promised = kernel_offset.saturating_add(paragraphs.saturating_mul(PARAGRAPH_BYTES));
        let needs = promised.saturating_sub(PARAGRAPH_BYTES).saturating_add(1);
        if needs > file_bytes {
            return Err(Error::Truncated { format: FORMAT, needs: promised, has: file_bytes });
        }
        let kernel_bytes = file_bytes.saturating_sub(kernel_offset);
        if version >= 0x0208 {
            let payload_end = u64::from(word(0x248)?).checked_add(word(0x24c)?.into());
            if payload_end.is_none_or(|end| end > kernel_bytes) {
                return Err(malformed("its payload is not inside of it"));
            }
        }
        let alignment = match byte(0x234)? {
            0 => None,
            _ => Some(u64::from(word(0x230)?)),
        };
        if alignment.is_some_and(|alignment| !alignment.is_power_of_two()) {
            return Err(malformed("its kernel_alignment is no power of two"));
        }
        let usual_start = USUAL_START.max(alignment.unwrap_or(0));
        let (preferred, init_size) = match says_size {
            true => (read::u64_at(bytes, 0x258).ok_or(truncated)?, u64::from(word(0x260)?)),
            // Before 2.10 it is a guess: what is unpacked was never longer than this.
            false => (usual_start, kernel_bytes.next_multiple_of(PAGE_BYTES).saturating_mul(3)),
        };
        let memory_bytes = init_size.max(kernel_bytes);
        if preferred.checked_add(memory_bytes).is_none_or(|end| end > 1 << 46) {
            return Err(malformed("its pref_address and init_size exceed the address space"));
        }
        if !preferred.is_multiple_of(alignment.unwrap_or(1)) {
            return Err(malformed("its pref_address is no multiple of its kernel_alignment"));
        }
        let flags = if says_flags { half(0x236)? } else { 0 };
        Ok(Some(BzImage {
            header,
            kernel_offset,
            kernel_bytes,
            memory_bytes,
            preferred,
            alignment,
            has_64_bit_entry: flags & 1 != 0,
            reaches_above_4g: flags & 3 == 3,
            initrd_last: u64::from(word(0x22c)?),
            cmdline_bytes: u64::from(word(0x238)?),
        }))
    }

    /// The lowest address at or above `from` where it may start; `None` if there is none.
    pub fn first_start(&self, from: u64) -> Option<u64> {
        match self.alignment {
            // Below `preferred` it would move itself there (boot.rst, section 1.2, pref_address).
            Some(alignment) => from.max(self.preferred).checked_next_multiple_of(alignment),
            None => (from <= self.preferred).then_some(self.preferred),
        }
    }

    /// Whether it may start at `start`.
    pub fn may_start_at(&self, start: u64) -> bool {
        self.first_start(start) == Some(start)
    }

    /// The first instruction of a kernel that is at `start`: 64-bit code if it has such an entry. `None` past the end of the
    /// address space.
    pub fn entry(&self, start: u64) -> Option<u64> {
        start.checked_add(if self.has_64_bit_entry { ENTRY_64 } else { 0 })
    }

    /// The kernel as one segment at `start`; `None` past the end of the address space.
    pub fn segment(&self, start: u64) -> Option<Segment> {
        start.checked_add(self.memory_bytes)?;
        let (file_offset, file_bytes, memory_bytes) = (self.kernel_offset, self.kernel_bytes, self.memory_bytes);
        Some(Segment { file_offset, file_bytes, memory_bytes, address: start })
    }
}

/// By boot_flag and header.
pub(crate) fn is_bzimage(bytes: &[u8]) -> bool {
    read::has(bytes, 0x1fe, &[0x55, 0xaa]) && read::has(bytes, 0x202, b"HdrS")
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { format: FORMAT, what }
}

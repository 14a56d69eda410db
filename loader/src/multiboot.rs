//! The headers of both versions of the Multiboot specification (0.6.96 section 3.1; 2.0 section 3.1).
//!
//! A header is somewhere near the beginning of the file, whatever format that has. Where it says addresses, it says all about
//! loading, and the file's own format counts no more; else the file is ELF.

use crate::{Error, Segment, read};

/// How far into the file version 1 is looked for, and at multiples of what.
const WINDOW: (usize, usize) = (8192, 4);
/// The same for version 2.
const WINDOW_2: (usize, usize) = (32768, 8);
const MAGIC: u32 = 0x1bad_b002;
const MAGIC_2: u32 = 0xe852_50d6;
pub(crate) const FORMAT: &str = "multiboot header";
pub(crate) const FORMAT_2: &str = "multiboot2 header";

/// A version of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Multiboot.
    One,
    /// Multiboot2.
    Two,
}

/// What a header asks for that does not concern loading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiboot {
    /// By which specification it starts.
    pub version: Version,
    /// Its modules start on pages.
    pub aligns_modules: bool,
}

/// A program whose header says where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flat {
    /// Guest-physical address of the first instruction; it lies in the segment.
    pub entry: u64,
    /// What goes where.
    pub segment: Segment,
    /// What it asks for besides.
    pub multiboot: Multiboot,
}

/// A header that is sound.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Header {
    version_2: bool,
    aligns_modules: bool,
    /// An entry point that counts more than the file's own.
    pub(crate) entry: Option<u64>,
    addresses: Option<Addresses>,
}

/// Where the file goes. All of it is 32 bits wide.
#[derive(Clone, Copy, Debug)]
struct Addresses {
    /// The header's offset in the file.
    at: u64,
    header: u64,
    load: u64,
    load_end: u64,
    bss_end: u64,
}

impl Header {
    pub(crate) fn multiboot(&self) -> Multiboot {
        let version = if self.version_2 { Version::Two } else { Version::One };
        Multiboot { version, aligns_modules: self.aligns_modules }
    }

    fn format(&self) -> &'static str {
        if self.version_2 { FORMAT_2 } else { FORMAT }
    }

    /// The file as the header's addresses have it, if it has any.
    pub(crate) fn flat(&self, bytes: &[u8]) -> Result<Option<Flat>, Error> {
        let Some(addresses) = self.addresses else { return Ok(None) };
        let malformed = |what| Error::Malformed { format: self.format(), what };
        let length = bytes.len() as u64;
        // Version 2 says "from the beginning" by all ones.
        let before = match addresses.load {
            0xffff_ffff if self.version_2 => addresses.at,
            load => addresses.header.checked_sub(load).ok_or(malformed("it lies before the address to load at"))?,
        };
        let load = addresses.header.checked_sub(before).ok_or(malformed("the address to load at is negative"))?;
        let file_offset =
            addresses.at.checked_sub(before).ok_or(malformed("what is to be loaded begins before the file"))?;
        let file_bytes = match addresses.load_end {
            0 => length.saturating_sub(file_offset),
            end => end.checked_sub(load).ok_or(malformed("load_end_addr lies below load_addr"))?,
        };
        let needs = file_offset.saturating_add(file_bytes);
        if needs > length {
            return Err(Error::Truncated { format: "multiboot program", needs, has: length });
        }
        let memory_bytes = match addresses.bss_end {
            0 => file_bytes,
            end => end.checked_sub(load).ok_or(malformed("bss_end_addr lies below load_addr"))?,
        };
        if memory_bytes < file_bytes {
            return Err(malformed("bss_end_addr lies below load_end_addr"));
        }
        let segment = Segment { file_offset, file_bytes, memory_bytes, address: load };
        let entry = self.entry.ok_or(malformed("it has addresses and no entry point"))?;
        if entry.checked_sub(load).is_none_or(|offset| offset >= memory_bytes) {
            return Err(malformed("its entry point lies outside of what is loaded"));
        }
        Ok(Some(Flat { entry, segment, multiboot: self.multiboot() }))
    }
}

/// The header in `bytes`, if there is one; that of version 2 if there are both.
pub(crate) fn find(bytes: &[u8]) -> Result<Option<Header>, Error> {
    let mut broken = None;
    for (window, magic, format, read) in [
        (WINDOW_2, MAGIC_2, FORMAT_2, version_2 as fn(&[u8], usize) -> Result<Header, Error>),
        (WINDOW, MAGIC, FORMAT, version_1),
    ] {
        let sum = |at: usize, words: usize| {
            (0..words).try_fold(0_u32, |sum, word| {
                Some(sum.wrapping_add(read::u32_at(bytes, at.checked_add(word.checked_mul(4)?)?)?))
            })
        };
        let words = if magic == MAGIC { 3 } else { 4 };
        let mut places = (0..window.0).step_by(window.1);
        while let Some(at) = places.find(|&at| read::u32_at(bytes, at) == Some(magic)) {
            match sum(at, words) {
                Some(0) => return read(bytes, at).map(Some),
                // The number alone may be code that looks for it.
                _ => broken = broken.or(Some(Error::Malformed { format, what: "its checksum is wrong" })),
            }
        }
    }
    broken.map_or(Ok(None), Err)
}

/// Section 3.1.2 and 3.1.3 of version 1.
fn version_1(bytes: &[u8], at: usize) -> Result<Header, Error> {
    let cut = Error::Malformed { format: FORMAT, what: "it ends beyond the file" };
    let word = |index: usize| {
        let at = index.checked_mul(4).and_then(|offset| at.checked_add(offset));
        at.and_then(|at| read::u32_at(bytes, at)).ok_or(cut)
    };
    let flags = word(1)?;
    // Bit 2 wants a video mode, which is a wish: the information says that there is none.
    if flags & 0xfff8 != 0 {
        return Err(Error::Malformed { format: FORMAT, what: "it requires features that there are not" });
    }
    let mut header = Header { aligns_modules: flags & 1 != 0, ..Header::default() };
    if flags & 1 << 16 != 0 {
        let wide = |index| word(index).map(u64::from);
        header.addresses =
            Some(Addresses { at: at as u64, header: wide(3)?, load: wide(4)?, load_end: wide(5)?, bss_end: wide(6)? });
        header.entry = Some(wide(7)?);
    }
    Ok(header)
}

/// Section 3.1.2 to 3.1.13 of version 2.
fn version_2(bytes: &[u8], at: usize) -> Result<Header, Error> {
    let malformed = |what| Error::Malformed { format: FORMAT_2, what };
    let cut = malformed("its tags end beyond the header");
    let field = |offset: usize| at.checked_add(offset).and_then(|at| read::u32_at(bytes, at));
    if field(4) != Some(0) {
        return Err(malformed("it is for another architecture than i386"));
    }
    let length = field(8).and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let tags = at.checked_add(length).and_then(|end| bytes.get(at..end)).ok_or(malformed("it ends beyond the file"))?;
    let mut header = Header { version_2: true, ..Header::default() };
    let mut offset = 16_usize;
    loop {
        let (Some(kind), Some(flags)) =
            (read::u16_at(tags, offset), offset.checked_add(2).and_then(|flags| read::u16_at(tags, flags)))
        else {
            return Err(malformed("it has no end tag"));
        };
        let size = offset.checked_add(4).and_then(|size| read::u32_at(tags, size)).ok_or(cut)?;
        let end = usize::try_from(size).ok().and_then(|size| offset.checked_add(size)).ok_or(cut)?;
        let tag = tags.get(offset..end).filter(|tag| tag.len() >= 8).ok_or(cut)?;
        let wide = |offset| read::u32_at(tag, offset).map(u64::from).ok_or(cut);
        let is_optional = flags & 1 != 0;
        match kind {
            0 => return Ok(header),
            1 if !is_optional => check_requests(tag)?,
            2 => {
                header.addresses = Some(Addresses {
                    at: at as u64,
                    header: wide(8)?,
                    load: wide(12)?,
                    load_end: wide(16)?,
                    bss_end: wide(20)?,
                });
            }
            3 => header.entry = Some(wide(8)?),
            6 => header.aligns_modules = true,
            // A console is there; a framebuffer is a wish; the others are for EFI, or permit more than they ask.
            1 | 4 | 5 | 7..=10 => {}
            _ if is_optional => {}
            _ => return Err(malformed("it requires a feature that there is not")),
        }
        offset = end.checked_next_multiple_of(8).ok_or(cut)?;
    }
}

/// What the information has: command line, loader's name, modules, memory, memory map, the RSDP of ACPI 2.0 and later.
const GIVEN: [u32; 6] = [1, 2, 3, 4, 6, 15];

fn check_requests(tag: &[u8]) -> Result<(), Error> {
    let mut requests = tag.get(8..).unwrap_or_default().chunks_exact(4);
    let is_given = |request: &[u8]| read::u32_at(request, 0).is_some_and(|kind| GIVEN.contains(&kind));
    match requests.all(is_given) {
        true => Ok(()),
        false => Err(Error::Malformed { format: FORMAT_2, what: "it requires information that there is not" }),
    }
}

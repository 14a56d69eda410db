//! The image section: a table of blobs and the blobs, appended to the hypervisor to make a bootable image.
//!
//! The hypervisor is linked without its guests, so equal blobs are stored once and a blob can be replaced without
//! linking again. All numbers are little-endian. The section starts on a page boundary, and so does every blob.
//!
//! | offset | size | header |
//! |---|---|---|
//! | 0 | 8 | [`MAGIC`] |
//! | 8 | 8 | length of the section in bytes, a multiple of a page |
//! | 16 | 4 | number of entries |
//! | 20 | 44 | zero |
//! | 64 | 128 each | entries |
//!
//! | offset | size | entry |
//! |---|---|---|
//! | 0 | 64 | name in UTF-8, padded with zeros |
//! | 64 | 4 | kind ([`Kind`]) |
//! | 72 | 8 | offset of the blob from the section's start |
//! | 80 | 8 | length of the blob in bytes |
//! | 88 | 32 | SHA-256 of the blob |

/// The first bytes of the section.
pub const MAGIC: [u8; 8] = *b"OSTLIMG1";
/// Size of the section's header.
pub const HEADER_BYTES: usize = 64;
/// Size of one entry.
pub const ENTRY_BYTES: usize = 128;
/// Longest name in bytes.
pub const NAME_BYTES: usize = 64;

/// What a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A guest's program or data, as `load` named it.
    Guest = 1,
    /// An initial RAM disk.
    Initrd = 2,
    /// A flattened device tree that the assembler made.
    Tree = 3,
    /// Plain data.
    Data = 4,
    /// What a PC's firmware and boot loader leave in memory: ACPI tables, boot information.
    Firmware = 5,
}

impl Kind {
    fn from_u32(value: u32) -> Option<Kind> {
        [Kind::Guest, Kind::Initrd, Kind::Tree, Kind::Data, Kind::Firmware]
            .into_iter()
            .find(|&kind| kind as u32 == value)
    }
}

/// One blob of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The file's name, without its folder.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Offset of the blob from the section's start.
    pub offset: u64,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// A section whose header and entries were checked.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Table<'a> {
    /// The length that a section's header claims; `None` if this is no image section.
    /// `header` needs the first [`HEADER_BYTES`] only.
    pub fn section_bytes(header: &[u8]) -> Option<u64> {
        (header.get(..8)? == MAGIC).then_some(())?;
        u64_at(header, 8)
    }

    /// Checks a whole section: magic, length, and that every blob lies inside of it.
    pub fn new(bytes: &'a [u8]) -> Option<Table<'a>> {
        let claimed = usize::try_from(Self::section_bytes(bytes)?).ok()?;
        let bytes = bytes.get(..claimed)?;
        let count = usize::try_from(u32_at(bytes, 16)?).ok()?;
        let table = Table { bytes, count };
        (0..count).all(|index| table.entry(index).is_some() && table.blob(index).is_some()).then_some(table)
    }

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Entry `index`; `None` past the end or if it is malformed.
    pub fn entry(&self, index: usize) -> Option<Entry<'a>> {
        if index >= self.count {
            return None;
        }
        let start = index.checked_mul(ENTRY_BYTES)?.checked_add(HEADER_BYTES)?;
        let raw = self.bytes.get(start..start.checked_add(ENTRY_BYTES)?)?;
        let name = raw.get(..NAME_BYTES)?;
        let name = name.split(|&byte| byte == 0).next()?;
        Some(Entry {
            name: core::str::from_utf8(name).ok()?,
            kind: Kind::from_u32(u32_at(raw, 64)?)?,
            offset: u64_at(raw, 72)?,
            size_bytes: u64_at(raw, 80)?,
            sha256: raw.get(88..120)?.try_into().ok()?,
        })
    }

    /// The bytes of blob `index`.
    pub fn blob(&self, index: usize) -> Option<&'a [u8]> {
        let entry = self.entry(index)?;
        let start = usize::try_from(entry.offset).ok()?;
        let length = usize::try_from(entry.size_bytes).ok()?;
        self.bytes.get(start..start.checked_add(length)?)
    }
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..offset.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..offset.checked_add(8)?)?.try_into().ok()?))
}

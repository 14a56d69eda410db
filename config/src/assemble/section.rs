//! The bootable image: the hypervisor's flat binary and the image section behind it.
//!
//! The hypervisor is linked without its guests. Its header (arm64's `Image`, or on x86_64 an ELF with one segment) says how much
//! memory it takes from its first byte on, `.bss` included; the section goes between the file's bytes and `.bss`, so that
//! number grows by the section's length, as does an ELF's number of bytes in the file. The layout of the section is documented
//! in [`model::images`].

use std::ops::Range;

use elf::{ElfBytes, abi::PT_LOAD, endian::LittleEndian};
use model::images::{ENTRY_BYTES, HEADER_BYTES, MAGIC, NAME_BYTES};
use sha2::{Digest, Sha256};

use super::Assembly;

const PAGE: usize = model::PAGE_BYTES as usize;

/// Where a kind of header keeps what.
struct Header {
    magic: (usize, &'static [u8]),
    memory: Range<usize>,
    file: Option<Range<usize>>,
}

/// The hypervisor's headers: arm64's `Image` (Documentation/arch/arm64/booting.rst), and an ELF64 whose first program header is the
/// whole file's (`boot/src/x86_64/head.rs`).
const HEADERS: [Header; 2] = [
    Header { magic: (56, b"ARM\x64"), memory: 16..24, file: None },
    Header { magic: (0, b"\x7fELF\x02\x01\x01"), memory: 104..112, file: Some(96..104) },
];
/// Nobody links a hypervisor of this size: a larger one is a section at a stray address.
const FLAT_LIMIT_BYTES: u64 = 64 << 20;

impl Assembly {
    /// The image section: table and blobs, a multiple of a page long, each blob on a page boundary.
    pub fn image_section(&self) -> Vec<u8> {
        let mut section = vec![0; (HEADER_BYTES + ENTRY_BYTES * self.blobs.len()).next_multiple_of(PAGE)];
        for (index, blob) in self.blobs.iter().enumerate() {
            let offset = section.len() as u64;
            section.extend_from_slice(&blob.bytes);
            section.resize(section.len().next_multiple_of(PAGE), 0);

            let start = HEADER_BYTES + ENTRY_BYTES * index;
            let entry = &mut section[start..start + ENTRY_BYTES];
            let name = name(&blob.name).as_bytes();
            entry[..name.len()].copy_from_slice(name);
            entry[64..68].copy_from_slice(&(blob.kind as u32).to_le_bytes());
            entry[72..80].copy_from_slice(&offset.to_le_bytes());
            entry[80..88].copy_from_slice(&(blob.bytes.len() as u64).to_le_bytes());
            entry[88..120].copy_from_slice(&blob.sha256);
        }
        let total = section.len() as u64;
        section[..8].copy_from_slice(&MAGIC);
        section[8..16].copy_from_slice(&total.to_le_bytes());
        section[16..20].copy_from_slice(&(self.blobs.len() as u32).to_le_bytes());
        section
    }

    /// The hypervisor's flat binary, padded to a page, with the image section behind it and the header's sizes grown by the
    /// section. Errors: `flat` has no header of a hypervisor's, or one whose sizes do not cover it.
    pub fn bootable(&self, flat: &[u8]) -> Result<Vec<u8>, String> {
        let is_there = |header: &&Header| flat.get(header.magic.0..).is_some_and(|at| at.starts_with(header.magic.1));
        let header = HEADERS.iter().find(is_there).ok_or("the hypervisor's binary has no header to boot it by")?;
        let mut image = flat.to_vec();
        image.resize(flat.len().next_multiple_of(PAGE), 0);
        let length = image.len() as u64;
        let section = self.image_section();
        let grow = |image: &mut [u8], field: &Range<usize>, fits: fn(u64, u64) -> bool| {
            let field = &mut image[field.clone()];
            let linked = u64::from_le_bytes(field[..].try_into().expect("the range is eight bytes long"));
            if !fits(linked, length) {
                return Err(format!("the hypervisor's header says {linked:#x} bytes, but its binary has {length:#x}"));
            }
            let size = linked.checked_add(section.len() as u64).ok_or("the hypervisor's header says an absurd size")?;
            field.copy_from_slice(&size.to_le_bytes());
            Ok(())
        };
        grow(&mut image, &header.memory, |memory, length| memory >= length)?;
        if let Some(file) = &header.file {
            grow(&mut image, file, |file, length| file == length)?;
        }
        image.extend_from_slice(&section);
        Ok(image)
    }
}

/// The bytes of an ELF file's PT_LOAD segments by virtual address, from the lowest address on, gaps filled with
/// zeros. Memory without file bytes (`.bss`) at the end is left out.
/// Errors: no ELF64, no segments, segments outside of the file or far apart.
pub fn flatten_elf(elf: &[u8]) -> Result<Vec<u8>, String> {
    let file = ElfBytes::<LittleEndian>::minimal_parse(elf).map_err(|error| error.to_string())?;
    let segments: Vec<_> = file.segments().into_iter().flatten().filter(|segment| segment.p_type == PT_LOAD).collect();
    let base = segments.iter().map(|segment| segment.p_vaddr).min().ok_or("the ELF file has nothing to load")?;
    let mut flat = Vec::new();
    for segment in segments.iter().filter(|segment| segment.p_filesz > 0) {
        let bytes = file.segment_data(segment).map_err(|error| error.to_string())?;
        let end = (segment.p_vaddr - base).checked_add(segment.p_filesz).filter(|&end| end <= FLAT_LIMIT_BYTES);
        let end = end.ok_or_else(|| format!("segment at {:#x} is far from the first one", segment.p_vaddr))? as usize;
        if flat.len() < end {
            flat.resize(end, 0);
        }
        flat[end - bytes.len()..end].copy_from_slice(bytes);
    }
    Ok(flat)
}

/// SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// As much of a blob's name as its entry holds.
fn name(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::super::tests::elf;
    use super::*;

    #[test]
    fn an_elf_is_flattened_by_virtual_address() {
        let flat = flatten_elf(&elf(0x4008_0000)).unwrap();
        assert_eq!(flat.len(), 0x1020);
        assert_eq!((&flat[..0x40], &flat[0x1000..]), ([0xc0; 0x40].as_slice(), [0xc0; 0x20].as_slice()));
        assert!(flat[0x40..0x1000].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn an_elf_that_cannot_be_flattened() {
        assert!(flatten_elf(b"MZ").is_err());
        let mut far = elf(0x4008_0000);
        far[0x88..0x90].copy_from_slice(&0xffff_8000_0000_0000_u64.to_le_bytes());
        assert_eq!(flatten_elf(&far).unwrap_err(), "segment at 0xffff800000000000 is far from the first one");
        assert!(flatten_elf(&elf(0x4008_0000)[..0x150]).is_err());
        let mut nothing = elf(0x4008_0000);
        (nothing[0x40], nothing[0x78]) = (4, 4);
        assert_eq!(flatten_elf(&nothing).unwrap_err(), "the ELF file has nothing to load");
    }
}
